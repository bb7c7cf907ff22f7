// SPDX-License-Identifier: MIT
//
// Patterns and names in, answers out, for pattern_python_test.py. Lines of standard input: "P
// <hex>" makes a pattern and is answered "made" or "refused <offset> <reason>"; "N <hex>" tries the
// last pattern and is answered "yes", "no" or "limit".
#include <stdio.h>
#include <string.h>

#include "symbol/pattern.h"

enum { LINE_BYTES_MAX = 128 * 1024 };

static void decode_hex(char *out, const char *hex) {
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        *out++ = (char)byte;
    *out = '\0';
}

static struct pattern *answer_pattern(const char *text) {
    struct error err;
    size_t offset = 0;
    struct pattern *pattern = pattern_new(text, &offset, &err);
    if (pattern)
        puts("made");
    else
        printf("refused %zu %s\n", offset, err.what);
    return pattern;
}

static void answer_name(const struct pattern *pattern, const char *name) {
    static const char *const answers[] = {
        [PATTERN_YES] = "yes", [PATTERN_NO] = "no", [PATTERN_LIMIT] = "limit"};
    puts(pattern ? answers[pattern_try(pattern, name)] : "none");
}

int main(void) {
    static char line[LINE_BYTES_MAX];
    static char text[LINE_BYTES_MAX];
    struct pattern *pattern = NULL;
    while (fgets(line, sizeof line, stdin)) {
        decode_hex(text, line + 2);
        if (line[0] == 'N') {
            answer_name(pattern, text);
            continue;
        }
        pattern_free(pattern);
        pattern = answer_pattern(text);
    }
    pattern_free(pattern);
    return 0;
}
