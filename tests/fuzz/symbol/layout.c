// SPDX-License-Identifier: MIT
//
// Any bytes as a path. Whatever is taken as a symbol must be safe to make a file name of, and must
// mean the same when it is written as a path again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "symbol/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static void require_safe(const char *component) {
    require(component[0] != '\0' && component[0] != '.');
    for (; *component; component++)
        require((unsigned char)*component >= 0x20 && !strchr("/\\:\x7f", *component));
}

static void require_same_again(const struct symbol_path *path) {
    char spelled[LAYOUT_PATH_BYTES];
    char url[3 * LAYOUT_PATH_BYTES];
    struct symbol_path again;
    struct error err;
    require(layout_spelled_path(&path->spelling, FORM_PLAIN, spelled));
    require(text_encode_percent(url, sizeof url, spelled, "/"));
    require(layout_parse_path(url, strlen(url), &again, &err) == PATH_SYMBOL);
    require(spelling_equal(&path->spelling, &again.spelling));
    require(symbol_key_equal(&path->key, &again.key));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct symbol_path path;
    struct error err = {0};
    enum path_meaning meaning = layout_parse_path((const char *)bytes, length, &path, &err);
    require((meaning == PATH_INVALID) == (err.kind == ERROR_INVALID));
    if (meaning != PATH_SYMBOL && meaning != PATH_FOLLOW_UP)
        return 0;
    require((meaning == PATH_SYMBOL) == (path.form == FORM_PLAIN));
    require_safe(path.spelling.name);
    require_safe(path.spelling.id);
    require_safe(path.key.name);
    require_safe(path.key.id);
    require_same_again(&path);
    return 0;
}
