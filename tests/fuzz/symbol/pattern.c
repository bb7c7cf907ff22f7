// SPDX-License-Identifier: MIT
//
// A pattern, a line end, and names to try it on, one a line. Whatever the pattern: an answer comes
// before libFuzzer's -timeout (or the test's), and the same one twice.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static void try_names(const struct pattern *pattern, char *names) {
    char *rest = names;
    char *name;
    while ((name = strsep(&rest, "\n"))) {
        enum pattern_match match = pattern_try(pattern, name);
        require(match == pattern_try(pattern, name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct error err = {0};
    size_t offset = SIZE_MAX;
    char *text = calloc(1, length + 1);
    require(text != NULL);
    if (length > 0)
        memcpy(text, bytes, length);
    char *names = text;
    strsep(&names, "\n");
    struct pattern *pattern = pattern_new(text, &offset, &err);
    require(pattern ? err.kind == ERROR_NONE : err.kind == ERROR_INVALID);
    require(pattern ? strcmp(pattern_text(pattern), text) == 0 : offset <= strlen(text));
    if (pattern && names)
        try_names(pattern, names);
    pattern_free(pattern);
    free(text);
    return 0;
}
