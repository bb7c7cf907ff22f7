// SPDX-License-Identifier: MIT
#include "unit/base/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what) {
    perror(what);
    abort();
}

char *scratch_new(void) {
    char *path = strdup("/tmp/symgate-test-XXXXXX");
    if (!path || !mkdtemp(path))
        fail("mkdtemp");
    return path;
}

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *level) {
    (void)found;
    (void)type;
    (void)level;
    return remove(path);
}

void scratch_free(char *path) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail(path);
    free(path);
}

char *scratch_path(const char *folder, const char *name) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        fail("asprintf");
    return path;
}

void scratch_write(const char *folder, const char *name, const char *text) {
    char *path = scratch_path(folder, name);
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        fail(path);
    free(path);
}

char *scratch_read(const char *folder, const char *name) {
    char *path = scratch_path(folder, name);
    FILE *file = fopen(path, "re");
    free(path);
    if (!file)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    /* A delimiter that no text has: the whole file is one "line". */
    if (getdelim(&text, &size, '\0', file) < 0 && text)
        text[0] = '\0';
    fclose(file);
    return text;
}

int scratch_setup(void **state) {
    *state = scratch_new();
    return 0;
}

int scratch_teardown(void **state) {
    scratch_free(*state);
    return 0;
}
