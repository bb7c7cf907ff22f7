// SPDX-License-Identifier: MIT
//
// A ZIP archive (PKWARE's APPNOTE.TXT) read from front to back: local header, data, descriptor
// where the header says so, and then the directory, which must tell of this one file and nothing
// else. The directory is what other programs go by, so it has to agree with what was unfolded.
#include "codec/zip.h"

#include <string.h>

#include "codec/inflater.h"
#include "symbol/content.h"

enum {
    LOCAL_BYTES = 30,
    ENTRY_BYTES = 46,
    END_BYTES = 22,
    END_64_BYTES = 56,
    LOCATOR_BYTES = 20,
    MARK_BYTES = 4,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1 << 0,
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_PATCH = 1 << 5,
    FLAG_STRONG = 1 << 6,
    FLAG_MASKED = 1 << 13,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    DESCRIPTOR_BYTES_MAX = 24,
};

#define ELSEWHERE UINT32_MAX /* the number stands in the ZIP64 field */

/* What a header says of the file: one that comes before it, or the directory. */
struct member {
    unsigned flags;
    unsigned method;
    uint32_t crc;
    uint64_t packed;
    uint64_t plain;
    uint64_t offset; /* of the local header; the directory's only */
};

struct zip {
    struct feed *feed;
    struct outlet *outlet;
    struct member said; /* by the local header */
    struct member came;
    uint64_t directory_at;
    uint64_t directory_64_end_at; /* 0: there is none */
};

static bool refused(struct error *err, const char *reason) {
    return error_set(err, ERROR_ENCODING, "the zip file %s", reason);
}

/* The next number of a ZIP64 field, where the header has left it to that. */
static bool widen(uint64_t *number, const unsigned char **field, size_t *left) {
    if (*number != ELSEWHERE)
        return true;
    if (*left < 8)
        return false;
    *number = little_64(*field);
    *field += 8;
    *left -= 8;
    return true;
}

/* Reads the numbers that did not fit into a header from among its extra fields. */
static bool read_extra(struct member *member, const unsigned char *extra, size_t length) {
    while (length >= 4) {
        size_t size = little_16(extra + 2);
        if (size > length - 4)
            return false;
        const unsigned char *field = extra + 4;
        if (little_16(extra) == EXTRA_ZIP64)
            return widen(&member->plain, &field, &size) && widen(&member->packed, &field, &size) &&
                   widen(&member->offset, &field, &size);
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;
}

/* Name, extra field and comment of a header whose lengths stand at `lengths`. */
static bool read_tail(struct zip *zip, struct member *member, size_t name, size_t extra,
                      struct error *err) {
    if (!feed_skip_to(zip->feed, zip->feed->taken + name, err))
        return false;
    if (extra > FEED_LOOK_MAX)
        return refused(err, "has an extra field of no use");
    const unsigned char *bytes = feed_take(zip->feed, extra, err);
    if (!bytes)
        return false;
    return read_extra(member, bytes, extra) || refused(err, "has a damaged extra field");
}

static bool read_local(struct zip *zip, struct error *err) {
    const unsigned char *head = feed_take(zip->feed, LOCAL_BYTES, err);
    if (!head)
        return false;
    struct member *said = &zip->said;
    *said = (struct member){
        .flags = little_16(head + 6),
        .method = little_16(head + 8),
        .crc = little_32(head + 14),
        .packed = little_32(head + 18),
        .plain = little_32(head + 22),
    };
    size_t name = little_16(head + 26);
    if (!read_tail(zip, said, name, little_16(head + 28), err))
        return false;
    if (said->flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED))
        return refused(err, "is encrypted");
    if (said->flags & FLAG_PATCH)
        return refused(err, "is a patch");
    if (said->method != METHOD_STORED && said->method != METHOD_DEFLATED)
        return error_set(err, ERROR_ENCODING,
                         "the zip file is compressed with method %u, neither stored nor deflated",
                         said->method);
    if (said->flags & FLAG_DESCRIPTOR && said->method == METHOD_STORED && said->packed == 0)
        return refused(err, "is stored without saying where its data ends");
    return said->flags & FLAG_DESCRIPTOR || outlet_announce(zip->outlet, said->plain, err);
}

static bool copy_stored(struct zip *zip, struct error *err) {
    struct feed *feed = zip->feed;
    uint64_t left = zip->said.packed;
    if (left != zip->said.plain)
        return refused(err, "is stored with two sizes");
    while (left > 0) {
        if (!feed_fill(feed, 1, err))
            return false;
        size_t some = feed_left(feed) < left ? feed_left(feed) : (size_t)left;
        if (some == 0)
            return feed_cut(feed, err);
        const unsigned char *bytes = feed_bytes(feed);
        feed_took(feed, some);
        left -= some;
        zip->came.crc = (uint32_t)crc32(zip->came.crc, bytes, (uInt)some);
        if (!outlet_write(zip->outlet, bytes, some, err))
            return false;
    }
    return true;
}

static bool unfold(struct zip *zip, struct error *err) {
    uint64_t from = zip->feed->taken;
    if (zip->said.method == METHOD_STORED) {
        if (!copy_stored(zip, err))
            return false;
    } else {
        CLEANUP(inflater_free_at) struct inflater *inflater = inflater_new(INFLATER_BARE);
        if (!inflater_run(inflater, zip->feed, zip->outlet, err))
            return false;
        zip->came.crc = inflater->crc;
    }
    zip->came.packed = zip->feed->taken - from;
    zip->came.plain = zip->outlet->written;
    return true;
}

static size_t put(unsigned char *bytes, uint64_t number, size_t length) {
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return length;
}

/* Takes the descriptor, which has a mark or none and sizes of 4 or 8 bytes, as its writer liked:
   whichever says what came. */
static bool take_descriptor(struct zip *zip, struct error *err) {
    if (!feed_fill(zip->feed, DESCRIPTOR_BYTES_MAX, err))
        return false;
    for (unsigned kind = 0; kind < 4; kind++) {
        unsigned char expected[DESCRIPTOR_BYTES_MAX];
        size_t width = kind & 1 ? 4 : 8;
        size_t length = kind & 2 ? 0 : put(expected, 0x08074b50, MARK_BYTES);
        length += put(expected + length, zip->came.crc, 4);
        length += put(expected + length, zip->came.packed, width);
        length += put(expected + length, zip->came.plain, width);
        if (feed_left(zip->feed) < length || memcmp(feed_bytes(zip->feed), expected, length) != 0)
            continue;
        feed_took(zip->feed, length);
        return true;
    }
    if (feed_left(zip->feed) < DESCRIPTOR_BYTES_MAX)
        return feed_cut(zip->feed, err);
    return refused(err, "is damaged: its check sum or sizes are others");
}

/* Does what a header says fit to what came? */
static bool agrees(const struct zip *zip, const struct member *said, struct error *err) {
    const struct member *came = &zip->came;
    if (said->crc != came->crc)
        return refused(err, "is damaged: its check sum is another");
    return (said->packed == came->packed && said->plain == came->plain) ||
           refused(err, "is damaged: its sizes are others");
}

/* --- what follows the data --- */

/* Takes a record with this mark, and so many bytes of it. */
static const unsigned char *take_record(struct zip *zip, const char *mark, size_t length,
                                        struct error *err) {
    if (!feed_fill(zip->feed, MARK_BYTES, err))
        return NULL;
    if (feed_left(zip->feed) >= MARK_BYTES &&
        memcmp(feed_bytes(zip->feed), mark, MARK_BYTES) != 0) {
        if (memcmp(feed_bytes(zip->feed), "PK\3\4", MARK_BYTES) == 0 ||
            memcmp(feed_bytes(zip->feed), "PK\1\2", MARK_BYTES) == 0)
            refused(err, "holds several files");
        else
            refused(err, "has something else where its directory should be");
        return NULL;
    }
    return feed_take(zip->feed, length, err);
}

static bool read_entry(struct zip *zip, struct error *err) {
    zip->directory_at = zip->feed->taken;
    const unsigned char *entry = take_record(zip, "PK\1\2", ENTRY_BYTES, err);
    if (!entry)
        return false;
    struct member said = {
        .method = little_16(entry + 10),
        .crc = little_32(entry + 16),
        .packed = little_32(entry + 20),
        .plain = little_32(entry + 24),
        .offset = little_32(entry + 42),
    };
    size_t name = little_16(entry + 28);
    size_t comment = little_16(entry + 32);
    if (!read_tail(zip, &said, name, little_16(entry + 30), err) || !agrees(zip, &said, err))
        return false;
    if (said.offset != 0 || said.method != zip->said.method)
        return refused(err, "has a directory that tells of another file");
    return feed_skip_to(zip->feed, zip->feed->taken + comment, err);
}

/* The ZIP64 records, where there are any. */
static bool read_end_64(struct zip *zip, struct error *err) {
    if (!feed_fill(zip->feed, MARK_BYTES, err))
        return false;
    if (feed_left(zip->feed) < MARK_BYTES ||
        memcmp(feed_bytes(zip->feed), "PK\6\6", MARK_BYTES) != 0)
        return true;
    zip->directory_64_end_at = zip->feed->taken;
    const unsigned char *end = feed_take(zip->feed, END_64_BYTES, err);
    if (!end)
        return false;
    if (little_64(end + 4) != END_64_BYTES - 12 || little_64(end + 24) != 1 ||
        little_64(end + 32) != 1)
        return refused(err, "has a directory of several files, or one of a kind unknown");
    if (little_64(end + 48) != zip->directory_at)
        return refused(err, "has its directory elsewhere");
    const unsigned char *locator = take_record(zip, "PK\6\7", LOCATOR_BYTES, err);
    if (!locator)
        return false;
    return little_64(locator + 8) == zip->directory_64_end_at ||
           refused(err, "has its directory elsewhere");
}

static bool read_end(struct zip *zip, struct error *err) {
    uint64_t size = zip->feed->taken - zip->directory_at;
    if (!read_end_64(zip, err))
        return false;
    bool wide = zip->directory_64_end_at > 0;
    const unsigned char *end = take_record(zip, "PK\5\6", END_BYTES, err);
    if (!end)
        return false;
    unsigned entries = little_16(end + 10);
    if (entries != 1 && !(wide && entries == UINT16_MAX))
        return error_set(err, ERROR_ENCODING, "the zip file says it holds %u files", entries);
    bool sized = little_32(end + 12) == size || (wide && little_32(end + 12) == ELSEWHERE);
    bool placed =
        little_32(end + 16) == zip->directory_at || (wide && little_32(end + 16) == ELSEWHERE);
    if (!sized || !placed)
        return refused(err, "has its directory elsewhere");
    return feed_skip_to(zip->feed, zip->feed->taken + little_16(end + 20), err);
}

bool zip_run(struct feed *feed, struct outlet *outlet, struct error *err) {
    struct zip zip = {.feed = feed, .outlet = outlet};
    if (!read_local(&zip, err) || !unfold(&zip, err) || !outlet_end(outlet, err))
        return false;
    if (zip.said.flags & FLAG_DESCRIPTOR) {
        if (!take_descriptor(&zip, err))
            return false;
    } else if (!agrees(&zip, &zip.said, err)) {
        return false;
    }
    return read_entry(&zip, err) && read_end(&zip, err);
}
