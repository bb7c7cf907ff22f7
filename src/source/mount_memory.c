// SPDX-License-Identifier: MIT
#include "source/mount_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"

enum { FILE_BYTES_MAX = 4096 };

static const char contents[] = "symgate-mount 1\n";

void mount_memory_init(struct mount_memory *memory, const char *state_directory,
                       uint64_t fingerprint) {
    *memory = (struct mount_memory){.directory = memory_text(state_directory)};
    pthread_mutex_init(&memory->lock, NULL);
    text_format(memory->name, sizeof memory->name, "mount-%016" PRIx64, fingerprint);
    char path[PATH_MAX];
    CLEANUP(free_block) char *text = NULL;
    size_t length;
    if (!state_directory || !files_join(path, sizeof path, state_directory, memory->name))
        return;
    /* Whatever version wrote it: that it is there says all there is to say. */
    memory->mounted = files_read_whole(path, FILE_BYTES_MAX, &text, &length, NULL);
}

void mount_memory_release(struct mount_memory *memory) {
    pthread_mutex_destroy(&memory->lock);
    free(memory->directory);
}

static bool is_mount_point(int root_fd, bool *out_is) {
    struct statx root;
    if (statx(root_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &root) != 0)
        return false;
    if (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) {
        *out_is = root.stx_attributes & STATX_ATTR_MOUNT_ROOT;
        return true;
    }
    struct statx above;
    if (statx(root_fd, "..", 0, STATX_BASIC_STATS, &above) != 0)
        return false;
    *out_is =
        root.stx_dev_major != above.stx_dev_major || root.stx_dev_minor != above.stx_dev_minor;
    return true;
}

/* What cannot be written is remembered until this process ends. */
static void write_down(const struct mount_memory *memory) {
    CLEANUP(close_fd) int fd = -1;
    if (!memory->directory || !files_open_root(&fd, memory->directory, true, NULL))
        return;
    bool written = files_replace(fd, memory->name, contents, strlen(contents), 0644, NULL);
    (void)written;
}

static void refuse(const struct mount_memory *memory, const char *path, struct error *err) {
    error_set(err, ERROR_UNMOUNTED,
              "directory \"%s\" was a mount point and is none now, not mounted?", path);
    error_hint(err,
               "Mount it; if the files now lie there themselves, delete \"%s\" in the data folder "
               "and restart.",
               memory->name);
}

bool mount_memory_lost(const char *state_directory, uint64_t fingerprint, const char *path,
                       struct error *err) {
    struct mount_memory memory;
    CLEANUP(close_fd) int fd = -1;
    bool mounted;
    mount_memory_init(&memory, state_directory, fingerprint);
    bool lost = memory.mounted && files_open_root(&fd, path, false, NULL) &&
                is_mount_point(fd, &mounted) && !mounted;
    if (lost)
        refuse(&memory, path, err);
    mount_memory_release(&memory);
    return lost;
}

bool mount_memory_check(struct mount_memory *memory, int root_fd, const char *path,
                        struct error *err) {
    bool mounted;
    if (!is_mount_point(root_fd, &mounted))
        return error_os(err, ERROR_UNMOUNTED, errno, "could not look at directory \"%s\"", path);
    bool first_time;
    {
        SCOPED_LOCK(&memory->lock);
        if (memory->mounted && !mounted) {
            refuse(memory, path, err);
            return false;
        }
        first_time = mounted && !memory->mounted;
        memory->mounted = memory->mounted || mounted;
    }
    if (first_time)
        write_down(memory);
    return true;
}
