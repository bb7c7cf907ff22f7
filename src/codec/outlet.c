// SPDX-License-Identifier: MIT
#include "codec/outlet.h"

#include <errno.h>
#include <inttypes.h>

#include "base/numbers.h"
#include "symbol/content.h"

void outlet_init(struct outlet *outlet, struct decoder_sink *sink,
                 const struct decoder_limits *limits, const struct feed *feed) {
    *outlet =
        (struct outlet){.sink = sink, .limits = limits, .feed = feed, .announced = SIZE_UNKNOWN};
}

static bool too_large(const struct outlet *outlet, struct error *err) {
    char size[32];
    number_format_size(size, sizeof size, outlet->limits->plain_max);
    return error_set(err, ERROR_ENCODING, "the %s file unfolds to more than %s", outlet->feed->name,
                     size);
}

bool outlet_announce(struct outlet *outlet, uint64_t size, struct error *err) {
    if (size > outlet->limits->plain_max)
        return too_large(outlet, err);
    outlet->announced = size;
    if (!outlet->sink->announce || outlet->sink->announce(outlet->sink, size, err))
        return true;
    outlet->stopped = true;
    return false;
}

/* May so much come out of what was taken? */
static bool allowed(const struct outlet *outlet, uint64_t total, struct error *err) {
    if (outlet->announced != SIZE_UNKNOWN && total > outlet->announced)
        return error_set(err, ERROR_ENCODING,
                         "the %s file unfolds to more than the %" PRIu64 " bytes it claims",
                         outlet->feed->name, outlet->announced);
    if (total > outlet->limits->plain_max)
        return too_large(outlet, err);
    if (total <= outlet->limits->ratio_from ||
        total / outlet->limits->ratio_max <= outlet->feed->taken)
        return true;
    return error_set(err, ERROR_ENCODING,
                     "the %s file is a bomb: %" PRIu64 " bytes unfold to more than %" PRIu32
                     " times as many",
                     outlet->feed->name, outlet->feed->taken, outlet->limits->ratio_max);
}

bool outlet_write(struct outlet *outlet, const void *bytes, size_t length, struct error *err) {
    if (length == 0)
        return true;
    if (!allowed(outlet, outlet->written + length, err))
        return false;
    outlet->written += length;
    if (outlet->sink->write(outlet->sink, bytes, length, feed_more(outlet->feed), err))
        return true;
    outlet->stopped = true;
    return false;
}

bool outlet_end(const struct outlet *outlet, struct error *err) {
    if (outlet->announced == SIZE_UNKNOWN || outlet->written == outlet->announced)
        return true;
    return error_set(err, ERROR_ENCODING,
                     "the %s file unfolds to %" PRIu64 " bytes where it claims %" PRIu64,
                     outlet->feed->name, outlet->written, outlet->announced);
}

bool outlet_no_memory(struct outlet *outlet, struct error *err) {
    outlet->stopped = true;
    return error_os(err, ERROR_SYSTEM, ENOMEM, "could not unfold the %s file", outlet->feed->name);
}
