// SPDX-License-Identifier: MIT
#include "format/pdb.h"

#include "format/bytes.h"

enum {
    BLOCK_BYTES_MIN = 512,
    BLOCK_BYTES_MAX = 65536,
    HEAD_7_BYTES = 52,       /* up to the list of the directory's map */
    HEAD_2_BYTES = 60,       /* up to the list of the directory's blocks */
    INFO_BYTES_2 = 12,       /* an info stream without GUID */
    VERSION_VC70 = 20000404, /* of the info stream: from here on it has a GUID */
};

struct msf {
    struct probe *probe;
    bool version_7;
    uint32_t block_bytes;
    uint32_t block_count;
    uint32_t directory_bytes;
};

struct stream {
    uint32_t bytes; /* a nil stream has none */
    uint32_t first_block;
};

/* Where a block lies. */
static bool block_at(const struct msf *msf, uint32_t block, uint64_t *out_at) {
    if (block == 0 || block >= msf->block_count)
        return probe_damaged(msf->probe, "the PDB points to block %u of %u", block,
                             msf->block_count);
    *out_at = (uint64_t)block * msf->block_bytes;
    return true;
}

static bool read_32(struct probe *probe, uint64_t at, uint32_t *out) {
    unsigned char bytes[4];
    if (!probe_read(probe, bytes, sizeof bytes, at))
        return false;
    *out = le_32(bytes);
    return true;
}

static bool read_16(struct probe *probe, uint64_t at, uint32_t *out) {
    unsigned char bytes[2];
    if (!probe_read(probe, bytes, sizeof bytes, at))
        return false;
    *out = le_16(bytes);
    return true;
}

/* The number of the directory's n-th block. */
static bool directory_block(const struct msf *msf, uint32_t n, uint32_t *out_block) {
    if (!msf->version_7)
        return read_16(msf->probe, HEAD_2_BYTES + (uint64_t)n * 2, out_block);
    uint32_t each = msf->block_bytes / 4;
    uint64_t listed = HEAD_7_BYTES + (uint64_t)(n / each) * 4;
    uint32_t map = 0;
    uint64_t map_at = 0;
    if (listed >= msf->block_bytes)
        return probe_damaged(msf->probe, "the PDB's directory of %u bytes is too long to be listed",
                             msf->directory_bytes);
    return read_32(msf->probe, listed, &map) && block_at(msf, map, &map_at) &&
           read_32(msf->probe, map_at + (uint64_t)(n % each) * 4, out_block);
}

/* Where a number of `bytes` bytes at an offset in the directory lies in the file. Such numbers
 * never cross from one block into the next. */
static bool directory_at(const struct msf *msf, uint64_t offset, unsigned bytes, uint64_t *out_at) {
    if (offset + bytes > msf->directory_bytes)
        return probe_damaged(msf->probe, "the PDB's directory wants byte %llu of its %u",
                             (unsigned long long)offset, msf->directory_bytes);
    uint32_t block = 0;
    if (!directory_block(msf, (uint32_t)(offset / msf->block_bytes), &block) ||
        !block_at(msf, block, out_at))
        return false;
    *out_at += offset % msf->block_bytes;
    return true;
}

static bool directory_32(const struct msf *msf, uint64_t offset, uint32_t *out) {
    uint64_t at = 0;
    return directory_at(msf, offset, 4, &at) && read_32(msf->probe, at, out);
}

static bool directory_16(const struct msf *msf, uint64_t offset, uint32_t *out) {
    uint64_t at = 0;
    return directory_at(msf, offset, 2, &at) && read_16(msf->probe, at, out);
}

/* Walks the streams before the wanted one: the directory has all lengths first, then the blocks of
 * each stream. A stream that does not exist has the length UINT32_MAX, and no blocks. */
static bool find_stream(const struct msf *msf, unsigned wanted, struct stream *out) {
    uint32_t streams = 0;
    *out = (struct stream){0};
    if (!(msf->version_7 ? directory_32(msf, 0, &streams) : directory_16(msf, 0, &streams)))
        return false;
    if (wanted >= streams)
        return true;
    unsigned each = msf->version_7 ? 4 : 8; /* 2.00 has an unused pointer behind each length */
    uint64_t blocks = 0;
    for (unsigned n = 0; n <= wanted; n++) {
        blocks += ((uint64_t)out->bytes + msf->block_bytes - 1) / msf->block_bytes;
        if (!directory_32(msf, 4 + (uint64_t)n * each, &out->bytes))
            return false;
        if (out->bytes == UINT32_MAX)
            out->bytes = 0;
    }
    if (out->bytes == 0)
        return true;
    uint64_t lists = 4 + (uint64_t)streams * each;
    return msf->version_7 ? directory_32(msf, lists + blocks * 4, &out->first_block)
                          : directory_16(msf, lists + blocks * 2, &out->first_block);
}

/* The first bytes of a stream, which lie in its first block. */
static bool read_stream(const struct msf *msf, unsigned wanted, unsigned char *bytes,
                        uint32_t *inout_length) {
    struct stream stream;
    uint64_t at = 0;
    if (!find_stream(msf, wanted, &stream))
        return false;
    if (stream.bytes < *inout_length)
        *inout_length = stream.bytes;
    return *inout_length == 0 || (block_at(msf, stream.first_block, &at) &&
                                  probe_read(msf->probe, bytes, *inout_length, at));
}

bool pdb_read_info(const struct probe *probe, const unsigned char *bytes, uint64_t length,
                   struct identity *out) {
    if (length < INFO_BYTES_2)
        return probe_damaged(probe, "the PDB has no info stream, so neither GUID nor age");
    bool has_guid = le_32(bytes) >= VERSION_VC70;
    if (has_guid && length < PDB_INFO_BYTES)
        return probe_damaged(probe, "the PDB's info stream ends before its GUID");
    out->signature = le_32(bytes + 4);
    out->info_age = le_32(bytes + 8);
    out->age = out->info_age;
    out->format = has_guid ? FORMAT_PDB70 : FORMAT_PDB20;
    if (has_guid)
        guid_in_order(out->guid, bytes + INFO_BYTES_2);
    return true;
}

void pdb_read_dbi(const unsigned char *bytes, uint64_t length, struct identity *out) {
    /* Before Visual C++ 6 the stream began otherwise, without -1, and had no age. */
    if (length < PDB_DBI_BYTES || le_32(bytes) != UINT32_MAX)
        return;
    out->has_dbi_age = true;
    out->dbi_age = le_32(bytes + 8);
    out->age = out->dbi_age;
}

static bool identify_msf(const struct msf *msf, struct identity *out) {
    out->stated_length = (uint64_t)msf->block_bytes * msf->block_count;
    if (msf->block_bytes < BLOCK_BYTES_MIN || msf->block_bytes > BLOCK_BYTES_MAX ||
        (msf->block_bytes & (msf->block_bytes - 1)) != 0)
        return probe_damaged(msf->probe, "the PDB has blocks of %u bytes", msf->block_bytes);
    if (msf->directory_bytes > out->stated_length)
        return probe_damaged(msf->probe, "the PDB's directory of %u bytes is longer than the file",
                             msf->directory_bytes);
    unsigned char info[PDB_INFO_BYTES];
    unsigned char dbi[PDB_DBI_BYTES];
    uint32_t info_length = sizeof info;
    uint32_t dbi_length = sizeof dbi;
    if (!read_stream(msf, PDB_INFO_STREAM, info, &info_length) ||
        !read_stream(msf, PDB_DBI_STREAM, dbi, &dbi_length) ||
        !pdb_read_info(msf->probe, info, info_length, out))
        return false;
    pdb_read_dbi(dbi, dbi_length, out);
    return true;
}

bool pdb_identify_7(struct probe *probe, struct identity *out) {
    unsigned char head[HEAD_7_BYTES];
    out->format = FORMAT_PDB70;
    if (!probe_read(probe, head, sizeof head, 0))
        return false;
    struct msf msf = {
        .probe = probe,
        .version_7 = true,
        .block_bytes = le_32(head + 32),
        .block_count = le_32(head + 40),
        .directory_bytes = le_32(head + 44),
    };
    return identify_msf(&msf, out);
}

bool pdb_identify_2(struct probe *probe, struct identity *out) {
    unsigned char head[HEAD_2_BYTES];
    out->format = FORMAT_PDB20;
    if (!probe_read(probe, head, sizeof head, 0))
        return false;
    struct msf msf = {
        .probe = probe,
        .block_bytes = le_32(head + 44),
        .block_count = le_16(head + 50),
        .directory_bytes = le_32(head + 52),
    };
    return identify_msf(&msf, out);
}
