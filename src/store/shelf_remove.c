// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "store/shelf_inside.h"

enum { REMOVED_MAX = 16 };

/* Removes a found file, and its directories where they are empty now. */
static bool remove_found(struct shelf *shelf, const struct shelf_root *root, const char *path) {
    char folder[LAYOUT_PATH_BYTES];
    const char *file = strrchr(path, '/') + 1;
    text_copy_n(folder, sizeof folder, path, (size_t)(file - path) - 1);
    CLEANUP(close_fd) int fd = -1;
    struct stat gone;
    if (files_open_directory_beneath(root->fd, folder, 0, &fd, NULL) != FILE_FOUND ||
        fstatat(fd, file, &gone, AT_SYMLINK_NOFOLLOW) != 0 || unlinkat(fd, file, 0) != 0)
        return false;
    count_many(&shelf->gone_bytes, S_ISREG(gone.st_mode) ? (uint64_t)gone.st_size : 0);
    char *slash = strrchr(folder, '/');
    *slash = '\0';
    CLEANUP(close_fd) int above = -1;
    if (files_open_directory_beneath(root->fd, folder, 0, &above, NULL) == FILE_FOUND &&
        unlinkat(above, slash + 1, AT_REMOVEDIR) == 0)
        unlinkat(root->fd, folder, AT_REMOVEDIR);
    return true;
}

unsigned shelf_remove(struct shelf *shelf, const struct symbol_key *key) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    if (!root || shelf->options.read_only)
        return 0;
    struct spelling spelling = {.part = key->part};
    text_copy(spelling.name, sizeof spelling.name, key->name);
    text_copy(spelling.id, sizeof spelling.id, key->id);
    unsigned removed = 0;
    for (; removed < REMOVED_MAX; removed++) {
        struct shelf_found found;
        enum shelf_look there = shelf_look_unvetted(shelf, &spelling, key, FORM_PLAIN, &found);
        if (there == SHELF_FOUND)
            close(found.fd);
        else if (there != SHELF_OTHER_FORM)
            break;
        if (!remove_found(shelf, root, found.path))
            break;
    }
    return removed;
}
