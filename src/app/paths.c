// SPDX-License-Identifier: MIT
#include "app/paths.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum { PATH_BYTES = 4096 };

enum path_kind path_kind(const char *text) {
    if (text_starts_folded(text, "http://") || text_starts_folded(text, "https://"))
        return PATH_URL;
    bool drive = isalpha((unsigned char)text[0]) && text[1] == ':' &&
                 (text[2] == '\\' || text[2] == '/' || text[2] == '\0');
    bool share =
        text_starts(text, "\\\\") || text_starts(text, "//") || text_starts_folded(text, "smb://");
    return drive || share ? PATH_WINDOWS : PATH_LOCAL;
}

static char folded(char c) {
    if (c == '\\')
        return '/';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How much of text the beginning covers, at a component's end; 0 when it does not fit. */
static size_t covered(const char *text, const char *beginning) {
    size_t length = strlen(beginning);
    for (size_t i = 0; i < length; i++)
        if (folded(text[i]) != folded(beginning[i]))
            return 0;
    bool at_end = text[length] == '\0' || folded(text[length]) == '/' ||
                  (length > 0 && folded(beginning[length - 1]) == '/');
    return at_end ? length : 0;
}

char *path_mapped(const struct config_map *map, const char *text) {
    size_t longest = 0;
    const char *to = NULL;
    for (unsigned i = 0; i < map->count; i++) {
        size_t length = covered(text, map->from[i]);
        if (length > longest) {
            longest = length;
            to = map->to[i];
        }
    }
    if (!to)
        return NULL;
    const char *rest = text + longest;
    while (folded(*rest) == '/')
        rest++;
    char path[PATH_BYTES];
    size_t to_length = strlen(to);
    bool slash = *rest && (to_length == 0 || to[to_length - 1] != '/');
    text_format(path, sizeof path, "%s%s%s", to, slash ? "/" : "", rest);
    for (char *at = path + to_length; *at; at++)
        if (*at == '\\')
            *at = '/';
    return memory_text(path);
}

void path_map_example(const char *text, char *out, size_t size) {
    char escaped[128];
    text_escape_json(escaped, sizeof escaped, text, strlen(text));
    text_format(out, size,
                "Mount it, then write \"pathMap\": {\"%s\": \"/mnt/symbols\"} in general.",
                escaped);
}

char *path_absolute(const char *text) {
    char here[PATH_BYTES], path[2 * PATH_BYTES];
    if (text[0] == '/' || !getcwd(here, sizeof here))
        return memory_text(text);
    while (text_starts(text, "./"))
        text += 2;
    text_format(path, sizeof path, "%s/%s", strcmp(here, "/") == 0 ? "" : here, text);
    return memory_text(path);
}

char *path_default_data(void) {
    char path[PATH_BYTES];
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (geteuid() == 0)
        return memory_text("/var/lib/symgate");
    if (state && state[0] == '/')
        text_format(path, sizeof path, "%s/symgate", state);
    else
        text_format(path, sizeof path, "%s/.local/state/symgate", home ? home : "/tmp");
    return memory_text(path);
}
