// SPDX-License-Identifier: MIT
#include "store/shelf_place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/text.h"
#include "store/shelf_root.h"

void shelf_place_write(const struct symbol_key *key, bool two_tier, char out[LAYOUT_PATH_BYTES]) {
    char path[LAYOUT_PATH_BYTES];
    char tier[LAYOUT_TIER_BYTES] = "";
    if (two_tier)
        layout_tier(key->name, tier);
    layout_shelf_path(key, path);
    text_format(out, LAYOUT_PATH_BYTES, "%s%s", tier, path);
}

bool shelf_place_free(int root_fd, const char *shelf, const char *path, struct error *err) {
    struct stat seen;
    bool there = fstatat(root_fd, path, &seen, AT_SYMLINK_NOFOLLOW) == 0;
    bool above = !there && errno == ENOTDIR;
    if (!above && !(there && S_ISDIR(seen.st_mode)))
        return true;
    error_set(err, ERROR_DISK, "a %s \"%s\" in the cache \"%s\"",
              above ? "file lies in place of a folder above"
                    : "directory lies in place of the file",
              path, shelf);
    return error_hint(err, "Move it out of the cache, or remove it.");
}

bool shelf_place_free_on(const char *shelf, const struct symbol_key *key, struct error *err) {
    CLEANUP(close_fd) int fd = -1;
    char path[LAYOUT_PATH_BYTES];
    if (!files_open_root(&fd, shelf, false, NULL))
        return true;
    shelf_place_write(key, shelf_root_has_tiers(fd), path);
    return shelf_place_free(fd, shelf, path, err);
}
