// SPDX-License-Identifier: MIT
// Configuration text as people may write it: the first line is a path to be located in what
// follows.
#include "base/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int lines_in(const char *text, size_t size) {
    int lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' ? 1 : 0;
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
    if (!end)
        return 0;
    char path[128];
    text_copy_n(path, sizeof path, text, (size_t)(end - text));
    const char *json = end + 1;
    size_t length = size - (size_t)(json - text);
    json_t *root = NULL;
    struct error err = {0};
    int line = 1;
    int column = 1;
    bool parsed = json_parse(json, length, &root, &line, &column, &err);
    assert(parsed == (root != NULL));
    assert(parsed || (err.kind == ERROR_INVALID && line >= 1 && column >= 1));
    assert(parsed || line <= lines_in(json, length));
    if (json_locate(json, length, path, &line, &column))
        assert(line >= 1 && column >= 1 && line <= lines_in(json, length));
    json_decref(root);
    return 0;
}
