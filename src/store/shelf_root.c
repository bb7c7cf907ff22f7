// SPDX-License-Identifier: MIT
#include "store/shelf_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "base/memory.h"

#define OWN_FOLDER ".symgate"
#define STAGING_FOLDER ".symgate/staging"
#define LOCK_FILE ".symgate/lock"

/* As symstore and those who copy its trees write it. */
static const char *const tier_marks[] = {"index2.txt", "Index2.txt", "INDEX2.TXT", "Index2.TXT",
                                         "index2.TXT"};

static void close_directory(DIR **directory) {
    if (*directory)
        closedir(*directory);
}

struct shelf_root *shelf_root_ref(struct shelf_root *root) {
    atomic_fetch_add_explicit(&root->references, 1, memory_order_relaxed);
    return root;
}

void shelf_root_unref(struct shelf_root *root) {
    if (!root || atomic_fetch_sub_explicit(&root->references, 1, memory_order_acq_rel) != 1)
        return;
    close_fd(&root->staging_fd);
    close_fd(&root->lock_fd);
    close_fd(&root->fd);
    free(root);
}

void shelf_root_unref_at(struct shelf_root **root) {
    shelf_root_unref(*root);
}

static bool held_by_another(int lock_fd, const char *path, struct error *err) {
    char pid[24] = {0};
    ssize_t got = pread(lock_fd, pid, sizeof pid - 1, 0);
    if (got > 0)
        pid[strcspn(pid, "\n")] = '\0';
    char own[24];
    snprintf(own, sizeof own, "%ld", (long)getpid());
    if (strcmp(pid, own) == 0) {
        error_set(err, ERROR_BUSY,
                  "the cache \"%s\" is the folder of another cache of this configuration", path);
        return error_hint(err,
                          "Write the same cacheLocation for both, or give each its own folder.");
    }
    error_set(err, ERROR_BUSY, "the cache \"%s\" is in use by process %s", path,
              got > 0 ? pid : "(unknown)");
    return error_hint(err, "Stop that process, or give each its own cacheLocation.");
}

static bool take_lock(int root_fd, const char *path, int *out_fd, struct error *err) {
    CLEANUP(close_fd)
    int fd = openat(root_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not open \"%s/" LOCK_FILE "\"", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? held_by_another(fd, path, err)
                   : error_os(err, ERROR_DISK, errno, "could not lock \"%s/" LOCK_FILE "\"", path);
    char pid[24];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* It tells people whose it is, no more: a disk that is full can be read from. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length)
        log_warning("the number of this process could not be written to \"%s/" LOCK_FILE "\"",
                    path);
    *out_fd = TAKE_FD(fd);
    return true;
}

/* What is left there after a kill is nobody's: the lock is held. */
static void empty_staging(int staging_fd) {
    int fd = openat(staging_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_directory) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        close_fd(&fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.' && unlinkat(staging_fd, entry->d_name, 0) != 0)
            unlinkat(staging_fd, entry->d_name, AT_REMOVEDIR);
}

static bool make_folder(int root_fd, const char *path, const char *folder, struct error *err) {
    if (mkdirat(root_fd, folder, 0755) == 0 || errno == EEXIST)
        return true;
    return error_os(err, ERROR_DISK, errno, "could not make \"%s/%s\"", path, folder);
}

static bool prepare_writing(struct shelf_root *root, const char *path, struct error *err) {
    CLEANUP(close_fd) int lock_fd = -1;
    if (!make_folder(root->fd, path, OWN_FOLDER, err) ||
        !make_folder(root->fd, path, STAGING_FOLDER, err) ||
        !take_lock(root->fd, path, &lock_fd, err))
        return false;
    CLEANUP(close_fd)
    int staging_fd =
        openat(root->fd, STAGING_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (staging_fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not open \"%s/" STAGING_FOLDER "\"", path);
    if (faccessat(staging_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return error_os(err, ERROR_DISK, errno, "could not write in \"%s/" STAGING_FOLDER "\"",
                        path);
    empty_staging(staging_fd);
    root->staging_fd = TAKE_FD(staging_fd);
    root->lock_fd = TAKE_FD(lock_fd);
    return true;
}

/* What is known of the file system. Directories of servers may be changed there without their time
 * here telling of it. */
static void look_at_system(struct shelf_root *root) {
    struct statfs system;
    if (fstatfs(root->fd, &system) != 0)
        return;
    switch (system.f_type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
        root->quick = true;
        root->tells_time = true;
        return;
    case EXT4_SUPER_MAGIC: /* and ext2, ext3 */
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
        root->tells_time = true;
        return;
    default:
        return;
    }
}

bool shelf_root_has_tiers(int root_fd) {
    for (size_t i = 0; i < sizeof tier_marks / sizeof *tier_marks; i++)
        if (faccessat(root_fd, tier_marks[i], F_OK, 0) == 0)
            return true;
    return false;
}

bool shelf_root_open(const char *path, bool read_only, struct shelf_root **out_root,
                     struct error *err) {
    int fd;
    *out_root = NULL;
    if (!files_open_root(&fd, path, false, read_only ? err : NULL) &&
        (read_only || !files_open_root(&fd, path, true, err)))
        return false;
    struct shelf_root *root = NEW(struct shelf_root);
    root->references = 1;
    root->fd = fd;
    root->staging_fd = -1;
    root->lock_fd = -1;
    root->two_tier = shelf_root_has_tiers(fd);
    look_at_system(root);
    *out_root = root;
    return read_only || prepare_writing(root, path, err);
}

bool shelf_root_current(const struct shelf_root *root, const char *path) {
    struct stat named;
    struct stat open_one;
    struct stat staging;
    if (stat(path, &named) != 0 || fstat(root->fd, &open_one) != 0)
        return false;
    if (named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev)
        return false;
    return root->staging_fd < 0 || (fstat(root->staging_fd, &staging) == 0 && staging.st_nlink > 0);
}
