// SPDX-License-Identifier: MIT
//
// Which names lie on a shelf: its root's entries, or in two tiers those of its folders.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "store/shelf_inside.h"
#include "symbol/key.h"

struct showing {
    bool (*show)(const char *name, void *context);
    void *context;
    bool enough;
};

/* symgate's own things begin with a dot, and no name does. */
static void show_entry(struct showing *showing, const char *entry) {
    char name[NAME_BYTES_MAX + 1];
    if (entry[0] == '.' || !text_copy(name, sizeof name, entry))
        return;
    text_fold(name);
    showing->enough = !showing->show(name, showing->context);
}

/* `tiers`: how many folders deep the names lie. */
static bool show_folder(int parent_fd, const char *path, unsigned tiers, struct showing *showing) {
    int fd = openat(parent_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    bool good = folder != NULL;
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    for (struct dirent *entry; good && !showing->enough && (entry = readdir(folder));) {
        if (tiers == 1)
            show_entry(showing, entry->d_name);
        else if (entry->d_name[0] != '.' && entry->d_type != DT_REG)
            good = show_folder(fd, entry->d_name, tiers - 1, showing);
    }
    closedir(folder);
    return good;
}

bool shelf_each_name(struct shelf *shelf, bool (*show)(const char *name, void *context),
                     void *context) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    struct showing showing = {.show = show, .context = context};
    if (!root)
        return access(shelf->path, F_OK) != 0 && errno == ENOENT; /* nothing was kept yet */
    return show_folder(root->fd, ".", root->two_tier ? 2 : 1, &showing);
}
