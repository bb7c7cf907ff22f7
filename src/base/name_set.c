// SPDX-License-Identifier: MIT
#include "base/name_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

enum { FOLDED_BYTES = 256, ALWAYS_BYTES_MAX = 64 << 10 };

static const int64_t settled_ns = 2000000000;

struct name_set *name_set_ref(struct name_set *set) {
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void name_set_unref(struct name_set *set) {
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    free(set->entries);
    free(set->text);
    free(set->others);
    free(set);
}

void name_set_unref_at(struct name_set **set) {
    name_set_unref(*set);
}

/* Fills what says of which directory a set is, and when it was last changed. */
static bool mark(struct name_set *set, int directory_fd, bool cached) {
    struct statx found;
    int sync = cached ? AT_STATX_DONT_SYNC : AT_STATX_SYNC_AS_STAT;
    if (statx(directory_fd, "", AT_EMPTY_PATH | sync, STATX_MTIME | STATX_INO, &found) != 0)
        return false;
    set->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    set->inode = found.stx_ino;
    set->modified_ns = found.stx_mtime.tv_sec * 1000000000LL + found.stx_mtime.tv_nsec;
    return true;
}

bool name_set_current(const struct name_set *set, int directory_fd, bool cached) {
    struct name_set now;
    return mark(&now, directory_fd, cached) && now.device == set->device &&
           now.inode == set->inode && now.modified_ns == set->modified_ns;
}

static uint64_t folded_hash(const char *name) {
    char folded[FOLDED_BYTES];
    text_copy(folded, sizeof folded, name);
    text_fold(folded);
    return hash_bytes(hash_process_key(), folded, strlen(folded));
}

static void close_directory(DIR **directory) {
    if (*directory)
        closedir(*directory);
}

static int by_hash(const void *a, const void *b) {
    const struct name_entry *first = a;
    const struct name_entry *second = b;
    return (first->hash > second->hash) - (first->hash < second->hash);
}

static uint32_t other_hash(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

static int by_number(const void *a, const void *b) {
    const uint32_t *first = a;
    const uint32_t *second = b;
    return (*first > *second) - (*first < *second);
}

static void finish_others(struct name_set *set, const struct buffer *others) {
    set->others_known = !set->cut && !others->failed;
    if (!set->others_known || others->length == 0)
        return;
    set->other_count = (uint32_t)(others->length / sizeof *set->others);
    set->others = NEW_ARRAY(uint32_t, set->other_count);
    memcpy(set->others, others->bytes, others->length);
    qsort(set->others, set->other_count, sizeof *set->others, by_number);
    set->bytes += others->length;
}

static void finish(struct name_set *set, const struct buffer *text) {
    set->text = NEW_ARRAY(char, text->length + 1);
    if (text->length)
        memcpy(set->text, text->bytes, text->length);
    set->entries = NEW_ARRAY(struct name_entry, set->count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        set->entries[i] = (struct name_entry){folded_hash(set->text + at), at};
        at += (uint32_t)strlen(set->text + at) + 1;
    }
    qsort(set->entries, set->count, sizeof *set->entries, by_hash);
    set->bytes = sizeof *set + text->length + set->count * sizeof *set->entries;
}

static DIR *open_directory(int directory_fd) {
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        close_fd(&fd);
    return directory;
}

static void count_other(const char *name, struct buffer *others) {
    uint32_t hash = other_hash(folded_hash(name));
    buffer_append(others, &hash, sizeof hash);
}

/* Keeps a name if it is wanted and there is room, or always. */
static void consider(struct name_set *set, const struct name_choice *choice, const char *name,
                     struct buffer *text, struct buffer *others) {
    if (name[0] == '.')
        return;
    if (choice->wanted && !choice->wanted(name, choice->context)) {
        if (choice->count_others)
            count_other(name, others);
        return;
    }
    size_t length = strlen(name) + 1;
    size_t bytes = text->length + length + (set->count + 1) * sizeof *set->entries;
    bool fits = bytes <= choice->bytes_max || (choice->always && text_same(name, choice->always));
    if (fits && buffer_append(text, name, length))
        set->count++;
    else
        set->cut = true;
}

/* Reads to the end; without a name that is always wanted, no further than the set may grow. */
static bool read_names(DIR *directory, struct name_set *set, const struct name_choice *choice,
                       struct buffer *text, struct buffer *others) {
    while (!set->cut || choice->always) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return errno == 0;
        consider(set, choice, entry->d_name, text, others);
    }
    return true;
}

struct name_set *name_set_read(int directory_fd, const struct name_choice *choice,
                               struct error *err) {
    CLEANUP(close_directory) DIR *directory = open_directory(directory_fd);
    CLEANUP(name_set_unref_at) struct name_set *set = NEW(struct name_set);
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(buffer_release) struct buffer others;
    set->references = 1;
    buffer_init(&text, choice->bytes_max + ALWAYS_BYTES_MAX);
    buffer_init(&others, choice->bytes_max);
    /* Its time first: what changes while it is read makes it untrue. */
    if (!directory || !mark(set, directory_fd, false)) {
        error_os(err, ERROR_DISK, errno, "could not open a directory to read it");
        return NULL;
    }
    if (clock_wall_ns() - set->modified_ns < settled_ns)
        set->modified_ns = -1;
    if (!read_names(directory, set, choice, &text, &others)) {
        error_os(err, ERROR_DISK, errno, "could not read a directory");
        return NULL;
    }
    finish(set, &text);
    if (choice->count_others)
        finish_others(set, &others);
    return TAKE(set);
}

/* The first entry that may have this hash. */
static uint32_t first_entry(const struct name_set *set, uint64_t hash) {
    uint32_t low = 0;
    for (uint32_t high = set->count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (set->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool name_set_lacks(const struct name_set *set, const char *name) {
    if (!set->others_known)
        return false;
    uint64_t hash = folded_hash(name);
    uint32_t other = other_hash(hash);
    uint32_t entry = first_entry(set, hash);
    bool wanted = entry < set->count && set->entries[entry].hash == hash;
    return !wanted && (set->other_count == 0 ||
                       !bsearch(&other, set->others, set->other_count, sizeof other, by_number));
}

const char *name_set_find(const struct name_set *set, const char *name, unsigned n) {
    if (set->count == 0)
        return NULL;
    uint64_t hash = folded_hash(name);
    uint32_t low = first_entry(set, hash);
    for (; low < set->count && set->entries[low].hash == hash; low++) {
        const char *found = set->text + set->entries[low].at;
        if (text_same(found, name) && n-- == 0)
            return found;
    }
    return NULL;
}
