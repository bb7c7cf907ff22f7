// SPDX-License-Identifier: MIT
#include "codec/inflater.h"

#include "base/memory.h"

struct inflater *inflater_new(enum inflater_form form) {
    struct inflater *inflater = NEW(struct inflater);
    inflater->form = form;
    if (inflateInit2(&inflater->stream, (int)form) != Z_OK)
        abort(); /* out of memory for 10 KiB */
    return inflater;
}

void inflater_free(struct inflater *inflater) {
    if (!inflater)
        return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

/* Gives zlib what is at hand and pushes what it makes of it. *out_rc is zlib's word. */
static bool step(struct inflater *inflater, struct feed *feed, struct outlet *outlet, int *out_rc,
                 struct error *err) {
    z_stream *stream = &inflater->stream;
    uInt given = (uInt)feed_left(feed);
    stream->next_in = (z_const Bytef *)feed_bytes(feed);
    stream->avail_in = given;
    stream->next_out = inflater->bytes;
    stream->avail_out = sizeof inflater->bytes;
    int rc = inflate(stream, Z_NO_FLUSH);
    feed_took(feed, given - stream->avail_in);
    if (rc == Z_MEM_ERROR)
        return outlet_no_memory(outlet, err);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return error_set(err, ERROR_ENCODING, "the %s file is damaged: %s", feed->name,
                         stream->msg ? stream->msg : "no proper deflate");
    size_t made = sizeof inflater->bytes - stream->avail_out;
    if (inflater->form == INFLATER_BARE)
        inflater->crc = (uint32_t)crc32(inflater->crc, inflater->bytes, (uInt)made);
    *out_rc = rc;
    return outlet_write(outlet, inflater->bytes, made, err);
}

bool inflater_run(struct inflater *inflater, struct feed *feed, struct outlet *outlet,
                  struct error *err) {
    inflateReset(&inflater->stream);
    inflater->crc = 0;
    bool more = false; /* the last output filled all the room: zlib may hold more without input */
    for (;;) {
        if (!more && !feed_fill(feed, 1, err))
            return false;
        if (!more && feed_left(feed) == 0)
            return feed_cut(feed, err);
        int rc = Z_OK;
        if (!step(inflater, feed, outlet, &rc, err))
            return false;
        if (rc == Z_STREAM_END)
            return true;
        more = inflater->stream.avail_out == 0;
    }
}
