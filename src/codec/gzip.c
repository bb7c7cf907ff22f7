// SPDX-License-Identifier: MIT
#include "codec/gzip.h"

#include <string.h>

#include "codec/inflater.h"

/* Does another member follow, or the beginning of one? Anything else is left where it is. */
static bool another(struct feed *feed) {
    static const unsigned char mark[] = {0x1f, 0x8b, 8};
    size_t length = feed_left(feed) < sizeof mark ? feed_left(feed) : sizeof mark;
    return length > 0 && memcmp(feed_bytes(feed), mark, length) == 0;
}

bool gzip_run(struct feed *feed, struct outlet *outlet, struct error *err) {
    CLEANUP(inflater_free_at) struct inflater *inflater = inflater_new(INFLATER_GZIP);
    do {
        if (!inflater_run(inflater, feed, outlet, err) ||
            !feed_fill(feed, DECODER_FIRST_BYTES, err))
            return false;
    } while (another(feed));
    return true;
}
