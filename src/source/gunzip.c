// SPDX-License-Identifier: MIT
#include "source/gunzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/memory.h"
#include "symbol/content.h"

enum { INPUT_BYTES = 64 * 1024, WINDOW_GZIP = 15 + 16 };

struct gunzip {
    struct reader *input;
    z_stream stream;
    bool between; /* before the first member, or behind one */
    bool input_ended;
    bool more; /* the last output filled all the room there was */
    uint64_t taken;
    uint64_t given;
    Bytef bytes[INPUT_BYTES];
};

struct gunzip *gunzip_new(struct reader *input) {
    struct gunzip *gunzip = NEW(struct gunzip);
    gunzip->input = input;
    gunzip->between = true;
    if (inflateInit2(&gunzip->stream, WINDOW_GZIP) != Z_OK)
        abort(); /* out of memory for 40 KiB */
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip) {
    if (!gunzip)
        return;
    inflateEnd(&gunzip->stream);
    free(gunzip);
}

bool gunzip_ready(struct gunzip *gunzip) {
    return gunzip->more || gunzip->stream.avail_in > 0 || reader_ready(gunzip->input);
}

/* Sees to it that there is input, or that its end is known. */
static bool refill(struct gunzip *gunzip, struct error *err) {
    if (gunzip->stream.avail_in > 0 || gunzip->input_ended)
        return true;
    ssize_t got = reader_read(gunzip->input, gunzip->bytes, sizeof gunzip->bytes, err);
    if (got < 0)
        return false;
    gunzip->input_ended = got == 0;
    gunzip->taken += (uint64_t)got;
    gunzip->stream.next_in = gunzip->bytes;
    gunzip->stream.avail_in = (uInt)got;
    return true;
}

/* One step: the bytes that came out of it, which may be none. */
static ssize_t step(struct gunzip *gunzip, void *bytes, size_t length, struct error *err) {
    z_stream *stream = &gunzip->stream;
    uInt room = length < UINT_MAX ? (uInt)length : UINT_MAX;
    stream->next_out = bytes;
    stream->avail_out = room;
    int rc = inflate(stream, Z_NO_FLUSH);
    gunzip->between = rc == Z_STREAM_END;
    gunzip->more = stream->avail_out == 0 && rc != Z_STREAM_END;
    if (rc == Z_STREAM_END)
        inflateReset(stream);
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return (ssize_t)(room - stream->avail_out);
    error_set(err, ERROR_ENCODING, "the body is no proper gzip: %s",
              stream->msg ? stream->msg : "damaged");
    return -1;
}

static bool is_bomb(const struct gunzip *gunzip) {
    return gunzip->given > UNFOLDED_FREE_BYTES && gunzip->given / UNFOLDED_RATIO > gunzip->taken;
}

ssize_t gunzip_read(struct gunzip *gunzip, void *bytes, size_t length, struct error *err) {
    for (;;) {
        if (!gunzip->more && !refill(gunzip, err))
            return -1;
        bool dry = gunzip->stream.avail_in == 0 && gunzip->input_ended && !gunzip->more;
        if (dry && gunzip->between)
            return 0;
        if (dry) {
            error_set(err, ERROR_LENGTH, "the body's gzip stream is cut off");
            return -1;
        }
        ssize_t got = step(gunzip, bytes, length, err);
        gunzip->given += got > 0 ? (uint64_t)got : 0;
        if (is_bomb(gunzip)) {
            error_set(err, ERROR_ENCODING, "the body's gzip stream is a bomb");
            return -1;
        }
        if (got != 0)
            return got;
    }
}
