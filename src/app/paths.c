// SPDX-License-Identifier: MIT
#include "app/paths.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/smb_remote.h"

enum { PATH_BYTES = 4096, KEY_BYTES = 128, DEVICE_BYTES = 4 };

static bool begins_with_drive(const char *text) {
    return isalpha((unsigned char)text[0]) && text[1] == ':' &&
           (text[2] == '\\' || text[2] == '/' || text[2] == '\0');
}

/* "\\?\…" and "\\.\…": Windows' names for what is no share. */
static bool is_device(const char *text) {
    return text_starts(text, "\\\\?\\") || text_starts(text, "\\\\.\\");
}

enum path_kind path_kind(const char *text) {
    if (text_starts_folded(text, "http://") || text_starts_folded(text, "https://"))
        return PATH_URL;
    if (is_device(text) || begins_with_drive(text))
        return PATH_WINDOWS;
    return smb_remote_is_one(text) ? PATH_SHARE : PATH_LOCAL;
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
    if (is_device(text) && begins_with_drive(text + DEVICE_BYTES))
        text += DEVICE_BYTES;
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
    char *path = *rest ? path_below(to, rest) : memory_text(to);
    for (char *at = path + strlen(to); *at; at++)
        if (*at == '\\')
            *at = '/';
    return path;
}

/* As a key of pathMap: one that begins with // would be a comment. */
static void write_key(const char *text, char out[KEY_BYTES]) {
    char masked[96];
    text_mask_url(masked, sizeof masked, text);
    for (char *at = masked; text_starts(text, "//") && *at; at++)
        *at = *at == '/' ? '\\' : *at;
    text_escape_json(out, KEY_BYTES, masked, strlen(masked));
}

bool path_map_misspelt(const char *name, const char *to, char *hint, size_t size) {
    struct smb_remote share;
    char key[KEY_BYTES];
    if (!text_starts(name, "//") || isspace((unsigned char)name[2]) ||
        !smb_remote_parse(name, &share, NULL) || !to || !strchr(to, '/'))
        return false;
    write_key(name, key);
    text_format(hint, size, "Write it with backslashes: \"%s\".", key);
    return true;
}

void path_map_example(const char *text, char *out, size_t size) {
    char escaped[KEY_BYTES];
    write_key(text, escaped);
    text_format(out, size,
                "Mount it, then write \"pathMap\": {\"%s\": \"/mnt/symbols\"} in general.",
                escaped);
}

char *path_below(const char *directory, const char *name) {
    size_t length = strlen(directory);
    size_t size = length + strlen(name) + 2;
    bool slash = length == 0 || directory[length - 1] != '/';
    char *path = memory_new(size);
    text_format(path, size, "%s%s%s", directory, slash ? "/" : "", name);
    return path;
}

/* ".." stays: what it means is the file system's to say, where links are about. */
static void drop_idle_components(char *path) {
    char *out = path;
    for (const char *at = path; *(at += strspn(at, "/"));) {
        size_t length = strcspn(at, "/");
        if (length != 1 || at[0] != '.') {
            *out++ = '/';
            memmove(out, at, length);
            out += length;
        }
        at += length;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *path_absolute(const char *text) {
    char here[PATH_BYTES];
    bool absolute = text[0] == '/';
    if (!absolute && !getcwd(here, sizeof here))
        return memory_text(text);
    char *path = absolute ? memory_text(text) : path_below(here, text);
    drop_idle_components(path);
    return path;
}

/* A service may have no HOME; its user has one all the same. */
static const char *home_folder(void) {
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(geteuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : "/var/tmp";
}

char *path_default_data(void) {
    const char *state = getenv("XDG_STATE_HOME");
    if (geteuid() == 0)
        return memory_text("/var/lib/symgate");
    if (state && state[0] == '/')
        return path_below(state, "symgate");
    return path_below(home_folder(), ".local/state/symgate");
}
