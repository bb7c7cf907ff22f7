// SPDX-License-Identifier: MIT
#include "store/shelf_inside.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/shelf_place.h"
#include "store/vetting.h"

enum {
    THREADS_MAX = 8,
    QUEUE_MAX = 12000, /* more than there may be searches */
    RETRY_MS = 2000,
    HANG_MS = 1000,
};

struct shelf *shelf_new(const struct shelf_options *options, struct error *err) {
    struct shelf *shelf = NEW(struct shelf);
    shelf->path = memory_text(options->path);
    shelf->options = *options;
    shelf->options.path = shelf->path;
    shelf->pool = pool_new("shelf", THREADS_MAX, QUEUE_MAX);
    pthread_mutex_init(&shelf->lock, NULL);
    shelf->listings = shelf_listings_new();
    struct error why;
    if (!shelf_root_open(shelf->path, options->read_only, &shelf->root, &why)) {
        if (why.kind == ERROR_BUSY) {
            if (err)
                *err = why;
            shelf_free(shelf);
            return NULL;
        }
        log_failure(LOG_WARNING, "symbols are delivered but not kept", &why);
        shelf->complained = true;
    }
    shelf->retry_ms = clock_ms() + RETRY_MS;
    return shelf;
}

void shelf_free(struct shelf *shelf) {
    if (!shelf)
        return;
    pool_free(shelf->pool);
    listings_free(shelf->listings);
    name_set_unref(shelf->index);
    shelf_root_unref(shelf->root);
    pthread_mutex_destroy(&shelf->lock);
    free(shelf->path);
    free(shelf);
}

struct shelf_root *shelf_take_root(struct shelf *shelf) {
    SCOPED_LOCK(&shelf->lock);
    return shelf->root ? shelf_root_ref(shelf->root) : NULL;
}

bool shelf_refresh_due(struct shelf *shelf) {
    SCOPED_LOCK(&shelf->lock);
    return clock_ms() >= shelf->retry_ms;
}

static bool claim_refresh(struct shelf *shelf) {
    SCOPED_LOCK(&shelf->lock);
    int64_t now_ms = clock_ms();
    if (now_ms < shelf->retry_ms)
        return false;
    shelf->retry_ms = now_ms + RETRY_MS;
    return true;
}

/* Puts another root in the old one's place; true when the shelf's state is to be told. */
static bool use_root(struct shelf *shelf, struct shelf_root *root, bool usable) {
    struct shelf_root *old_root;
    struct name_set *old_index = NULL;
    bool tell;
    {
        SCOPED_LOCK(&shelf->lock);
        old_root = shelf->root;
        shelf->root = root;
        old_index = TAKE(shelf->index);
        shelf->index_build_ms = 0;
        shelf->index_true_ms = 0;
        tell = shelf->complained == usable;
        shelf->complained = !usable;
    }
    shelf_root_unref(old_root);
    name_set_unref(old_index);
    return tell;
}

static bool in_order(const struct shelf *shelf, const struct shelf_root *root) {
    return root && (root->staging_fd >= 0 || shelf->options.read_only) &&
           shelf_root_current(root, shelf->path);
}

void shelf_refresh(struct shelf *shelf) {
    if (!claim_refresh(shelf))
        return;
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    if (in_order(shelf, root))
        return;
    struct error why;
    struct shelf_root *next;
    bool usable = shelf_root_open(shelf->path, shelf->options.read_only, &next, &why);
    if (!use_root(shelf, next, usable))
        return;
    if (usable)
        log_info("the cache \"%s\" can be used again", shelf->path);
    else
        log_failure(LOG_WARNING, "symbols are delivered but not kept", &why);
}

void shelf_place(struct shelf *shelf, const struct symbol_key *key, char out[LAYOUT_PATH_BYTES]) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    shelf_place_write(key, root && root->two_tier, out);
}

void shelf_vouch(struct shelf *shelf, const struct symbol_key *key,
                 const struct shelf_found *found) {
    struct shelf_found plain = *found;
    plain.form = FORM_PLAIN;
    if (shelf->options.vetting)
        vetting_pass(shelf->options.vetting, key, &plain);
}

struct pool *shelf_pool(struct shelf *shelf) {
    return shelf->pool;
}

bool shelf_hangs(struct shelf *shelf) {
    return pool_hangs(shelf->pool, HANG_MS);
}

const char *shelf_path(const struct shelf *shelf) {
    return shelf->path;
}

bool shelf_quick(struct shelf *shelf) {
    SCOPED_LOCK(&shelf->lock);
    return shelf->root && shelf->root->quick;
}
