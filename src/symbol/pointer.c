// SPDX-License-Identifier: MIT
#include "symbol/pointer.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Control characters and NUL make no path and no message. */
static bool is_clean(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static bool is_absolute(const char *path) {
    bool drive = ((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') && path[1] == ':';
    return path[0] == '/' || drive;
}

static void turn_slashes(char *path) {
    for (; *path; path++)
        if (*path == '\\')
            *path = '/';
}

void pointer_parse(const char *bytes, size_t length, struct pointer *out_pointer) {
    *out_pointer = (struct pointer){.kind = POINTER_INVALID};
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    for (; length > 0 && is_space(*bytes); length--)
        bytes++;
    while (length > 0 && is_space(bytes[length - 1]))
        length--;
    if (length == 0 || length > POINTER_BYTES_MAX || !is_clean(bytes, length))
        return;
    bool message = length >= 4 && strncasecmp(bytes, "MSG:", 4) == 0;
    size_t mark = length >= 5 && strncasecmp(bytes, "PATH:", 5) == 0 ? 5 : message ? 4 : 0;
    while (mark < length && is_space(bytes[mark]))
        mark++;
    text_copy_n(out_pointer->text, sizeof out_pointer->text, bytes + mark, length - mark);
    if (message) {
        out_pointer->kind = POINTER_MESSAGE;
        return;
    }
    turn_slashes(out_pointer->text);
    if (out_pointer->text[0])
        out_pointer->kind = is_absolute(out_pointer->text) ? POINTER_PATH : POINTER_NEAR;
}

bool pointer_unindexed(const struct pointer *pointer) {
    static const char text[] = "NoLongerIndexed";
    if (pointer->kind != POINTER_MESSAGE || !text_starts_folded(pointer->text, text))
        return false;
    char next = pointer->text[sizeof text - 1];
    return !(next >= '0' && next <= '9') && !((next | 0x20) >= 'a' && (next | 0x20) <= 'z');
}

/* --- where it leads ------------------------------------------------------------------------- */

/* Appends the components of `path`, resolving "." and ".."; false when it leads above the start or
 * does not fit. */
static bool walk(char *out, size_t size, const char *path, size_t length) {
    size_t used = strlen(out);
    while (length > 0) {
        const char *slash = memchr(path, '/', length);
        size_t part = slash ? (size_t)(slash - path) : length;
        if (part == 2 && memcmp(path, "..", 2) == 0) {
            if (used == 0)
                return false;
            while (used > 0 && out[--used] != '/')
                continue;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (used + part + 2 > size)
                return false;
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, path, part);
            used += part;
        }
        out[used] = '\0';
        length -= slash ? part + 1 : part;
        path += slash ? part + 1 : part;
    }
    return true;
}

static bool same_byte(char a, char b) {
    char lower_a = a >= 'A' && a <= 'Z' ? (char)(a | 0x20) : a == '\\' ? '/' : a;
    char lower_b = b >= 'A' && b <= 'Z' ? (char)(b | 0x20) : b == '\\' ? '/' : b;
    return lower_a == lower_b;
}

bool pointer_below(const char *target, const char *prefix, char out[LAYOUT_PATH_BYTES]) {
    size_t length = strlen(prefix);
    while (length > 1 && (prefix[length - 1] == '/' || prefix[length - 1] == '\\'))
        length--;
    for (size_t i = 0; i < length; i++)
        if (!same_byte(target[i], prefix[i])) /* ends at the target's end too */
            return false;
    if (target[length] != '/' && prefix[length - 1] != '/')
        return false;
    out[0] = '\0';
    return walk(out, LAYOUT_PATH_BYTES, target + length, strlen(target + length)) && out[0];
}

bool pointer_near(const char *target, const char *pointer_path, char out[LAYOUT_PATH_BYTES]) {
    const char *slash = strrchr(pointer_path, '/');
    out[0] = '\0';
    return walk(out, LAYOUT_PATH_BYTES, pointer_path, slash ? (size_t)(slash - pointer_path) : 0) &&
           walk(out, LAYOUT_PATH_BYTES, target, strlen(target)) && out[0];
}

bool pointer_from(const char *prefix, const char *pointer_path, const char *target,
                  char out[POINTER_BYTES_MAX + 1]) {
    char tree[POINTER_BYTES_MAX + 1], path[POINTER_BYTES_MAX + 1] = "";
    const char *slash = strrchr(pointer_path, '/');
    if (!text_copy(tree, sizeof tree, prefix))
        return false;
    turn_slashes(tree);
    size_t root = tree[0] == '/' ? strspn(tree, "/") : 0; /* "/", or "//" of a share */
    return walk(path, sizeof path, tree + root, strlen(tree + root)) &&
           walk(path, sizeof path, pointer_path, slash ? (size_t)(slash - pointer_path) : 0) &&
           walk(path, sizeof path, target, strlen(target)) &&
           text_format(out, POINTER_BYTES_MAX + 1, "%.*s%s", (int)root, "//", path);
}
