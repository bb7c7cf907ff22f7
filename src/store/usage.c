// SPDX-License-Identifier: MIT
#include "store/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "store/cache.h"

enum {
    END_MS = 1000,   /* so long a thread is waited for that hangs in a disk */
    DEPTH_MAX = 8,   /* tier, name, id, file, and some for trees of others */
    STEP_FILES = 64, /* so many are looked at between two rests … */
    REST_MS = 5,     /* … which leaves most of the disk's time to others */
    WALKS_MAX = 4,   /* after which it is believed, whatever was removed meanwhile */
    QUIET_TRIES = 100,
    QUIET_RESTS = 4, /* longer than a tick of the file system's clock */
};

struct usage {
    struct shelf *shelves[CACHE_SHELVES_MAX];
    unsigned count;
    _Atomic int64_t found; /* bytes that lay there at the start, as far as that is known */
    _Atomic bool counting;
    pthread_mutex_t lock; /* guards stop and ended */
    pthread_cond_t changed;
    bool stop, ended;
    /* The thread's own: */
    int64_t started_ns; /* the walk */
    int64_t base;       /* growth at that moment */
    uint64_t gone;      /* bytes that had gone by then, or a little before */
    int64_t walked;     /* bytes of files of before it */
    bool first;
    unsigned seen;
};

/* True: it is time to end. */
static bool rest(struct usage *usage) {
    SCOPED_LOCK(&usage->lock);
    int64_t until_ms = clock_ms() + REST_MS;
    while (!usage->stop && condition_wait(&usage->changed, &usage->lock, until_ms))
        ;
    return usage->stop;
}

static bool walk(struct usage *usage, int directory_fd, unsigned depth);

static int64_t came_ns(const struct stat *file) {
    return (int64_t)file->st_ctim.tv_sec * 1000000000 + file->st_ctim.tv_nsec;
}

/* What is known of the first walk is told as it goes. */
static void add(struct usage *usage, int64_t bytes) {
    usage->walked += bytes;
    if (usage->first)
        atomic_fetch_add(&usage->found, bytes);
}

/* Files that came after the start have been added by their shelf: a rename sets the change time. */
static bool look_at(struct usage *usage, int directory_fd, const struct dirent *entry,
                    unsigned depth) {
    struct stat file;
    if (++usage->seen % STEP_FILES == 0 && rest(usage))
        return false;
    if (fstatat(directory_fd, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    if (S_ISREG(file.st_mode) && came_ns(&file) < usage->started_ns)
        add(usage, file.st_size);
    if (!S_ISDIR(file.st_mode) || depth == DEPTH_MAX)
        return true;
    int fd = openat(directory_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 || walk(usage, fd, depth + 1);
}

/* Takes the descriptor. False: it is time to end. */
static bool walk(struct usage *usage, int directory_fd, unsigned depth) {
    DIR *directory = fdopendir(directory_fd);
    bool goes_on = true;
    if (!directory) {
        close(directory_fd);
        return true;
    }
    for (struct dirent *entry; goes_on && (entry = readdir(directory));)
        if (entry->d_name[0] != '.') /* symgate's own things too: no key begins so */
            goes_on = look_at(usage, directory_fd, entry, depth);
    closedir(directory);
    return goes_on;
}

static int64_t growth(const struct usage *usage) {
    int64_t bytes = 0;
    for (unsigned i = 0; i < usage->count; i++)
        bytes += shelf_growth(usage->shelves[i]);
    return bytes;
}

static uint64_t gone(const struct usage *usage) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < usage->count; i++)
        bytes += shelf_gone(usage->shelves[i]);
    return bytes;
}

/* The next walk begins at a moment around which nothing came or went, so that each file is either
   older, or part of the growth. */
static void begin_again(struct usage *usage) {
    bool quiet = false;
    for (unsigned tries = 0; !quiet && tries < QUIET_TRIES; tries++) {
        usage->base = growth(usage);
        usage->started_ns = clock_wall_ns();
        bool ends = false;
        for (unsigned i = 0; !ends && i < QUIET_RESTS; i++)
            ends = rest(usage);
        quiet = ends || growth(usage) == usage->base;
    }
    usage->walked = 0;
}

static bool walk_all(struct usage *usage) {
    bool goes_on = true;
    for (unsigned i = 0; goes_on && i < usage->count; i++) {
        int fd = open(shelf_path(usage->shelves[i]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        goes_on = fd < 0 || walk(usage, fd, 0);
    }
    return goes_on;
}

/* Whether a file that was removed meanwhile had been walked over already, nobody knows: then all
   are counted once more. */
static void *run(void *context) {
    struct usage *usage = context;
    bool goes_on = walk_all(usage);
    for (unsigned walks = 1; goes_on && walks < WALKS_MAX && gone(usage) != usage->gone; walks++) {
        usage->first = false;
        usage->gone = gone(usage);
        begin_again(usage);
        goes_on = walk_all(usage);
        if (goes_on)
            usage->found = usage->walked - usage->base;
    }
    usage->counting = !goes_on;
    SCOPED_LOCK(&usage->lock);
    usage->ended = true;
    pthread_cond_broadcast(&usage->changed);
    return NULL;
}

static bool is_known(const struct usage *usage, const struct shelf *shelf) {
    for (unsigned i = 0; i < usage->count; i++)
        if (usage->shelves[i] == shelf)
            return true;
    return false;
}

struct usage *usage_new(struct shelf *const *shelves, unsigned count, struct error *err) {
    struct usage *usage = NEW(struct usage);
    for (unsigned i = 0; i < count; i++)
        if (shelves[i] && !is_known(usage, shelves[i]))
            usage->shelves[usage->count++] = shelves[i];
    usage->started_ns = clock_wall_ns();
    usage->counting = true;
    usage->first = true;
    usage->gone = gone(usage);
    pthread_mutex_init(&usage->lock, NULL);
    condition_init(&usage->changed);
    if (thread_start_detached("usage", run, usage, err))
        return usage;
    free(usage);
    return NULL;
}

void usage_free(struct usage *usage) {
    if (!usage)
        return;
    lock_take(&usage->lock);
    usage->stop = true;
    pthread_cond_broadcast(&usage->changed);
    int64_t deadline_ms = clock_ms() + END_MS;
    while (!usage->ended && condition_wait(&usage->changed, &usage->lock, deadline_ms))
        ;
    bool ended = usage->ended;
    lock_give(&usage->lock);
    if (!ended)
        return; /* it still uses what it has */
    pthread_cond_destroy(&usage->changed);
    pthread_mutex_destroy(&usage->lock);
    free(usage);
}

void usage_glance(const struct usage *usage, struct usage_view *out_view) {
    int64_t bytes = usage->found + growth(usage);
    *out_view = (struct usage_view){
        .bytes = bytes > 0 ? (uint64_t)bytes : 0,
        .counting = usage->counting,
    };
}

void usage_look(struct usage *usage, struct usage_view *out_view) {
    usage_glance(usage, out_view);
    if (usage->count > 0 && !shelf_hangs(usage->shelves[0]))
        out_view->usable =
            shelf_space(usage->shelves[0], &out_view->free, &out_view->size, &out_view->low);
}
