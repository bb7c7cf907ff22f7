// SPDX-License-Identifier: MIT
#include "store/vetting.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"

enum {
    ROW =
        8, /* marks that have the same place, the newest first: one line of the processor's cache */
    QUIET_MS = 2000, /* a file that was written to within that may not be all there */
};

static const uint64_t good_bit = 1;

struct row {
    _Atomic uint64_t marks[ROW]; /* 0: none */
};

struct vetting {
    vetting_verify *verify;
    struct row *rows;
    size_t row_count; /* a power of two */
    struct vetting_counters counters;
};

struct vetting *vetting_new(vetting_verify *verify, size_t marks) {
    struct vetting *vetting = NEW(struct vetting);
    vetting->verify = verify;
    vetting->row_count = 1;
    while (vetting->row_count * ROW < marks)
        vetting->row_count *= 2;
    /* Zeroed by the kernel, and taken as it fills. */
    vetting->rows = NEW_ARRAY(struct row, vetting->row_count);
    return vetting;
}

void vetting_free(struct vetting *vetting) {
    if (!vetting)
        return;
    free(vetting->rows);
    free(vetting);
}

/* The file's mark, for a good one; a false one's lacks the bit. */
static uint64_t mark_of(const struct symbol_key *key, const struct shelf_found *found) {
    const uint64_t told[] = {found->device, found->inode, found->size, (uint64_t)found->modified_ns,
                             key->hash};
    return hash_bytes(hash_process_key(), told, sizeof told) | good_bit;
}

static struct row *row_of(const struct vetting *vetting, uint64_t mark) {
    return &vetting->rows[mark >> 8 & (vetting->row_count - 1)];
}

enum vetted vetting_find(const struct vetting *vetting, const struct symbol_key *key,
                         const struct shelf_found *found) {
    uint64_t mark = mark_of(key, found);
    const struct row *row = row_of(vetting, mark);
    for (unsigned i = 0; i < ROW; i++) {
        uint64_t other = atomic_load_explicit(&row->marks[i], memory_order_relaxed);
        if ((other | good_bit) == mark)
            return other == mark ? VETTED_GOOD : VETTED_FALSE;
    }
    return VETTED_UNKNOWN;
}

static void remember(struct vetting *vetting, uint64_t mark) {
    struct row *row = row_of(vetting, mark);
    for (unsigned i = 0; i < ROW && mark; i++)
        mark = atomic_exchange_explicit(&row->marks[i], mark, memory_order_relaxed);
}

void vetting_pass(struct vetting *vetting, const struct symbol_key *key,
                  const struct shelf_found *found) {
    if (vetting_find(vetting, key, found) != VETTED_GOOD)
        remember(vetting, mark_of(key, found));
}

static bool may_be_written_still(const struct shelf_found *found) {
    int64_t age_ns = clock_wall_ns() - found->modified_ns;
    return age_ns >= 0 && age_ns < QUIET_MS * 1000000LL;
}

bool vetting_check(struct vetting *vetting, const struct symbol_key *key,
                   const struct shelf_found *found, const char *root) {
    struct error why = {0};
    count(&vetting->counters.checked);
    if (vetting->verify(key, found->fd, found->size, &why)) {
        vetting_pass(vetting, key, found);
        return true;
    }
    if (why.kind == ERROR_DISK || may_be_written_still(found))
        return false;
    remember(vetting, mark_of(key, found) & ~good_bit);
    count(&vetting->counters.false_files);
    log_warning("\"%s/%s\" is not what its name says, and is left out: %s", root, found->path,
                why.what);
    return false;
}

const struct vetting_counters *vetting_counters(const struct vetting *vetting) {
    static const struct vetting_counters none;
    return vetting ? &vetting->counters : &none;
}
