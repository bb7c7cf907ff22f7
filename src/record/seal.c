// SPDX-License-Identifier: MIT
#include "record/seal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

enum { PATH_BYTES = 4096, SEAL_BYTES_MAX = 128 };

/* The folder, opened, and the seal's name in it. -1: there is no such folder. */
static int open_folder(const char *path, char name[PATH_BYTES]) {
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    if (!slash || !text_copy_n(folder, sizeof folder, path, (size_t)(slash - path) + 1) ||
        !text_format(name, PATH_BYTES, "%s.seal", slash + 1))
        return -1;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool write_seal(char *out, size_t size, const char *path, uint64_t seal) {
    struct stat file;
    return stat(path, &file) == 0 &&
           text_format(out, size, "%016" PRIx64 " %llu %lld.%09ld", seal,
                       (unsigned long long)file.st_ino, (long long)file.st_ctim.tv_sec,
                       file.st_ctim.tv_nsec);
}

/* What a text says of the file that lies there now; 0: it is another's. */
static uint64_t read_seal(const char *text, const char *path) {
    char wanted[SEAL_BYTES_MAX];
    uint64_t seal = strtoull(text, NULL, 16);
    return write_seal(wanted, sizeof wanted, path, seal) && strcmp(text, wanted) == 0 ? seal : 0;
}

uint64_t seal_break(const char *path) {
    char file[PATH_BYTES], name[PATH_BYTES];
    char *text = NULL;
    size_t length = 0;
    struct error ignored;
    uint64_t seal = 0;
    CLEANUP(close_fd) int folder_fd = open_folder(path, name);
    if (folder_fd < 0 || !text_format(file, sizeof file, "%s.seal", path))
        return 0;
    if (files_read_whole(file, SEAL_BYTES_MAX, &text, &length, &ignored))
        seal = read_seal(text, path);
    free(text);
    /* One that cannot be taken away may be older than what comes now. */
    bool gone = unlinkat(folder_fd, name, 0) == 0;
    return gone && fsync(folder_fd) == 0 ? seal : 0;
}

bool seal_put(const char *path, uint64_t seal) {
    char name[PATH_BYTES], text[SEAL_BYTES_MAX];
    struct error ignored;
    CLEANUP(close_fd) int folder_fd = open_folder(path, name);
    return folder_fd >= 0 && write_seal(text, sizeof text, path, seal) &&
           files_replace(folder_fd, name, text, strlen(text), 0600, &ignored);
}
