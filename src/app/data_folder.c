// SPDX-License-Identifier: MIT
#include "app/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

enum { SMALL_FILE_BYTES = 4096 };

static bool take_lock(struct data_folder *folder, struct error *err) {
    CLEANUP(close_fd)
    int fd = openat(folder->root_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_os(err, ERROR_SYSTEM, errno, "cannot lock the data folder \"%s\"",
                        folder->path);
    char pid[32] = "";
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t got = pread(fd, pid, sizeof pid - 1, 0);
        pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
        error_set(err, ERROR_CONFIG, "the data folder \"%s\" is in use by process %s", folder->path,
                  pid[0] ? pid : "(unknown)");
        return error_hint(err, "Stop that symgate, or choose another folder with --data.");
    }
    int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    /* It tells people whose it is, no more: what lies here is served from a full disk too. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length)
        log_warning("the number of this process could not be written to \"%s/lock\"", folder->path);
    folder->lock_fd = TAKE_FD(fd);
    return true;
}

enum small_file { SMALL_FILE_READ, SMALL_FILE_ABSENT, SMALL_FILE_FAILED };

/* Reads a small file of the folder. One that is there and cannot be read is a failure: it must not
   be taken for one that is to be made. */
static enum small_file read_small(const struct data_folder *folder, const char *name,
                                  char **out_text, size_t *out_length, struct error *err) {
    char path[PATH_MAX];
    if (!files_join(path, sizeof path, folder->path, name)) {
        error_set(err, ERROR_CONFIG, "the path of the data folder is too long");
        return SMALL_FILE_FAILED;
    }
    if (files_read_whole(path, SMALL_FILE_BYTES, out_text, out_length, err))
        return SMALL_FILE_READ;
    return err->os == ENOENT ? SMALL_FILE_ABSENT : SMALL_FILE_FAILED;
}

static bool judge_format(const struct data_folder *folder, char *text, struct error *err) {
    uint64_t version = 0;
    text[strcspn(text, "\n")] = '\0';
    if (!number_parse(text, &version) || version == 0)
        return error_set(err, ERROR_CONFIG,
                         "the file \"format\" of the data folder \"%s\" says no version",
                         folder->path);
    if (version <= DATA_FORMAT)
        return true;
    error_set(
        err, ERROR_CONFIG,
        "the data folder \"%s\" was written by a newer symgate (format %llu, this one knows %d)",
        folder->path, (unsigned long long)version, DATA_FORMAT);
    return error_hint(err, "Use that version, or choose another folder with --data.");
}

static bool check_format(struct data_folder *folder, struct error *err) {
    CLEANUP(free_block) char *text = NULL;
    size_t length = 0;
    struct error why = {0};
    char line[16];
    switch (read_small(folder, "format", &text, &length, &why)) {
    case SMALL_FILE_READ:
        return judge_format(folder, text, err);
    case SMALL_FILE_FAILED:
        *err = why;
        return false;
    case SMALL_FILE_ABSENT:
        break;
    }
    int written = snprintf(line, sizeof line, "%d\n", DATA_FORMAT);
    return files_replace(folder->root_fd, "format", line, (size_t)written, 0644, err);
}

static bool read_key(struct data_folder *folder, struct error *err) {
    CLEANUP(free_block) char *bytes = NULL;
    size_t length = 0;
    struct error why = {0};
    switch (read_small(folder, "key", &bytes, &length, &why)) {
    case SMALL_FILE_READ:
        if (length != sizeof folder->key)
            break;
        memcpy(&folder->key, bytes, sizeof folder->key);
        return true;
    case SMALL_FILE_FAILED:
        *err = why;
        return false;
    case SMALL_FILE_ABSENT:
        break;
    }
    folder->key = hash_new_key();
    return files_replace(folder->root_fd, "key", &folder->key, sizeof folder->key, 0600, err);
}

bool data_folder_read_key(const char *path, struct hash_key *out_key) {
    char name[PATH_MAX];
    CLEANUP(free_block) char *bytes = NULL;
    size_t length = 0;
    if (!files_join(name, sizeof name, path, "key") ||
        !files_read_whole(name, sizeof *out_key, &bytes, &length, NULL) ||
        length != sizeof *out_key)
        return false;
    memcpy(out_key, bytes, sizeof *out_key);
    return true;
}

bool data_folder_is_held(const char *path) {
    char name[PATH_MAX];
    if (!files_join(name, sizeof name, path, "lock"))
        return true;
    CLEANUP(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno != ENOENT;
    return flock(fd, LOCK_SH | LOCK_NB) != 0;
}

bool data_folder_open(struct data_folder *folder, const char *path, struct error *err) {
    *folder = (struct data_folder){.path = memory_text(path), .root_fd = -1, .lock_fd = -1};
    bool open = files_open_root(&folder->root_fd, path, true, err) && take_lock(folder, err) &&
                check_format(folder, err) && read_key(folder, err);
    if (!open) {
        if (err->kind == ERROR_SYSTEM)
            error_hint(err, "Choose another folder with --data or general.dataLocation.");
        data_folder_close(folder);
    }
    return open;
}

void data_folder_close(struct data_folder *folder) {
    close_fd(&folder->lock_fd);
    close_fd(&folder->root_fd);
    free(folder->path);
    *folder = (struct data_folder){.root_fd = -1, .lock_fd = -1};
}

bool data_folder_announce(struct data_folder *folder, const char *url, struct error *err) {
    char line[256];
    text_format(line, sizeof line, "%s\n", url);
    if (files_replace(folder->root_fd, "symgate.run", line, strlen(line), 0644, err))
        return true;
    data_folder_withdraw(folder);
    return false;
}

void data_folder_withdraw(struct data_folder *folder) {
    if (folder->root_fd >= 0)
        unlinkat(folder->root_fd, "symgate.run", 0);
}

bool data_folder_find_server(const char *path, char *out_url, size_t size, struct error *err) {
    char file[PATH_MAX];
    CLEANUP(free_block) char *text = NULL;
    size_t length = 0;
    bool found = files_join(file, sizeof file, path, "symgate.run") &&
                 files_read_whole(file, SMALL_FILE_BYTES, &text, &length, NULL);
    if (!found) {
        error_set(err, ERROR_CONFIG, "no symgate is running with the data folder \"%s\"", path);
        return error_hint(err, "Name it by --url http://HOST:PORT/, or its folder by --data.");
    }
    text_copy_n(out_url, size, text, strcspn(text, "\n"));
    return true;
}
