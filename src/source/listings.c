// SPDX-License-Identifier: MIT
#include "source/listings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"

enum { SLOTS = 16 };

#define FRESH_NS 2000000000L /* file systems keep times as coarsely as this */

struct entry {
    uint64_t hash; /* of the folded name */
    size_t name;   /* where it stands among the names */
};

/* The names of one directory. Read-only once made. */
struct listing {
    unsigned references; /* guarded by the lock of the listings */
    struct stat directory;
    struct buffer names;   /* each with its NUL */
    struct buffer entries; /* struct entry, by hash */
};

struct listings {
    pthread_mutex_t lock;         /* guards all below */
    struct listing *slots[SLOTS]; /* the one used last first */
    size_t bytes_max;
    unsigned read;
};

struct listings *folder_listings_new(size_t bytes_max) {
    struct listings *listings = NEW(struct listings);
    pthread_mutex_init(&listings->lock, NULL);
    listings->bytes_max = bytes_max;
    return listings;
}

static void listing_free(struct listing *listing) {
    buffer_release(&listing->names);
    buffer_release(&listing->entries);
    free(listing);
}

static void unref_locked(struct listing *listing) {
    if (listing && --listing->references == 0)
        listing_free(listing);
}

void folder_listings_free(struct listings *listings) {
    if (!listings)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        unref_locked(listings->slots[i]);
    pthread_mutex_destroy(&listings->lock);
    free(listings);
}

unsigned folder_listings_read(struct listings *listings) {
    SCOPED_LOCK(&listings->lock);
    return listings->read;
}

static uint64_t folded_hash(const char *name) {
    char folded[LISTING_NAME_BYTES];
    text_copy(folded, sizeof folded, name);
    text_fold(folded);
    return hash_bytes(hash_process_key(), folded, strlen(folded));
}

static void match(struct listing_matches *matches, const char *found, const char *name) {
    if (matches->count < LISTING_MATCHES_MAX && text_same(found, name))
        text_copy(matches->names[matches->count++], LISTING_NAME_BYTES, found);
}

static size_t listing_bytes(const struct listing *listing) {
    return listing->names.capacity + listing->entries.capacity;
}

static int by_hash(const void *a, const void *b) {
    const struct entry *left = a;
    const struct entry *right = b;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

static void look_in(const struct listing *listing, const char *name,
                    struct listing_matches *out_matches) {
    const struct entry *entries = (const void *)listing->entries.bytes;
    size_t count = listing->entries.length / sizeof *entries;
    uint64_t hash = folded_hash(name);
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && entries[low].hash == hash; low++)
        match(out_matches, listing->names.bytes + entries[low].name, name);
}

/* Moves slot i to the front. */
static void use(struct listings *listings, unsigned i) {
    struct listing *listing = listings->slots[i];
    memmove(listings->slots + 1, listings->slots, i * sizeof(struct listing *));
    listings->slots[0] = listing;
}

static bool same_directory(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool same_time(const struct stat *a, const struct stat *b) {
    return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A reference to what is known of a directory as it is now, or NULL. */
static struct listing *known(struct listings *listings, const struct stat *directory) {
    SCOPED_LOCK(&listings->lock);
    for (unsigned i = 0; i < SLOTS && listings->slots[i]; i++) {
        struct listing *listing = listings->slots[i];
        if (!same_directory(&listing->directory, directory) ||
            !same_time(&listing->directory, directory))
            continue;
        use(listings, i);
        listing->references++;
        return listing;
    }
    return NULL;
}

static void close_directory(DIR **directory) {
    if (*directory)
        closedir(*directory);
}

static void add(struct listing *listing, const char *name) {
    struct entry entry = {.hash = folded_hash(name), .name = listing->names.length};
    /* Too many: what matched counts, and nothing is kept. */
    if (!buffer_append(&listing->names, name, strlen(name) + 1))
        listing->entries.failed = true;
    buffer_append(&listing->entries, &entry, sizeof entry);
}

/* Reads a directory, matching as it goes. */
static bool read_names(int directory_fd, const char *name, struct listing *listing,
                       struct listing_matches *out_matches, struct error *err) {
    CLEANUP(close_fd) int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_directory) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return error_os(err, ERROR_DISK, errno, "could not read a directory for \"%s\"", name);
    fd = -1;
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(directory);
        if (!found)
            break;
        match(out_matches, found->d_name, name);
        add(listing, found->d_name);
    }
    if (errno != 0)
        return error_os(err, ERROR_DISK, errno, "could not read a directory for \"%s\"", name);
    return true;
}

/* May a listing be kept: has it all names, and would the directory's time show the next change? */
static bool keepable(const struct listing *listing) {
    const struct timespec *changed = &listing->directory.st_mtim;
    int64_t changed_ns = (int64_t)changed->tv_sec * 1000000000 + changed->tv_nsec;
    return !listing->entries.failed && clock_wall_ns() - changed_ns > FRESH_NS;
}

/* Forgets older listings of the same directory, and those used longest ago until there is room. */
static void make_room(struct listings *listings, const struct listing *newcomer) {
    size_t bytes = listing_bytes(newcomer);
    unsigned kept = 0;
    for (unsigned i = 0; i < SLOTS && listings->slots[i]; i++) {
        struct listing *listing = listings->slots[i];
        listings->slots[i] = NULL;
        bytes += listing_bytes(listing);
        bool fits = bytes <= listings->bytes_max && kept < SLOTS - 1;
        if (fits && !same_directory(&listing->directory, &newcomer->directory)) {
            listings->slots[kept++] = listing;
            continue;
        }
        bytes -= listing_bytes(listing);
        unref_locked(listing);
    }
}

static void keep(struct listings *listings, struct listing *listing) {
    qsort(listing->entries.bytes, listing->entries.length / sizeof(struct entry),
          sizeof(struct entry), by_hash);
    SCOPED_LOCK(&listings->lock);
    make_room(listings, listing);
    memmove(listings->slots + 1, listings->slots, (SLOTS - 1) * sizeof(struct listing *));
    listings->slots[0] = listing;
}

/* Reads a directory for one look-up and keeps what it read, where it may. */
static bool read_anew(struct listings *listings, int directory_fd, const struct stat *as_it_is,
                      const char *name, struct listing_matches *out_matches, struct error *err) {
    struct listing *listing = NEW(struct listing);
    listing->references = 1;
    listing->directory = *as_it_is;
    buffer_init(&listing->names, listings->bytes_max / 2);
    buffer_init(&listing->entries, listings->bytes_max / 2);
    bool well = read_names(directory_fd, name, listing, out_matches, err);
    if (well && keepable(listing))
        keep(listings, listing);
    else
        listing_free(listing);
    return well;
}

bool folder_listings_find(struct listings *listings, int directory_fd, const char *name,
                          struct listing_matches *out_matches, struct error *err) {
    struct stat directory;
    out_matches->count = 0;
    if (fstat(directory_fd, &directory) != 0)
        return error_os(err, ERROR_DISK, errno, "could not look at a directory for \"%s\"", name);
    struct listing *listing = known(listings, &directory);
    if (listing) {
        look_in(listing, name, out_matches);
        SCOPED_LOCK(&listings->lock);
        unref_locked(listing);
        return true;
    }
    {
        SCOPED_LOCK(&listings->lock);
        listings->read++;
    }
    return read_anew(listings, directory_fd, &directory, name, out_matches, err);
}
