// SPDX-License-Identifier: MIT
#include "codec/decoder.h"

#include <assert.h>
#include <string.h>

#include "codec/cabinet.h"
#include "codec/feed.h"
#include "codec/gzip.h"
#include "codec/outlet.h"
#include "codec/zip.h"
#include "symbol/content.h"

const struct decoder_limits decoder_default_limits = {
    .plain_max = (uint64_t)64 << 30,
    .ratio_max = UNFOLDED_RATIO,
    .ratio_from = UNFOLDED_FREE_BYTES,
};

static const struct {
    const char *name;
    const char *mark;
    size_t length;
    bool (*run)(struct feed *feed, struct outlet *outlet, struct error *err);
} codings[] = {
    [CODING_NONE] = {"none"},
    [CODING_CABINET] = {"cabinet", "MSCF", 4, cabinet_run},
    [CODING_GZIP] = {"gzip", "\x1f\x8b\x08", 3, gzip_run},
    [CODING_ZIP] = {"zip", "PK\3\4", 4, zip_run},
};

static const size_t coding_count = sizeof codings / sizeof codings[0];

enum coding decoder_recognise(const void *first_bytes, size_t length) {
    for (size_t i = 1; i < coding_count; i++)
        if (length >= codings[i].length &&
            memcmp(first_bytes, codings[i].mark, codings[i].length) == 0)
            return (enum coding)i;
    return CODING_NONE;
}

const char *coding_name(enum coding coding) {
    assert(coding < coding_count);
    return codings[coding].name;
}

/* The input must end where the file in it does. */
static bool at_end(struct feed *feed, struct error *err) {
    if (!feed_fill(feed, 1, err))
        return false;
    return feed_left(feed) == 0 ||
           error_set(err, ERROR_ENCODING, "something follows the %s file", feed->name);
}

enum decoder_end decoder_run(const struct decoder_input *in, struct decoder_sink *out,
                             const struct decoder_limits *limits, struct error *err) {
    assert(in->coding > CODING_NONE && in->coding < coding_count);
    CLEANUP(feed_release) struct feed feed;
    feed_init(&feed, in, coding_name(in->coding));
    struct outlet outlet;
    outlet_init(&outlet, out, limits, &feed);
    if (codings[in->coding].run(&feed, &outlet, err) && at_end(&feed, err))
        return DECODER_WHOLE;
    if (feed.broken)
        return DECODER_BROKEN;
    return outlet.stopped ? DECODER_STOPPED : DECODER_REFUSED;
}
