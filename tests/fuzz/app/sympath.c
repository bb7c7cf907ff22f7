// SPDX-License-Identifier: MIT
//
// Any text as a symbol path: each element is a server or more, the global cache, or is named as not
// used.
#include "app/sympath.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static unsigned elements_in(const char *text) {
    unsigned count = 0;
    while (*text) {
        size_t length = strcspn(text, ";");
        count += strspn(text, " \t") < length;
        text += length + (text[length] == ';');
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char *text = malloc(length + 1);
    require(text != NULL);
    memcpy(text, bytes, length);
    text[length] = '\0';
    struct config_problems problems = {0};
    struct config_reading reading = {"--sympath", NULL, 0, NULL, &problems};
    json_t *root = sympath_to_json(&reading, text);
    bool cache = json_object_get(json_object_get(root, "general"), "cacheLocation") != NULL;
    size_t servers = json_array_size(json_object_get(root, "servers"));
    require(problems.errors == 0);
    require(servers + cache + problems.warnings >= elements_in(text));
    json_decref(root);
    config_problems_release(&problems);
    struct config *config = config_from_sympath(text, "/data", &problems);
    require((config == NULL) == (problems.errors > 0));
    config_free(config);
    config_problems_release(&problems);
    free(text);
    return 0;
}
