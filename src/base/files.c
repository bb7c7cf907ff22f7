// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "base/buffer.h"
#include "base/text.h"

enum { RACE_TRIES = 16, READ_BYTES = 16384 };

static int open_beneath(int root_fd, const char *path, int flags, unsigned files_flags) {
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOCTTY),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (files_flags & FILES_CACHED)
        how.resolve |= RESOLVE_CACHED;
    if (!(files_flags & FILES_FOLLOW_LINKS))
        how.resolve |= RESOLVE_NO_SYMLINKS;
    /* Without RESOLVE_CACHED, EAGAIN says that something was renamed meanwhile. */
    for (int tries = 0;; tries++) {
        int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        if (fd >= 0)
            return fd;
        bool again = errno == EINTR || (errno == EAGAIN && !(files_flags & FILES_CACHED));
        if (!again || tries == RACE_TRIES)
            return -1;
    }
}

static enum file_found not_opened(const char *path, unsigned files_flags, struct error *err) {
    int os = errno;
    switch (os) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EXDEV: /* leads out of the root */
    case ENXIO: /* a socket, or a device without driver */
        return FILE_ABSENT;
    case ELOOP:
        if (!(files_flags & FILES_FOLLOW_LINKS))
            return FILE_ABSENT;
        break;
    case EAGAIN:
    case EINVAL: /* a kernel that does not know RESOLVE_CACHED */
        if (files_flags & FILES_CACHED)
            return FILE_COLD;
        break;
    default:
        break;
    }
    error_os(err, ERROR_DISK, os, "could not open \"%s\"", path);
    return FILE_FAILED;
}

bool files_open_root(int *out_fd, const char *path, bool create, struct error *err) {
    if (create && !files_make_path(path, 0755, err))
        return false;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, ERROR_SYSTEM, errno, "could not open directory \"%s\"", path);
    *out_fd = fd;
    return true;
}

enum file_found files_open_beneath(int root_fd, const char *path, unsigned files_flags, int *out_fd,
                                   struct error *err) {
    /* O_NONBLOCK: a FIFO must not hold us up before we have seen that it is one. */
    CLEANUP(close_fd) int fd = open_beneath(root_fd, path, O_RDONLY | O_NONBLOCK, files_flags);
    if (fd < 0)
        return not_opened(path, files_flags, err);
    struct statx found;
    /* A file's type never changes, so what a network file system remembers will do. */
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &found) != 0) {
        error_os(err, ERROR_DISK, errno, "could not look at \"%s\"", path);
        return FILE_FAILED;
    }
    if (!S_ISREG(found.stx_mode))
        return FILE_ABSENT;
    *out_fd = TAKE_FD(fd);
    return FILE_FOUND;
}

enum file_found files_open_directory_beneath(int root_fd, const char *path, unsigned files_flags,
                                             int *out_fd, struct error *err) {
    int fd = open_beneath(root_fd, path, O_RDONLY | O_DIRECTORY, files_flags);
    if (fd < 0)
        return not_opened(path, files_flags, err);
    *out_fd = fd;
    return FILE_FOUND;
}

/* Steps into `name`, which is made where it is missing. */
static int make_and_open(int directory_fd, const char *name) {
    int fd = open_beneath(directory_fd, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(directory_fd, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return open_beneath(directory_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

bool files_make_directories(int root_fd, const char *path, int *out_fd, struct error *err) {
    CLEANUP(close_fd) int fd = open_beneath(root_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not open the directory above \"%s\"", path);
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        char name[NAME_MAX + 1];
        if (!text_copy_n(name, sizeof name, at, length))
            return error_os(err, ERROR_DISK, ENAMETOOLONG, "could not make directory \"%s\"", path);
        if (length > 0) {
            int next = make_and_open(fd, name);
            if (next < 0)
                return error_os(err, ERROR_DISK, errno, "could not make directory \"%s\"", path);
            close(fd);
            fd = next;
        }
        at += length + (at[length] == '/');
    }
    *out_fd = TAKE_FD(fd);
    return true;
}

static bool make_directory(const char *path, mode_t mode, struct error *err) {
    if (mkdir(path, mode) == 0)
        return true;
    int os = errno;
    struct stat found;
    if (stat(path, &found) == 0) {
        if (S_ISDIR(found.st_mode))
            return true;
        os = ENOTDIR;
    }
    return error_os(err, ERROR_SYSTEM, os, "could not make directory \"%s\"", path);
}

bool files_make_path(const char *path, mode_t mode, struct error *err) {
    char part[PATH_MAX];
    if (!text_copy(part, sizeof part, path))
        return error_os(err, ERROR_SYSTEM, ENAMETOOLONG, "could not make directory \"%s\"", path);
    for (char *slash = strchr(part + (part[0] == '/'), '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_directory(part, mode, err))
            return false;
        *slash = '/';
    }
    return make_directory(part, mode, err);
}

bool files_write_at(int fd, const void *bytes, size_t length, uint64_t offset, struct error *err) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t wrote = pwrite(fd, at, length, (off_t)offset);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return error_os(err, ERROR_DISK, wrote < 0 ? errno : EIO,
                            "could not write at byte %llu", (unsigned long long)offset);
        at += wrote;
        length -= (size_t)wrote;
        offset += (uint64_t)wrote;
    }
    return true;
}

ssize_t files_read_at(int fd, void *bytes, size_t length, uint64_t offset, struct error *err) {
    size_t got = 0;
    while (got < length) {
        ssize_t count = pread(fd, (char *)bytes + got, length - got, (off_t)(offset + got));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            error_os(err, ERROR_DISK, errno, "could not read at byte %llu",
                     (unsigned long long)(offset + got));
            return -1;
        }
        if (count == 0)
            break;
        got += (size_t)count;
    }
    return (ssize_t)got;
}

/* Reads to the end, or until the buffer holds all that it may. */
static bool read_to_end(int fd, const char *path, struct buffer *into, struct error *err) {
    for (;;) {
        size_t left = into->bytes_max - into->length;
        size_t wanted = left < READ_BYTES ? left : READ_BYTES;
        char *room = buffer_room(into, wanted);
        if (!room)
            return error_os(err, ERROR_SYSTEM, ENOMEM, "could not read \"%s\"", path);
        ssize_t got = read(fd, room, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, ERROR_SYSTEM, errno, "could not read \"%s\"", path);
        if (got == 0)
            return true;
        buffer_filled(into, (size_t)got);
    }
}

bool files_read_whole(const char *path, size_t bytes_max, char **out_text, size_t *out_length,
                      struct error *err) {
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, ERROR_SYSTEM, errno, "could not open \"%s\"", path);
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, bytes_max + 1); /* one more, to see that there is more */
    if (!read_to_end(fd, path, &text, err))
        return false;
    if (text.length > bytes_max)
        return error_set(err, ERROR_INVALID, "file \"%s\" is longer than %zu bytes", path,
                         bytes_max);
    *out_length = text.length;
    *out_text = TAKE(text.bytes);
    return true;
}

static bool write_and_sync(int fd, const char *name, const void *bytes, size_t length,
                           struct error *err) {
    struct error why = {0};
    if (!files_write_at(fd, bytes, length, 0, &why))
        return error_os(err, ERROR_DISK, why.os, "could not write \"%s\"", name);
    if (fsync(fd) != 0)
        return error_os(err, ERROR_DISK, errno, "could not sync \"%s\"", name);
    return true;
}

bool files_replace(int directory_fd, const char *name, const void *bytes, size_t length,
                   mode_t mode, struct error *err) {
    static atomic_uint serial;
    char beside[NAME_MAX + 1];
    if (!text_format(beside, sizeof beside, ".%s.%d-%u", name, (int)getpid(),
                     atomic_fetch_add(&serial, 1)))
        return error_os(err, ERROR_DISK, ENAMETOOLONG, "could not write \"%s\"", name);
    CLEANUP(close_fd)
    int fd =
        openat(directory_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not write \"%s\"", name);
    if (write_and_sync(fd, name, bytes, length, err)) {
        if (renameat(directory_fd, beside, directory_fd, name) == 0)
            return true;
        error_os(err, ERROR_DISK, errno, "could not put \"%s\" in its place", name);
    }
    unlinkat(directory_fd, beside, 0);
    return false;
}

bool files_space(int fd, uint64_t *out_free, uint64_t *out_total, struct error *err) {
    struct statvfs space;
    if (fstatvfs(fd, &space) != 0)
        return error_os(err, ERROR_DISK, errno, "could not ask for the free space");
    *out_free = (uint64_t)space.f_bavail * space.f_frsize;
    *out_total = (uint64_t)space.f_blocks * space.f_frsize;
    return true;
}

bool files_join(char *out, size_t size, const char *directory, const char *name) {
    size_t length = strlen(directory);
    if (length == 0)
        return text_copy(out, size, name);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return text_format(out, size, "%.*s/%s", (int)length, directory, name + strspn(name, "/"));
}
