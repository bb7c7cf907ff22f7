// SPDX-License-Identifier: MIT
#include "proxy/choice.h"

#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "proxy/verify.h"

static const char magic[] = {'B', 'S', 'J', 'B'};

static counter held_by_all;

/* Twice the room for what gathers, where there is memory for it. */
static bool hold_more(struct delivery *delivery) {
    size_t more = delivery->capacity;
    if (more * 2 > CHOICE_BYTES_MAX)
        return false;
    uint64_t held = atomic_fetch_add_explicit(&held_by_all, more, memory_order_relaxed) + more;
    char *bytes = held <= CHOICE_ALL_BYTES_MAX ? realloc(delivery->bytes, more * 2) : NULL;
    if (!bytes) {
        atomic_fetch_sub_explicit(&held_by_all, more, memory_order_relaxed);
        return false;
    }
    delivery->bytes = bytes;
    delivery->capacity = more * 2;
    delivery->held += more;
    return true;
}

void choice_release(struct delivery *delivery) {
    atomic_fetch_sub_explicit(&held_by_all, delivery->held, memory_order_relaxed);
    delivery->held = 0;
}

/* What is no portable PDB, or cannot be read as one, is for others to judge. */
static enum choice judge(const struct fetch *fetch, const struct view *view, struct error *err) {
    struct identity identity;
    struct error why;
    if (identify(view, &identity, &why) != IDENTIFY_READ ||
        identity.format != FORMAT_PORTABLE_PDB ||
        checksum_compare(view, &identity, fetch->question->checksums, &why) != CHECKSUM_DIFFERENT)
        return CHOICE_TAKE;
    error_set(err, ERROR_IDENTITY,
              "it is the file of another build: it has none of the client's check sums");
    return CHOICE_ASIDE;
}

enum choice choice_make(struct delivery *delivery, struct error *err) {
    const struct fetch *fetch = delivery->fetch;
    uint64_t size = delivery->content.size;
    if (!fetch->chooses || delivery->filled < sizeof magic ||
        memcmp(delivery->bytes, magic, sizeof magic) != 0 ||
        (size != SIZE_UNKNOWN && size > CHOICE_BYTES_MAX))
        return CHOICE_TAKE;
    if (!delivery->ended) {
        bool room = delivery->filled < delivery->capacity || hold_more(delivery);
        return room ? CHOICE_WAIT : CHOICE_TAKE;
    }
    /* Of another symbol the sum means nothing: that it is none is found out in the end. */
    struct memory_view memory = memory_view_of(delivery->bytes, delivery->filled);
    struct error why;
    if (!verify_view(&fetch->question->key, &memory.view, size != SIZE_UNKNOWN, &why))
        return CHOICE_TAKE;
    return judge(fetch, &memory.view, err);
}

enum choice choice_make_local(const struct fetch *fetch, int fd, uint64_t size, struct error *err) {
    if (!fetch->chooses || size > CHOICE_BYTES_MAX)
        return CHOICE_TAKE;
    struct file_view file = file_view_of(fd, size);
    return judge(fetch, &file.view, err);
}
