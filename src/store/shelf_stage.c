// SPDX-License-Identifier: MIT
#include "store/shelf_stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "base/numbers.h"
#include "base/text.h"
#include "store/shelf_inside.h"
#include "store/shelf_place.h"
#include "symbol/content.h"

enum { PLACE_TRIES = 3 };

static const char signature_name[] = "user.symgate.source";

uint64_t shelf_default_free(uint64_t disk_bytes) {
    const uint64_t most = UINT64_C(10) << 30;
    return disk_bytes / 20 < most ? disk_bytes / 20 : most;
}

static uint64_t floor_of(const struct shelf *shelf, uint64_t disk_bytes) {
    const struct shelf_options *options = &shelf->options;
    return options->free_min_default ? shelf_default_free(disk_bytes) : options->free_min_bytes;
}

bool shelf_has_room(struct shelf *shelf, const struct shelf_root *root, uint64_t bytes,
                    struct error *err) {
    uint64_t free_bytes;
    uint64_t total_bytes;
    if (!files_space(root->fd, &free_bytes, &total_bytes, err))
        return false;
    uint64_t floor = floor_of(shelf, total_bytes);
    if (free_bytes >= floor && bytes <= free_bytes - floor)
        return true;
    char left[32];
    number_format_size(left, sizeof left, free_bytes);
    error_set(err, ERROR_DISK, "no room in the cache \"%s\": %s are left on its disk", shelf->path,
              left);
    return error_hint(err, "Make room there, or lower general.minFreeSpace.");
}

bool shelf_space(struct shelf *shelf, uint64_t *out_free, uint64_t *out_size, bool *out_low) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    struct error err;
    if (!root || !files_space(root->fd, out_free, out_size, &err))
        return false;
    *out_low = *out_free < floor_of(shelf, *out_size);
    return true;
}

int64_t shelf_growth(const struct shelf *shelf) {
    return (int64_t)(counted(&shelf->kept_bytes) - counted(&shelf->gone_bytes));
}

uint64_t shelf_gone(const struct shelf *shelf) {
    return counted(&shelf->gone_bytes);
}

/* Unlike any other name, those of an earlier process included: a root may be left and come back. */
static void make_name(char out[SHELF_FILE_NAME]) {
    static atomic_uint made;
    unsigned n = atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    snprintf(out, SHELF_FILE_NAME, "%ld-%08x", (long)getpid(), n);
}

bool shelf_stage(struct shelf *shelf, uint64_t size, struct shelf_file *out_file,
                 struct error *err) {
    shelf_refresh(shelf);
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    if (!root || root->staging_fd < 0)
        return error_set(err, ERROR_DISK, "the cache \"%s\" cannot be written to", shelf->path);
    if (!shelf_has_room(shelf, root, size == SIZE_UNKNOWN ? 0 : size, err))
        return false;
    make_name(out_file->name);
    out_file->fd =
        openat(root->staging_fd, out_file->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out_file->fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not make a file in the cache \"%s\"",
                        shelf->path);
    out_file->root = TAKE(root);
    return true;
}

bool shelf_has_place(struct shelf *shelf, const struct symbol_key *key, struct error *err) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    char path[LAYOUT_PATH_BYTES];
    if (!root)
        return true;
    shelf_place_write(key, root->two_tier, path);
    return shelf_place_free(root->fd, shelf->path, path, err);
}

/* Another symbol's removal may take the empty directory away between making it and moving into it.
 */
static bool place(struct shelf_file *file, const char *folder, const char *name, int *out_fd,
                  uint64_t *out_replaced, struct error *err) {
    for (int tries = 0;; tries++) {
        CLEANUP(close_fd) int fd = -1;
        if (!files_make_directories(file->root->fd, folder, &fd, err))
            return false;
        struct stat old;
        *out_replaced = fstatat(fd, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode)
                            ? (uint64_t)old.st_size
                            : 0;
        if (renameat(file->root->staging_fd, file->name, fd, name) == 0) {
            *out_fd = TAKE_FD(fd);
            return true;
        }
        if (errno != ENOENT || tries == PLACE_TRIES)
            return error_os(err, ERROR_DISK, errno, "could not put \"%s/%s\" in its place", folder,
                            name);
    }
}

static void count_kept(struct shelf *shelf, const struct shelf_file *file, uint64_t replaced) {
    struct stat kept;
    if (fstat(file->fd, &kept) == 0)
        count_many(&shelf->kept_bytes, (uint64_t)kept.st_size);
    count_many(&shelf->gone_bytes, replaced);
}

void shelf_sign(int fd, const char *source) {
    (void)fsetxattr(fd, signature_name, source, strlen(source), 0);
}

void shelf_signature(int fd, char *out, size_t size) {
    ssize_t got = fgetxattr(fd, signature_name, out, size - 1);
    /* It goes into heads and logs, and anybody may have written it who may write the file. */
    for (ssize_t i = 0; i < got; i++)
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
            got = 0;
    out[got > 0 ? got : 0] = '\0';
}

bool shelf_keep(struct shelf *shelf, struct shelf_file *file, const char *path, struct error *err) {
    uint64_t replaced = 0;
    char folder[LAYOUT_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    assert(slash && file->name[0]);
    text_copy_n(folder, sizeof folder, path, (size_t)(slash - path));
    CLEANUP(close_fd) int fd = -1;
    if (!place(file, folder, slash + 1, &fd, &replaced, err)) {
        bool free = shelf_place_free(file->root->fd, shelf->path, path, err);
        (void)free; /* where it is not, err says so now, and what to do */
        return false;
    }
    file->name[0] = '\0';
    count_kept(shelf, file, replaced);
    int synced = fsync(fd);
    (void)synced; /* where it fails the file may be gone after a power cut, but never in part */
    return true;
}

void shelf_drop(struct shelf_file *file) {
    if (!file->root)
        return;
    if (file->name[0])
        unlinkat(file->root->staging_fd, file->name, 0);
    file->name[0] = '\0';
    close_fd(&file->fd);
    file->fd = -1;
    shelf_root_unref(TAKE(file->root));
}
