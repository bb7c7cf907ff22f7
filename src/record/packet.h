// SPDX-License-Identifier: MIT
//
// An outcome with its attempts as one block of bytes, each text with its NUL behind the numbers:
// how outcomes wait and are kept, since most of their texts are short.
#pragma once

#include "record/outcome.h"

/* What packing needs to know, found once. */
struct packet_size {
    size_t bytes; /* of the whole, a multiple of 8 */
    size_t texts[sizeof(struct outcome_texts) / sizeof(char *)];
};

/* How large the packet of an outcome is. */
void packet_measure(const struct outcome *outcome, const struct attempt_note *notes,
                    struct packet_size *out_size);

/* Writes it; `out` is aligned to 8 bytes. */
void packet_write(char *out, const struct packet_size *size, const struct outcome *outcome,
                  const struct attempt_note *notes);

/* How many bytes the packet has that begins here. */
size_t packet_bytes(const char *packet);

/* Reads it: texts point into the packet; OUTCOME_NOTES_MAX notes have room. */
void packet_read(const char *packet, struct outcome *out, struct attempt_note *out_notes);

/* Its request id alone. */
const char *packet_id(const char *packet);
