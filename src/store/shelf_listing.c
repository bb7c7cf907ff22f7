// SPDX-License-Identifier: MIT
#include "store/shelf_listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "symbol/key.h"

enum { TRUST_MS = 2000, IDS_MAX = 100000 };

struct listing {
    struct table_node in_table;
    struct list in_recent;
    int64_t checked_ms;
    struct name_set *set;
    char directory[];
};

void listings_init(struct listings *listings, size_t bytes_max) {
    pthread_mutex_init(&listings->lock, NULL);
    table_init(&listings->table);
    list_init(&listings->recent);
    listings->bytes = 0;
    listings->bytes_max = bytes_max;
}

static size_t bytes_of(const struct listing *listing) {
    return sizeof *listing + strlen(listing->directory) + listing->set->bytes;
}

static void forget(struct listings *listings, struct listing *listing) {
    listings->bytes -= bytes_of(listing);
    table_remove(&listings->table, &listing->in_table);
    list_remove(&listing->in_recent);
    name_set_unref(listing->set);
    free(listing);
}

void listings_release(struct listings *listings) {
    LIST_EACH (node, &listings->recent)
        forget(listings, LIST_ENTRY(node, struct listing, in_recent));
    table_release(&listings->table);
    pthread_mutex_destroy(&listings->lock);
}

static uint64_t hash_of(const char *directory) {
    return hash_bytes(hash_process_key(), directory, strlen(directory));
}

/* With the lock held. */
static struct listing *kept(struct listings *listings, const char *directory) {
    struct table_node *node = table_find(&listings->table, hash_of(directory));
    for (; node; node = table_next(node)) {
        struct listing *listing = TABLE_ENTRY(node, struct listing, in_table);
        if (strcmp(listing->directory, directory) == 0)
            return listing;
    }
    return NULL;
}

/* A kept set that may be used unseen, or that the directory's time (when given) shows to be true.
 */
static struct name_set *trusted(struct listings *listings, const char *directory,
                                const int64_t *modified_ns) {
    SCOPED_LOCK(&listings->lock);
    struct listing *listing = kept(listings, directory);
    if (!listing)
        return NULL;
    int64_t now_ms = clock_ms();
    if (modified_ns && *modified_ns == listing->set->modified_ns)
        listing->checked_ms = now_ms;
    if (now_ms - listing->checked_ms >= TRUST_MS)
        return NULL;
    list_remove(&listing->in_recent);
    list_push_back(&listings->recent, &listing->in_recent);
    return name_set_ref(listing->set);
}

static void keep(struct listings *listings, const char *directory, struct name_set *set) {
    size_t length = strlen(directory) + 1;
    struct listing *listing = memory_new(sizeof *listing + length);
    memcpy(listing->directory, directory, length);
    listing->set = name_set_ref(set);
    listing->checked_ms = clock_ms();
    SCOPED_LOCK(&listings->lock);
    struct listing *older = kept(listings, directory);
    if (older)
        forget(listings, older);
    table_insert(&listings->table, &listing->in_table, hash_of(directory));
    list_push_back(&listings->recent, &listing->in_recent);
    listings->bytes += bytes_of(listing);
    while (listings->bytes > listings->bytes_max)
        forget(listings, LIST_ENTRY(listings->recent.next, struct listing, in_recent));
}

/* In a directory with a canonical name, canonical identifiers are found by their path. */
static bool not_canonical(const char *id, const void *context) {
    const char *directory = context;
    struct spelling spelling = {0};
    struct symbol_key key;
    if (!text_copy(spelling.name, sizeof spelling.name, directory) ||
        !text_copy(spelling.id, sizeof spelling.id, id) || !symbol_key_make(&spelling, &key, NULL))
        return false;
    return strcmp(key.name, directory) != 0 || strcmp(key.id, id) != 0;
}

static bool every(const char *name, const void *context) {
    (void)name;
    (void)context;
    return true;
}

enum listing_found listings_find(struct listings *listings, int root_fd, const char *directory,
                                 bool cached, struct name_set **out_set) {
    *out_set = trusted(listings, directory, NULL);
    if (*out_set)
        return LISTING_FOUND;
    CLEANUP(close_fd) int fd = -1;
    switch (
        files_open_directory_beneath(root_fd, directory, cached ? FILES_CACHED : 0, &fd, NULL)) {
    case FILE_FOUND:
        break;
    case FILE_COLD:
        return LISTING_COLD;
    case FILE_ABSENT:
    case FILE_FAILED:
        return LISTING_NOTHING;
    }
    int64_t modified_ns = name_set_time(fd);
    *out_set = trusted(listings, directory, &modified_ns);
    if (*out_set)
        return LISTING_FOUND;
    if (cached)
        return LISTING_COLD;
    bool of_files = strchr(directory, '/');
    struct name_choice choice = {of_files ? every : not_canonical, directory, IDS_MAX};
    *out_set = name_set_read(fd, &choice);
    if (!*out_set)
        return LISTING_NOTHING;
    keep(listings, directory, *out_set);
    return LISTING_FOUND;
}
