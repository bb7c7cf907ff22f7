// SPDX-License-Identifier: MIT
#include "base/listings.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/table.h"

struct listing {
    struct table_node in_table;
    struct list in_recent;
    int64_t checked_ms;
    struct name_set *set;
    char directory[];
};

struct listings {
    struct listings_options options; /* set at creation, then read-only */
    pthread_mutex_t lock;            /* guards all below */
    struct table table;              /* by directory */
    struct list recent;              /* used last at the end */
    size_t bytes;
    unsigned reads;
};

struct listings *listings_new(const struct listings_options *options) {
    struct listings *listings = NEW(struct listings);
    listings->options = *options;
    pthread_mutex_init(&listings->lock, NULL);
    table_init(&listings->table);
    list_init(&listings->recent);
    return listings;
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

void listings_free(struct listings *listings) {
    if (!listings)
        return;
    LIST_EACH (node, &listings->recent)
        forget(listings, LIST_ENTRY(node, struct listing, in_recent));
    table_release(&listings->table);
    pthread_mutex_destroy(&listings->lock);
    free(listings);
}

unsigned listings_reads(struct listings *listings) {
    SCOPED_LOCK(&listings->lock);
    return listings->reads;
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

/* What is kept of a directory that was looked at just now. */
static struct name_set *trusted(struct listings *listings, const char *directory) {
    SCOPED_LOCK(&listings->lock);
    struct listing *listing = kept(listings, directory);
    if (!listing || clock_ms() - listing->checked_ms >= listings->options.trust_ms)
        return NULL;
    list_remove(&listing->in_recent);
    list_push_back(&listings->recent, &listing->in_recent);
    return name_set_ref(listing->set);
}

/* What is kept of a directory, if that is true still. */
static struct name_set *current(struct listings *listings, const char *directory, int fd,
                                bool cached) {
    CLEANUP(name_set_unref_at) struct name_set *set = NULL;
    {
        SCOPED_LOCK(&listings->lock);
        struct listing *listing = kept(listings, directory);
        if (listing)
            set = name_set_ref(listing->set);
    }
    if (!set || !name_set_current(set, fd, cached))
        return NULL;
    SCOPED_LOCK(&listings->lock);
    struct listing *listing = kept(listings, directory);
    if (listing && listing->set == set) {
        listing->checked_ms = clock_ms();
        list_remove(&listing->in_recent);
        list_push_back(&listings->recent, &listing->in_recent);
    }
    return TAKE(set);
}

/* Is a set worth keeping for the next look? */
static bool keepable(const struct listings *listings, const struct name_set *set,
                     const struct listings_place *place) {
    return (!set->cut || !place->name) && (set->modified_ns >= 0 || listings->options.trust_ms > 0);
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
    while (listings->bytes > listings->options.bytes_max)
        forget(listings, LIST_ENTRY(listings->recent.next, struct listing, in_recent));
}

static struct name_set *read_anew(struct listings *listings, const struct listings_place *place,
                                  int fd, struct error *err) {
    struct name_choice choice = {.wanted = listings->options.wanted,
                                 .context = place->directory,
                                 .bytes_max = listings->options.bytes_max / 2,
                                 .always = place->name};
    {
        SCOPED_LOCK(&listings->lock);
        listings->reads++;
    }
    struct name_set *set = name_set_read(fd, &choice, err);
    if (set && keepable(listings, set, place))
        keep(listings, place->directory, set);
    return set;
}

enum file_found listings_find(struct listings *listings, const struct listings_place *place,
                              struct name_set **out_set, struct error *err) {
    *out_set = trusted(listings, place->directory);
    if (*out_set)
        return FILE_FOUND;
    CLEANUP(close_fd) int fd = -1;
    enum file_found found = files_open_directory_beneath(place->root_fd, place->directory,
                                                         place->files_flags, &fd, err);
    if (found != FILE_FOUND)
        return found;
    *out_set = current(listings, place->directory, fd, place->cached);
    if (*out_set)
        return FILE_FOUND;
    if (place->cached)
        return FILE_COLD;
    *out_set = read_anew(listings, place, fd, err);
    return *out_set ? FILE_FOUND : FILE_FAILED;
}
