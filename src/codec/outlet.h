// SPDX-License-Identifier: MIT
//
// What decoders write to: the sink behind the limits. It knows whether the sink failed, so that
// this is never mistaken for a bad file.
#pragma once

#include "codec/feed.h"

struct outlet {
    struct decoder_sink *sink;
    const struct decoder_limits *limits;
    const struct feed *feed; /* what the ratio is measured by, and the name for messages */
    uint64_t announced;      /* or SIZE_UNKNOWN */
    uint64_t written;
    bool stopped; /* the sink failed, or memory was out; err says so */
};

/* Everything but counters is the caller's. */
void outlet_init(struct outlet *outlet, struct decoder_sink *sink,
                 const struct decoder_limits *limits, const struct feed *feed);

/* Tells the plain size before the first write; false with err: too large, or the sink does not want
 * it. From here on no more than that is written. */
bool outlet_announce(struct outlet *outlet, uint64_t size, struct error *err) MUST_CHECK;

/* Pushes plain bytes that came out of what was taken from the feed. */
bool outlet_write(struct outlet *outlet, const void *bytes, size_t length,
                  struct error *err) MUST_CHECK;

/* Has all come that was announced? */
bool outlet_end(const struct outlet *outlet, struct error *err) MUST_CHECK;

/* Fills err for memory that is out; false. */
bool outlet_no_memory(struct outlet *outlet, struct error *err);
