// SPDX-License-Identifier: MIT
//
// Any text as a path of the configuration, mapped by what its first two lines say.
#include "app/paths.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

/* Normal: absolute, and no component is empty or ".". */
static void require_normal(const char *path) {
    require(path[0] == '/');
    if (!path[1])
        return;
    for (const char *at = path; *at;) {
        require(*at++ == '/');
        size_t length = strcspn(at, "/");
        require(length > 0 && !(length == 1 && at[0] == '.'));
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char *text = malloc(length + 1);
    require(text != NULL);
    memcpy(text, bytes, length);
    text[length] = '\0';
    char *rest = text;
    char *from = strsep(&rest, "\n");
    char *to = rest ? strsep(&rest, "\n") : from;
    const char *path = rest ? rest : from;
    const struct config_map map = {&from, &to, 1};
    char *mapped = path_mapped(&map, path);
    /* What follows the mapped beginning is a path of this machine. */
    require(!mapped || strncmp(mapped, to, strlen(to)) == 0);
    require(!mapped || !strchr(mapped + strlen(to), '\\'));
    char *absolute = path_absolute(path);
    require_normal(absolute);
    char *again = path_absolute(absolute);
    require(strcmp(absolute, again) == 0);
    char hint[64];
    path_map_example(path, hint, sizeof hint);
    require(strlen(hint) < sizeof hint);
    free(again);
    free(absolute);
    free(mapped);
    free(text);
    return 0;
}
