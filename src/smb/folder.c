// SPDX-License-Identifier: MIT
#include "smb/folder.h"

#include <errno.h>
#include <libsmbclient.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
    GOOD_FOR_MS = 60 * 1000, /* not every server shows each change in the folder's time */
    SETTLED_S = 5,
    TRIES_MAX = 100,
};

void folder_init(struct folder *folder, size_t bytes_max) {
    *folder = (struct folder){0};
    buffer_init(&folder->names, bytes_max);
}

void folder_release(struct folder *folder) {
    buffer_release(&folder->names);
}

static bool still_good(const struct folder *folder, const struct stat *as_it_is) {
    return folder->read_ms != 0 && folder->settled && clock_ms() - folder->read_ms < GOOD_FOR_MS &&
           folder->modified.tv_sec == as_it_is->st_mtim.tv_sec &&
           folder->modified.tv_nsec == as_it_is->st_mtim.tv_nsec;
}

static bool failed(const char *url, struct error *err) {
    return error_os(err, ERROR_DISK, errno, "could not read the folder \"%s\"", url);
}

bool folder_read(struct folder *folder, struct _SMBCCTX *context, const char *url,
                 const struct stat *as_it_is, struct error *err) {
    if (still_good(folder, as_it_is))
        return true;
    folder->read_ms = 0;
    buffer_clear(&folder->names);
    SMBCFILE *opened = smbc_getFunctionOpendir(context)(context, url);
    if (!opened)
        return failed(url, err);
    for (;;) {
        errno = 0;
        const struct smbc_dirent *entry = smbc_getFunctionReaddir(context)(context, opened);
        if (!entry)
            break;
        if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
            buffer_append(&folder->names, entry->name, strlen(entry->name) + 1);
    }
    int why = errno;
    smbc_getFunctionClosedir(context)(context, opened);
    errno = why;
    if (why != 0)
        return failed(url, err);
    if (folder->names.failed)
        return error_set(err, ERROR_DISK, "the folder \"%s\" has too many names", url);
    folder->modified = as_it_is->st_mtim;
    folder->read_ms = clock_ms();
    folder->settled = clock_wall_s() - as_it_is->st_mtim.tv_sec > SETTLED_S;
    return true;
}

/* The name after this one; NULL: the end. */
static const char *next_name(const struct folder *folder, const char *name) {
    const char *names = folder->names.bytes;
    size_t at = name ? (size_t)(name - names) + strlen(name) + 1 : 0;
    return at < folder->names.length ? names + at : NULL;
}

void folder_find(const struct folder *folder, const char *name,
                 struct folder_matches *out_matches) {
    out_matches->count = 0;
    for (const char *at = NULL; (at = next_name(folder, at));)
        if (out_matches->count < FOLDER_MATCHES_MAX && text_same(at, name))
            text_copy(out_matches->names[out_matches->count++], FOLDER_NAME_BYTES, at);
}

void folder_swap_case(char *name) {
    for (; *name; name++)
        if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z'))
            *name ^= 'a' - 'A';
}

const char *folder_name_to_try(const struct folder *folder) {
    unsigned tries = 0;
    for (const char *at = NULL; tries < TRIES_MAX && (at = next_name(folder, at));) {
        char swapped[FOLDER_NAME_BYTES];
        struct folder_matches matches;
        bool whole = text_copy(swapped, sizeof swapped, at);
        folder_swap_case(swapped);
        if (!whole || strcmp(swapped, at) == 0)
            continue;
        folder_find(folder, at, &matches);
        if (matches.count == 1)
            return at;
        tries++;
    }
    return NULL;
}
