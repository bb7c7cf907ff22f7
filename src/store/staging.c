// SPDX-License-Identifier: MIT
#include "store/staging.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/memory.h"
#include "store/shelf_stage.h"
#include "symbol/content.h"

enum {
    SEGMENTS_MAX = 3, /* one on the shelf and two spilled */
    RESERVE_FROM_BYTES = 1 << 16,
    ROOM_EVERY_BYTES =
        64 << 20, /* how often a body of unknown size looks at what is left of the disk */
};

struct segment {
    int fd;
    uint64_t start; /* the first byte that lies in it, at offset 0 of the file */
};

struct staging {
    struct shelf *shelf;
    struct spill *spill;
    struct shelf_file file; /* on the shelf; its descriptor is segment 0's */
    uint64_t size;          /* as announced */
    uint64_t charged;       /* writer's: bytes in spill files */
    uint64_t room_looked;   /* writer's: length at which the shelf's room was looked at last */
    bool reserved;          /* writer's */
    bool committed;         /* writer's */
    struct error why;       /* writer's: why it lies not, or not only, on the shelf */
    struct segment segments[SEGMENTS_MAX];
    atomic_uint count;       /* published after its segment is set */
    _Atomic uint64_t length; /* published after its bytes are written */
};

static void add_segment(struct staging *staging, int fd) {
    unsigned n = atomic_load_explicit(&staging->count, memory_order_relaxed);
    assert(n < SEGMENTS_MAX);
    staging->segments[n] = (struct segment){fd, staging_length(staging)};
    atomic_store_explicit(&staging->count, n + 1, memory_order_release);
}

static bool spilling(const struct staging *staging) {
    unsigned n = atomic_load_explicit(&staging->count, memory_order_relaxed);
    return n > 0 && staging->segments[n - 1].fd != staging->file.fd;
}

/* Goes on in a spill file. */
static bool go_on_spilled(struct staging *staging, struct error *err) {
    unsigned n = atomic_load_explicit(&staging->count, memory_order_relaxed);
    if (n >= (staging->file.root ? SEGMENTS_MAX : SEGMENTS_MAX - 1))
        return error_set(err, ERROR_DISK, "no place is left to spill to: %s", staging->why.what);
    int fd;
    if (!spill_open(staging->spill, &fd, err))
        return false;
    add_segment(staging, fd);
    return true;
}

static bool begin_on_shelf(struct staging *staging, struct error *err) {
    struct shelf *shelf = staging->shelf;
    if (!shelf)
        return error_set(err, ERROR_DISK, "there is no cache to keep it in");
    if (shelf_hangs(shelf))
        return error_set(err, ERROR_DISK, "the cache \"%s\" does not answer", shelf_path(shelf));
    return shelf_stage(shelf, staging->size, &staging->file, err);
}

bool staging_new(struct shelf *shelf, struct spill *spill, uint64_t size,
                 struct staging **out_staging, struct error *err) {
    struct staging *staging = NEW(struct staging);
    staging->shelf = shelf;
    staging->spill = spill_ref(spill);
    staging->size = size;
    staging->file.fd = -1;
    if (begin_on_shelf(staging, &staging->why))
        add_segment(staging, staging->file.fd);
    else if (!go_on_spilled(staging, err)) {
        staging_free(staging);
        return false;
    }
    *out_staging = staging;
    return true;
}

void staging_explain(struct staging *staging, const struct error *why) {
    assert(!staging->shelf);
    staging->why = *why;
}

void staging_free(struct staging *staging) {
    if (!staging)
        return;
    for (unsigned i = 0; i < atomic_load(&staging->count); i++)
        if (staging->segments[i].fd != staging->file.fd)
            close(staging->segments[i].fd);
    shelf_drop(&staging->file);
    spill_discharge(staging->spill, staging->charged);
    spill_free(staging->spill);
    free(staging);
}

/* After the first bytes, because reserving takes a millisecond and the first reader waits. */
static bool reserve(struct staging *staging, struct error *err) {
    uint64_t length = staging_length(staging);
    if (staging->reserved || spilling(staging) || length == 0 || staging->size == SIZE_UNKNOWN)
        return true;
    staging->reserved = true;
    if (staging->size < length + RESERVE_FROM_BYTES)
        return true;
    if (fallocate(staging->file.fd, FALLOC_FL_KEEP_SIZE, (off_t)length,
                  (off_t)(staging->size - length)) == 0 ||
        (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
        return true; /* what cannot be reserved may still be written */
    return error_os(err, ERROR_DISK, errno, "could not reserve space in the cache \"%s\"",
                    shelf_path(staging->shelf));
}

static bool room_left(struct staging *staging, struct error *err) {
    if (spilling(staging) || staging->size != SIZE_UNKNOWN ||
        staging_length(staging) - staging->room_looked < ROOM_EVERY_BYTES)
        return true;
    staging->room_looked = staging_length(staging);
    return shelf_has_room(staging->shelf, staging->file.root, 0, err);
}

static bool write_last(struct staging *staging, const void *bytes, size_t length,
                       struct error *err) {
    unsigned n = atomic_load_explicit(&staging->count, memory_order_relaxed);
    const struct segment *last = &staging->segments[n - 1];
    uint64_t at = staging_length(staging) - last->start;
    return files_write_at(last->fd, bytes, length, at, err);
}

static bool append_on_shelf(struct staging *staging, const void *bytes, size_t length,
                            struct error *err) {
    return reserve(staging, err) && room_left(staging, err) &&
           write_last(staging, bytes, length, err);
}

static bool append_spilled(struct staging *staging, const void *bytes, size_t length,
                           struct error *err) {
    if (!spill_charge(staging->spill, length, err))
        return false;
    staging->charged += length;
    if (!spilling(staging) && !go_on_spilled(staging, err))
        return false;
    while (!write_last(staging, bytes, length, &staging->why)) {
        spill_avoid(staging->spill, staging->segments[atomic_load(&staging->count) - 1].fd);
        if (!go_on_spilled(staging, err))
            return false;
    }
    return true;
}

bool staging_append(struct staging *staging, const void *bytes, size_t length, struct error *err) {
    bool written = !spilling(staging) && append_on_shelf(staging, bytes, length, &staging->why);
    if (!written && !append_spilled(staging, bytes, length, err))
        return false;
    atomic_fetch_add_explicit(&staging->length, length, memory_order_release);
    return true;
}

uint64_t staging_length(const struct staging *staging) {
    return atomic_load_explicit(&staging->length, memory_order_acquire);
}

void staging_at(const struct staging *staging, uint64_t offset, int *out_fd, uint64_t *out_at,
                uint64_t *out_bytes) {
    /* The length first: a segment that it reaches into has been published before it. */
    uint64_t end = staging_length(staging);
    unsigned n = atomic_load_explicit(&staging->count, memory_order_acquire);
    assert(n > 0 && offset < end);
    while (--n > 0 && staging->segments[n].start > offset)
        if (staging->segments[n].start < end)
            end = staging->segments[n].start;
    *out_fd = staging->segments[n].fd;
    *out_at = offset - staging->segments[n].start;
    *out_bytes = end - offset;
}

bool staging_read(const struct staging *staging, void *bytes, size_t length, uint64_t offset,
                  struct error *err) {
    char *to = bytes;
    if (offset > staging_length(staging) || length > staging_length(staging) - offset)
        return error_set(err, ERROR_DISK, "nothing has been written there yet");
    while (length > 0) {
        int fd;
        uint64_t at;
        uint64_t there;
        staging_at(staging, offset, &fd, &at, &there);
        size_t part = there < length ? (size_t)there : length;
        ssize_t got = files_read_at(fd, to, part, at, err);
        if (got < 0)
            return false;
        if ((size_t)got < part)
            return error_set(err, ERROR_DISK, "a file was cut short while it was written");
        to += part;
        offset += part;
        length -= part;
    }
    return true;
}

bool staging_keepable(const struct staging *staging, struct error *out_why) {
    if (!spilling(staging) && !staging->committed)
        return true;
    if (out_why)
        *out_why = staging->why;
    return false;
}

static bool sync_file(const struct staging *staging, int64_t modified_ns, struct error *err) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    times[1].tv_sec = modified_ns / 1000000000;
    times[1].tv_nsec = modified_ns % 1000000000;
    if (futimens(staging->file.fd, times) != 0 || fdatasync(staging->file.fd) != 0)
        return error_os(err, ERROR_DISK, errno, "could not write to the cache \"%s\"",
                        shelf_path(staging->shelf));
    return true;
}

bool staging_commit(struct staging *staging, const char *path, int64_t modified_ns,
                    struct error *err) {
    assert(!staging->committed);
    if (!staging_keepable(staging, err) || !sync_file(staging, modified_ns, err) ||
        !shelf_keep(staging->shelf, &staging->file, path, err))
        return false;
    staging->committed = true;
    return true;
}

struct shelf *staging_shelf(const struct staging *staging) {
    return staging->shelf;
}
