// SPDX-License-Identifier: MIT
#pragma once
// Fails chosen system calls of the program under test. The linker sends each wrapped call here
// first
// (`--wrap`, list in tests/fault/meson.build); what is not armed goes on to the real one.
//
// A fault loop arms the first call, runs, checks that the run failed cleanly, then arms the second,
// and so on until fault_fired() says that a run passed without reaching the armed call:
//
//     for (unsigned long nth = 1;; nth++) {
//         fault_arm("fsync", nth, EIO, false);
//         bool good = run();
//         if (!fault_fired()) { assert_true(good); break; }
//         …what must hold after a failure…
//     }
//
// A program that is linked with it (symgate-fault) reads SYMGATE_FAULT=call:n:ERRNO[:persistent] at
// its start, several separated by commas: "fsync:3:EIO", "pwrite:1:ENOSPC:persistent"; "short" in
// the place of the error makes a write or a send take one byte only. Each strike is told on stderr
// ("fault: call 3 of fsync"). "kill" in the place of the error ends the program there as kill -9
// does, before the call is made. Counting starts at the arming. Any thread.
#include <stdbool.h>

// The error that stands for "took one byte only" (for pwrite, pwritev, write, send, sendfile).
#define FAULT_SHORT (-1)

// The error that stands for "killed before the call was made".
#define FAULT_KILL (-2)

// From now on the nth call (1: the next) of that name fails with errno error; with persistent,
// every call from the nth on. Replaces what was armed for that call. An unknown name ends the
// program.
void fault_arm(const char *call, unsigned long nth, int error, bool persistent);

// Disarms all calls and sets all counts to 0.
void fault_disarm(void);

// The names of the calls that can be armed, in an array that ends with NULL.
const char *const *fault_calls(void);

// How often that call was made since it was armed, or since fault_disarm().
unsigned long fault_count(const char *call);

// Whether an armed fault has struck since the last fault_arm() or fault_disarm().
bool fault_fired(void);
