// SPDX-License-Identifier: MIT
//
// What is refused goes to the quarantine.
#include "proxy/delivery.h"
#include "proxy/quarantine.h"

/* The first bytes of one that is gone on with lie in the copy's file. */
static size_t find_first(struct delivery *delivery) {
    size_t length = sizeof delivery->first;
    if (delivery->content.start == 0)
        return delivery->came < length ? (size_t)delivery->came : length;
    if (delivery->content.start < length)
        length = (size_t)delivery->content.start;
    return staging_read(delivery->fetch->staging, delivery->first, length, 0, NULL) ? length : 0;
}

void delivery_refuse(struct delivery *delivery, const struct error *why) {
    const struct fetch *fetch = delivery->fetch;
    if (why->kind == ERROR_DISK)
        return;
    struct refusal refusal = {
        .key = &fetch->question->key,
        .server = fetch->source->options.identifier,
        .url = fetch->note->url,
        .why = why,
        .size = delivery->content.start + delivery->came,
        .first = delivery->first,
        .first_length = find_first(delivery),
    };
    quarantine_add(fetch->quarantine, &refusal);
}
