// SPDX-License-Identifier: MIT
#include "record/recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/memory.h"
#include "record/packet.h"

enum { BLOCK_BYTES = 128 * 1024, IN_BLOCK_MAX = 512, BLOCKS_MAX = RECENT_BYTES_MAX / BLOCK_BYTES };

struct block {
    struct list in_recent;
    uint64_t first; /* number of its first packet, counted from the start */
    unsigned count;
    size_t used;
    uint32_t at[IN_BLOCK_MAX];
    char *bytes;
};

struct recent {
    unsigned outcomes_max;
    pthread_mutex_t lock; /* guards what follows */
    struct list blocks;   /* the oldest first */
    unsigned block_count;
    uint64_t added;
};

struct recent *recent_new(unsigned outcomes_max) {
    struct recent *recent = NEW(struct recent);
    recent->outcomes_max = outcomes_max;
    pthread_mutex_init(&recent->lock, NULL);
    list_init(&recent->blocks);
    return recent;
}

static void block_free(struct recent *recent, struct block *block) {
    list_remove(&block->in_recent);
    recent->block_count--;
    free(block->bytes);
    free(block);
}

void recent_free(struct recent *recent) {
    if (!recent)
        return;
    LIST_EACH (node, &recent->blocks)
        block_free(recent, LIST_ENTRY(node, struct block, in_recent));
    pthread_mutex_destroy(&recent->lock);
    free(recent);
}

static struct block *oldest(struct recent *recent) {
    return LIST_ENTRY(recent->blocks.next, struct block, in_recent);
}

static bool has_room(const struct recent *recent, size_t bytes) {
    if (list_empty(&recent->blocks))
        return false;
    const struct block *newest = LIST_ENTRY(recent->blocks.previous, struct block, in_recent);
    return newest->used + bytes <= BLOCK_BYTES && newest->count < IN_BLOCK_MAX;
}

static void add_block(struct recent *recent) {
    struct block *block = NEW(struct block);
    block->bytes = memory_new(BLOCK_BYTES);
    block->first = recent->added;
    list_push_back(&recent->blocks, &block->in_recent);
    recent->block_count++;
}

void recent_add(struct recent *recent, const char *packet) {
    if (recent->outcomes_max == 0)
        return;
    size_t bytes = packet_bytes(packet);
    SCOPED_LOCK(&recent->lock);
    if (!has_room(recent, bytes))
        add_block(recent);
    struct block *block = LIST_ENTRY(recent->blocks.previous, struct block, in_recent);
    memcpy(block->bytes + block->used, packet, bytes);
    block->at[block->count++] = (uint32_t)block->used;
    block->used += bytes;
    recent->added++;
    struct block *first = oldest(recent);
    if (recent->added - (first->first + first->count) >= recent->outcomes_max ||
        recent->block_count > BLOCKS_MAX)
        block_free(recent, first);
}

/* A copy of a packet; the caller frees. */
static char *copy_of(const struct block *block, unsigned index) {
    const char *packet = block->bytes + block->at[index];
    size_t bytes = packet_bytes(packet);
    return memcpy(memory_new(bytes), packet, bytes);
}

static char *copy_by_id(struct recent *recent, const char *id) {
    SCOPED_LOCK(&recent->lock);
    for (struct list *node = recent->blocks.previous; node != &recent->blocks;
         node = node->previous) {
        const struct block *block = LIST_ENTRY(node, struct block, in_recent);
        for (unsigned i = block->count; i-- > 0;)
            if (strcmp(packet_id(block->bytes + block->at[i]), id) == 0)
                return copy_of(block, i);
    }
    return NULL;
}

/* The newest packet that came before the one with this number; NULL when there is none. */
static char *copy_before(struct recent *recent, uint64_t *number) {
    SCOPED_LOCK(&recent->lock);
    if (*number > recent->added)
        *number = recent->added;
    for (struct list *node = recent->blocks.previous; node != &recent->blocks;
         node = node->previous) {
        const struct block *block = LIST_ENTRY(node, struct block, in_recent);
        if (*number <= block->first)
            continue;
        (*number)--;
        return copy_of(block, (unsigned)(*number - block->first));
    }
    return NULL;
}

static bool show_packet(const char *packet, outcome_show *show, void *context) {
    struct outcome outcome;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    packet_read(packet, &outcome, notes);
    return show(&outcome, notes, context);
}

bool recent_find(struct recent *recent, const char *id, outcome_show *show, void *context) {
    CLEANUP(free_block) char *packet = copy_by_id(recent, id);
    if (packet)
        show_packet(packet, show, context);
    return packet != NULL;
}

void recent_each(struct recent *recent, unsigned count_max, outcome_show *show, void *context) {
    uint64_t number = UINT64_MAX;
    for (unsigned shown = 0; shown < count_max; shown++) {
        CLEANUP(free_block) char *packet = copy_before(recent, &number);
        if (!packet || !show_packet(packet, show, context))
            return;
    }
}
