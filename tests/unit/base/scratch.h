// SPDX-License-Identifier: MIT
//
// A folder of its own for a test that needs files; gone with everything in it afterwards.
#pragma once

/* Makes an empty folder under /tmp; its path, which scratch_free takes back. */
char *scratch_new(void);

/* Removes the folder with all that lies in it, and frees the path. */
void scratch_free(char *path);

/* "folder/name" on the heap. */
char *scratch_path(const char *folder, const char *name);

/* Writes a file of text below the folder. */
void scratch_write(const char *folder, const char *name, const char *text);

/* A whole file as text on the heap; NULL when it is not there. */
char *scratch_read(const char *folder, const char *name);

/* For cmocka: *state is the folder's path. */
int scratch_setup(void **state);

/* The other half of scratch_setup. */
int scratch_teardown(void **state);
