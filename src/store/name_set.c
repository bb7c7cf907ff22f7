// SPDX-License-Identifier: MIT
#include "store/name_set.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

enum { FOLDED_BYTES = 256, TEXT_BYTES_MAX = 64 << 20, SETTLED_NS = 1000000000 };

struct name_set *name_set_ref(struct name_set *set) {
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void name_set_unref(struct name_set *set) {
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    free(set->entries);
    free(set->text);
    free(set);
}

void name_set_unref_at(struct name_set **set) {
    name_set_unref(*set);
}

int64_t name_set_time(int directory_fd) {
    struct statx found;
    if (statx(directory_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MTIME, &found) != 0)
        return 0;
    return found.stx_mtime.tv_sec * 1000000000LL + found.stx_mtime.tv_nsec;
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

struct name_set *name_set_read(int directory_fd, const struct name_choice *choice) {
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_directory) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        close_fd(&fd);
        return NULL;
    }
    struct name_set *set = NEW(struct name_set);
    set->references = 1;
    set->modified_ns = name_set_time(directory_fd);
    if (clock_wall_ns() - set->modified_ns < SETTLED_NS)
        set->modified_ns = -1;
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    struct dirent *entry;
    while (!set->cut && (entry = readdir(directory))) {
        const char *name = entry->d_name;
        if (name[0] == '.' || !choice->wanted(name, choice->context))
            continue;
        set->cut = set->count >= choice->names_max || !buffer_append(&text, name, strlen(name) + 1);
        if (!set->cut)
            set->count++;
    }
    finish(set, &text);
    return set;
}

const char *name_set_find(const struct name_set *set, const char *name, unsigned n) {
    if (set->count == 0)
        return NULL;
    uint64_t hash = folded_hash(name);
    uint32_t low = 0;
    for (uint32_t high = set->count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (set->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < set->count && set->entries[low].hash == hash; low++) {
        const char *found = set->text + set->entries[low].at;
        if (text_same(found, name) && n-- == 0)
            return found;
    }
    return NULL;
}
