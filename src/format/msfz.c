// SPDX-License-Identifier: MIT
#include "format/msfz.h"

#include "format/bytes.h"
#include "format/pdb.h"
#include "format/unpack.h"

enum {
    HEAD_BYTES = 80,
    CHUNK_BYTES = 20,
    CHUNKS_BATCH = 128,              /* entries of the chunk table that are read at once */
    CHUNKS_COUNTED = 1 << 16,        /* chunks whose ends are counted into the stated length */
    STREAMS_READ = 4,                /* PDB info and DBI are among these */
    FRAGMENTS_KEPT = PDB_INFO_BYTES, /* enough for the first bytes, if each were of one byte */
    CHUNKED_BIT = 63,
    PLACE_BITS = 48,
};

struct fragment {
    uint32_t bytes;
    uint64_t location;
};

/* The beginning of a stream. */
struct stream {
    struct fragment fragments[FRAGMENTS_KEPT];
    unsigned kept;
};

struct msfz {
    struct probe *probe;
    struct identity *out;
    uint64_t chunk_table;
    uint32_t chunk_count;
    struct stream streams[STREAMS_READ];
};

struct chunk {
    uint64_t at;
    uint32_t packing;
    uint32_t packed_bytes;
    uint32_t bytes;
};

static struct chunk chunk_of(const unsigned char *entry) {
    return (struct chunk){
        .at = le_64(entry),
        .packing = le_32(entry + 8),
        .packed_bytes = le_32(entry + 12),
        .bytes = le_32(entry + 16),
    };
}

static bool count_chunks(struct msfz *msfz) {
    unsigned char entries[CHUNKS_BATCH * CHUNK_BYTES];
    uint32_t count = msfz->chunk_count < CHUNKS_COUNTED ? msfz->chunk_count : CHUNKS_COUNTED;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t in_batch = n % CHUNKS_BATCH;
        uint32_t left = count - n < CHUNKS_BATCH ? count - n : CHUNKS_BATCH;
        if (in_batch == 0 && !probe_read(msfz->probe, entries, (size_t)left * CHUNK_BYTES,
                                         end_of(msfz->chunk_table, (uint64_t)n * CHUNK_BYTES)))
            return false;
        struct chunk chunk = chunk_of(entries + (size_t)in_batch * CHUNK_BYTES);
        if (chunk.bytes == 0 || chunk.packed_bytes == 0)
            return probe_damaged(msfz->probe, "chunk %u of the MSFZ is empty", n);
        identity_demand(msfz->out, end_of(chunk.at, chunk.packed_bytes));
    }
    return true;
}

static bool read_32(struct unpack *directory, uint32_t *out) {
    unsigned char bytes[4];
    if (!unpack_read(directory, bytes, sizeof bytes))
        return false;
    *out = le_32(bytes);
    return true;
}

/* Reads a stream's fragments, up to the zero that ends them; a stream that does not exist has none
 * and no zero. */
static bool read_fragments(struct msfz *msfz, struct unpack *directory, struct stream *out) {
    uint32_t bytes = 0;
    if (!read_32(directory, &bytes))
        return false;
    if (bytes == UINT32_MAX)
        return true;
    while (bytes != 0) {
        unsigned char at[8];
        if (!unpack_read(directory, at, sizeof at))
            return false;
        struct fragment fragment = {bytes, le_64(at)};
        if (!(fragment.location >> CHUNKED_BIT)) {
            if (fragment.location >> PLACE_BITS)
                return probe_damaged(msfz->probe, "a fragment of the MSFZ has no valid place");
            identity_demand(msfz->out, fragment.location + bytes);
        }
        if (out->kept < FRAGMENTS_KEPT)
            out->fragments[out->kept++] = fragment;
        if (!read_32(directory, &bytes))
            return false;
    }
    return true;
}

/* Reads `length` bytes that begin `skip` bytes into a chunk and may run on into the next ones. */
static bool read_chunks(struct msfz *msfz, uint32_t n, uint32_t skip, unsigned char *out,
                        uint32_t length) {
    while (length > 0) {
        unsigned char entry[CHUNK_BYTES];
        if (n >= msfz->chunk_count)
            return probe_damaged(msfz->probe, "the MSFZ points to chunk %u of %u", n,
                                 msfz->chunk_count);
        if (!probe_read(msfz->probe, entry, sizeof entry,
                        end_of(msfz->chunk_table, (uint64_t)n * CHUNK_BYTES)))
            return false;
        struct chunk chunk = chunk_of(entry);
        if (skip >= chunk.bytes)
            return probe_damaged(msfz->probe, "the MSFZ points behind the end of chunk %u", n);
        uint32_t here = chunk.bytes - skip < length ? chunk.bytes - skip : length;
        CLEANUP(unpack_free_at)
        struct unpack *unpack =
            unpack_new(msfz->probe, chunk.packing, chunk.at, chunk.packed_bytes);
        if (!unpack || !unpack_read(unpack, NULL, skip) || !unpack_read(unpack, out, here))
            return false;
        out += here;
        length -= here;
        skip = 0;
        n++;
    }
    return true;
}

static bool read_fragment(struct msfz *msfz, const struct fragment *fragment, unsigned char *out,
                          uint32_t length) {
    uint64_t at = fragment->location;
    if (!(at >> CHUNKED_BIT))
        return probe_read(msfz->probe, out, length, at);
    return read_chunks(msfz, (uint32_t)(at >> 32) & INT32_MAX, (uint32_t)at, out, length);
}

/* The first bytes of a stream; *inout_length becomes smaller where it has not as many. */
static bool read_stream(struct msfz *msfz, unsigned n, unsigned char *out, uint32_t *inout_length) {
    const struct stream *stream = &msfz->streams[n];
    uint32_t got = 0;
    for (unsigned i = 0; i < stream->kept && got < *inout_length; i++) {
        uint32_t left = *inout_length - got;
        uint32_t bytes = stream->fragments[i].bytes;
        uint32_t length = bytes < left ? bytes : left;
        if (!read_fragment(msfz, &stream->fragments[i], out + got, length))
            return false;
        got += length;
    }
    *inout_length = got;
    return true;
}

static bool read_identity(struct msfz *msfz) {
    unsigned char info[PDB_INFO_BYTES];
    unsigned char dbi[PDB_DBI_BYTES];
    uint32_t info_length = sizeof info;
    uint32_t dbi_length = sizeof dbi;
    if (!read_stream(msfz, PDB_INFO_STREAM, info, &info_length) ||
        !read_stream(msfz, PDB_DBI_STREAM, dbi, &dbi_length) ||
        !pdb_read_info(msfz->probe, info, info_length, msfz->out))
        return false;
    bool has_guid = msfz->out->format == FORMAT_PDB70;
    msfz->out->format = FORMAT_MSFZ;
    if (!has_guid)
        return probe_damaged(msfz->probe, "the PDB in the MSFZ has no GUID");
    pdb_read_dbi(dbi, dbi_length, msfz->out);
    return true;
}

bool msfz_identify(struct probe *probe, struct identity *out) {
    unsigned char head[HEAD_BYTES];
    out->format = FORMAT_MSFZ;
    out->stated_length = HEAD_BYTES;
    if (!probe_read(probe, head, sizeof head, 0))
        return false;
    if (le_64(head + 32) != 0)
        return probe_damaged(probe, "the MSFZ is of version %llu, which is not known here",
                             (unsigned long long)le_64(head + 32));
    struct msfz msfz = {
        .probe = probe,
        .out = out,
        .chunk_table = le_64(head + 48),
        .chunk_count = le_32(head + 72),
    };
    uint64_t directory_at = le_64(head + 40);
    uint32_t streams = le_32(head + 56);
    uint32_t directory_bytes = le_32(head + 64);
    uint64_t table_bytes = (uint64_t)msfz.chunk_count * CHUNK_BYTES;
    if (le_32(head + 76) != table_bytes)
        return probe_damaged(probe, "the MSFZ's chunk table has not %u entries", msfz.chunk_count);
    identity_demand(out, end_of(directory_at, directory_bytes));
    identity_demand(out, end_of(msfz.chunk_table, table_bytes));
    if (!count_chunks(&msfz))
        return false;
    CLEANUP(unpack_free_at)
    struct unpack *directory = unpack_new(probe, le_32(head + 60), directory_at, directory_bytes);
    if (!directory)
        return false;
    for (uint32_t n = 0; n < streams && n < STREAMS_READ; n++)
        if (!read_fragments(&msfz, directory, &msfz.streams[n]))
            return false;
    return read_identity(&msfz);
}
