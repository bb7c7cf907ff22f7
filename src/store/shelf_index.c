// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "store/shelf_inside.h"

enum {
    INDEX_BYTES_MAX = 8 << 20,
    INDEX_CHECK_MS = 250,
    INDEX_REST = 50, /* times as long as it took is an index used before it is made again */
};

static bool not_folded(const char *name, const void *context) {
    (void)context;
    for (; *name; name++)
        if (*name >= 'A' && *name <= 'Z')
            return true;
    return false;
}

enum index_state { INDEX_GOOD, INDEX_STALE, INDEX_MISSING };

static enum index_state index_state(struct shelf *shelf, const struct shelf_root *root,
                                    struct name_set **out_index) {
    SCOPED_LOCK(&shelf->lock);
    if (!shelf->index || shelf->root != root)
        return INDEX_MISSING;
    *out_index = name_set_ref(shelf->index);
    int64_t now_ms = clock_ms();
    if (shelf->index_building || now_ms < shelf->index_build_ms || now_ms < shelf->index_check_ms)
        return INDEX_GOOD;
    if (!name_set_current(shelf->index, root->fd, true))
        return INDEX_STALE;
    shelf->index_check_ms = now_ms + INDEX_CHECK_MS;
    return INDEX_GOOD;
}

static bool claim_building(struct shelf *shelf) {
    SCOPED_LOCK(&shelf->lock);
    bool claimed = !shelf->index_building;
    shelf->index_building = true;
    return claimed;
}

/* Makes the index anew; several at once only when there is none at all. */
static struct name_set *build_index(struct shelf *shelf, struct shelf_root *root) {
    int64_t began_ms = clock_ms();
    struct name_choice choice = {
        .wanted = not_folded, .bytes_max = INDEX_BYTES_MAX, .count_others = true};
    struct name_set *index = name_set_read(root->fd, &choice, NULL);
    CLEANUP(name_set_unref_at) struct name_set *older = NULL;
    SCOPED_LOCK(&shelf->lock);
    int64_t now_ms = clock_ms();
    shelf->index_building = false;
    shelf->index_check_ms = now_ms + INDEX_CHECK_MS;
    shelf->index_build_ms = now_ms + INDEX_CHECK_MS + INDEX_REST * (now_ms - began_ms);
    if (index && shelf->root == root) {
        older = shelf->index;
        shelf->index = name_set_ref(index);
        shelf->index_true_ms = 0;
    }
    return index;
}

struct name_set *shelf_index_take(struct shelf *shelf, struct shelf_root *root, bool cached,
                                  bool *cold) {
    struct name_set *index = NULL;
    enum index_state state = index_state(shelf, root, &index);
    if (state == INDEX_GOOD)
        return index;
    if (cached) {
        *cold = true;
        return index;
    }
    if (!claim_building(shelf) && state == INDEX_STALE)
        return index;
    name_set_unref(index);
    return build_index(shelf, root);
}

static bool lacks_tier(const struct name_set *names, const char *name) {
    char tier[LAYOUT_TIER_BYTES];
    layout_tier(name, tier);
    *strrchr(tier, '/') = '\0';
    return name_set_lacks(names, tier);
}

/* Is the index true in this millisecond? Asking the kernel for the root's time is the dearest part
 * of a look. */
static bool index_is_true(struct shelf *shelf, const struct name_set *index, int root_fd) {
    int64_t now_ms = clock_ms();
    if (shelf->index_true_ms == now_ms)
        return true;
    if (!name_set_current(index, root_fd, true))
        return false;
    shelf->index_true_ms = now_ms;
    return true;
}

bool shelf_index_lacks(struct shelf *shelf, struct shelf_root *root, const char *name) {
    if (!root->tells_time)
        return false;
    SCOPED_LOCK(&shelf->lock);
    return shelf->index && shelf->root == root && name_set_lacks(shelf->index, name) &&
           (!root->two_tier || lacks_tier(shelf->index, name)) &&
           index_is_true(shelf, shelf->index, root->fd);
}
