// SPDX-License-Identifier: MIT
//
// The fault loop of this floor: a scene is played over and over, with the first, the second, … call
// of each system call failing, until a run gets by without meeting the fault. Whatever fails: no
// crash, no descriptor left, nothing false left behind, and the same thing works afterwards.
#pragma once

#include <stdbool.h>

/* Something to be done in a folder of its own. */
struct scene {
    /* False when it failed politely. Asserts what holds in any case. */
    bool (*run)(const char *folder);
    /* Looks at what was left behind; no fault is armed. */
    void (*afterwards)(const char *folder, bool good);
};

/* Lets every call fail that tests/fault knows, or those of a list that ends with NULL. */
void fault_loop(const struct scene *scene, const char *folder, const char *const *calls);

/* Lets every allocation fail. Small ones end the program: each run is a process of its own, so no
 * other thread may be there. */
void fault_loop_memory(const struct scene *scene, const char *folder);

/* For cmocka: *state is a folder that the loop may empty. */
int fault_loop_setup(void **state);

/* The other half of fault_loop_setup. */
int fault_loop_teardown(void **state);

/* The programs' main: tests that fork first, then, with the log quiet, those with threads. */
int fault_loop_main(int (*forking)(void), int (*threaded)(void));
