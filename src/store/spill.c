// SPDX-License-Identifier: MIT
#include "store/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/numbers.h"

enum { PLACES = 2, AVOID_MS = 10000 };

struct place {
    char *path;                 /* NULL: no such place */
    _Atomic int64_t avoided_ms; /* not used before this time */
};

struct spill {
    struct place places[PLACES];
    uint64_t bytes_max;
    _Atomic uint64_t charged;
    atomic_uint references;
};

struct spill *spill_new(const char *data_path, uint64_t bytes_max) {
    struct spill *spill = NEW(struct spill);
    const char *temporary = getenv("TMPDIR");
    spill->places[0].path = memory_text(data_path);
    spill->places[1].path = memory_text(temporary && *temporary ? temporary : "/tmp");
    spill->bytes_max = bytes_max;
    spill->references = 1;
    return spill;
}

struct spill *spill_ref(struct spill *spill) {
    atomic_fetch_add_explicit(&spill->references, 1, memory_order_relaxed);
    return spill;
}

void spill_free(struct spill *spill) {
    if (!spill || atomic_fetch_sub_explicit(&spill->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < PLACES; i++)
        free(spill->places[i].path);
    free(spill);
}

/* Some file systems (NFS, older overlays) know no O_TMPFILE. */
static int open_named(const char *path) {
    char name[4096];
    if (!files_join(name, sizeof name, path, "symgate-spill-XXXXXX"))
        return -1;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

static int open_in(const char *path) {
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : open_named(path);
}

static bool has_room(const struct spill *spill, int fd) {
    uint64_t free_bytes;
    uint64_t total_bytes;
    if (!files_space(fd, &free_bytes, &total_bytes, NULL))
        return false;
    const uint64_t wanted = 64U << 20;
    return free_bytes >= (spill->bytes_max < wanted ? spill->bytes_max : wanted);
}

static bool open_place(struct spill *spill, struct place *place, int *out_fd) {
    if (!place->path || clock_ms() < atomic_load(&place->avoided_ms))
        return false;
    CLEANUP(close_fd) int fd = open_in(place->path);
    if (fd < 0 || !has_room(spill, fd))
        return false;
    *out_fd = TAKE_FD(fd);
    return true;
}

bool spill_open(struct spill *spill, int *out_fd, struct error *err) {
    for (unsigned i = 0; i < PLACES; i++)
        if (open_place(spill, &spill->places[i], out_fd))
            return true;
    int fd = memfd_create("symgate-spill", MFD_CLOEXEC);
    if (fd < 0)
        return error_os(err, ERROR_DISK, errno, "no place for a spill file");
    *out_fd = fd;
    return true;
}

void spill_avoid(struct spill *spill, int fd) {
    struct stat file;
    struct stat folder;
    if (fstat(fd, &file) != 0)
        return;
    for (unsigned i = 0; i < PLACES; i++) {
        struct place *place = &spill->places[i];
        if (place->path && stat(place->path, &folder) == 0 && folder.st_dev == file.st_dev)
            atomic_store(&place->avoided_ms, clock_ms() + AVOID_MS);
    }
}

bool spill_charge(struct spill *spill, uint64_t bytes, struct error *err) {
    uint64_t before = atomic_fetch_add(&spill->charged, bytes);
    if (before <= spill->bytes_max && bytes <= spill->bytes_max - before)
        return true;
    atomic_fetch_sub(&spill->charged, bytes);
    char limit[32];
    number_format_size(limit, sizeof limit, spill->bytes_max);
    error_set(err, ERROR_DISK, "no room: the limit of %s for spilled symbols is reached", limit);
    return error_hint(err, "Make room on the cache's disk, or raise general.spillLimit.");
}

void spill_discharge(struct spill *spill, uint64_t bytes) {
    atomic_fetch_sub(&spill->charged, bytes);
}

uint64_t spill_charged(const struct spill *spill) {
    return atomic_load(&spill->charged);
}
