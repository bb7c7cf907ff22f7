// SPDX-License-Identifier: MIT
//
// A gzip body that comes in pieces; the first byte chooses how small they are. Whatever it unfolds
// to, an end is reached.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/gunzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct pieces {
    struct reader reader;
    const uint8_t *bytes;
    size_t left;
    size_t piece;
};

static ssize_t pieces_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    (void)err;
    struct pieces *pieces = (struct pieces *)reader;
    size_t given = length < pieces->piece ? length : pieces->piece;
    if (given > pieces->left)
        given = pieces->left;
    memcpy(bytes, pieces->bytes, given);
    pieces->bytes += given;
    pieces->left -= given;
    return (ssize_t)given;
}

static bool pieces_ready(struct reader *reader) {
    return ((struct pieces *)reader)->left > 0;
}

static const struct reader_ops ops = {.read = pieces_read, .ready = pieces_ready};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length == 0)
        return 0;
    struct pieces pieces = {
        .reader.ops = &ops, .bytes = bytes + 1, .left = length - 1, .piece = bytes[0] % 16U + 1};
    struct gunzip *gunzip = gunzip_new(&pieces.reader);
    char out[256];
    struct error err;
    ssize_t got;
    while ((got = gunzip_read(gunzip, out, sizeof out, &err)) > 0)
        (void)gunzip_ready(gunzip);
    /* An end is told only where the input has one. */
    if (got == 0 && pieces.left > 0)
        abort();
    gunzip_free(gunzip);
    return 0;
}
