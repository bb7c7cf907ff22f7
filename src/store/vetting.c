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

/* What a mark's lowest bits tell. */
static const uint64_t kind_bits = 3;

static uint64_t kind_of(enum vetted vetted) {
    return vetted == VETTED_GOOD ? 1 : vetted == VETTED_PACKED ? 2 : 0;
}

struct row {
    _Atomic uint64_t marks[ROW]; /* 0: none */
};

struct vetting {
    struct vetting_options options;
    struct row *rows;
    size_t row_count; /* a power of two */
    struct vetting_counters counters;
};

struct vetting *vetting_new(const struct vetting_options *options) {
    struct vetting *vetting = NEW(struct vetting);
    vetting->options = *options;
    vetting->row_count = 1;
    while (vetting->row_count * ROW < options->marks)
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

/* The file's mark, without what it tells. */
static uint64_t mark_of(const struct symbol_key *key, const struct shelf_found *found) {
    const uint64_t told[] = {found->device, found->inode,
                             found->size,   (uint64_t)found->modified_ns,
                             key->hash,     (uint64_t)found->form};
    return hash_bytes(hash_process_key(), told, sizeof told) & ~kind_bits;
}

static struct row *row_of(const struct vetting *vetting, uint64_t mark) {
    return &vetting->rows[mark >> 8 & (vetting->row_count - 1)];
}

enum vetted vetting_find(const struct vetting *vetting, const struct symbol_key *key,
                         const struct shelf_found *found) {
    uint64_t mark = mark_of(key, found);
    const struct row *row = row_of(vetting, mark);
    for (unsigned i = 0; i < ROW; i++) { /* the newest first */
        uint64_t other = atomic_load_explicit(&row->marks[i], memory_order_relaxed);
        for (enum vetted kind = VETTED_GOOD; kind <= VETTED_FALSE; kind++)
            if (other == (mark | kind_of(kind)))
                return kind;
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
        remember(vetting, mark_of(key, found) | kind_of(VETTED_GOOD));
}

static bool may_be_written_still(const struct shelf_found *found) {
    int64_t age_ns = clock_wall_ns() - found->modified_ns;
    return age_ns >= 0 && age_ns < QUIET_MS * 1000000LL;
}

void vetting_condemn(struct vetting *vetting, const struct symbol_key *key,
                     const struct shelf_found *found, const char *root, const char *why) {
    if (vetting_find(vetting, key, found) == VETTED_FALSE)
        return;
    remember(vetting, mark_of(key, found) | kind_of(VETTED_FALSE));
    count(&vetting->counters.false_files);
    log_warning("\"%s/%s\" is not what its name says, and is left out: %s", root, found->path, why);
}

enum vetted vetting_check(struct vetting *vetting, const struct symbol_key *key,
                          const struct shelf_found *found, const char *root) {
    struct error why = {0};
    count(&vetting->counters.checked);
    enum vetted vetted = vetting->options.verify(vetting->options.context, key, found, &why);
    if (vetted == VETTED_FALSE && (why.kind == ERROR_DISK || may_be_written_still(found)))
        return VETTED_UNKNOWN;
    if (vetted == VETTED_FALSE)
        vetting_condemn(vetting, key, found, root, why.what);
    else
        remember(vetting, mark_of(key, found) | kind_of(vetted));
    return vetted;
}

const struct vetting_counters *vetting_counters(const struct vetting *vetting) {
    static const struct vetting_counters none;
    return vetting ? &vetting->counters : &none;
}
