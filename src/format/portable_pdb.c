// SPDX-License-Identifier: MIT
#include "format/portable_pdb.h"

#include "format/bytes.h"

enum {
    ROOT_BYTES = 16,            /* up to the version text */
    VERSION_BYTES_MAX = 255,    /* without its padding */
    STREAMS_MAX = 64,           /* there are six names, each at most once */
    STREAM_NAME_BYTES_MAX = 32, /* with NUL and padding */
    STREAM_HEAD_BYTES = 8,
};

/* The length of a stream's name in its header, with NUL and padding; 0 when it does not end. */
static unsigned name_length(const char *name, size_t room) {
    size_t length = strnlen(name, room);
    return length == room ? 0 : (unsigned)((length + 4) & ~(size_t)3);
}

/* Reads the stream's header at *inout_at, and goes on behind it. */
static bool read_stream(struct probe *probe, uint64_t *inout_at, struct identity *out) {
    unsigned char head[STREAM_HEAD_BYTES + STREAM_NAME_BYTES_MAX] = {0};
    uint64_t whole = probe->view->length;
    uint64_t left = *inout_at < whole ? whole - *inout_at : 0;
    size_t length = left < sizeof head ? (size_t)left : sizeof head;
    if (length < STREAM_HEAD_BYTES + 4)
        length = STREAM_HEAD_BYTES + 4; /* the least there is: the read tells the cut */
    if (!probe_read(probe, head, length, *inout_at))
        return false;
    const char *name = (const char *)head + STREAM_HEAD_BYTES;
    unsigned name_bytes = name_length(name, length - STREAM_HEAD_BYTES);
    if (name_bytes == 0)
        return probe_damaged(probe, "the portable PDB has a stream whose name does not end");
    uint32_t at = le_32(head);
    uint32_t bytes = le_32(head + 4);
    identity_demand(out, end_of(at, bytes));
    *inout_at += STREAM_HEAD_BYTES + name_bytes;
    identity_demand(out, *inout_at);
    if (strcmp(name, "#Pdb") != 0)
        return true;
    if (bytes < PORTABLE_ID_BYTES)
        return probe_damaged(probe, "the portable PDB's id has %u bytes", bytes);
    out->portable_id_at = at;
    return true;
}

bool portable_pdb_identify(struct probe *probe, struct identity *out) {
    unsigned char root[ROOT_BYTES];
    out->format = FORMAT_PORTABLE_PDB;
    if (!probe_read(probe, root, sizeof root, 0))
        return false;
    uint32_t version_bytes = le_32(root + 12);
    if (version_bytes > VERSION_BYTES_MAX + 1)
        return probe_damaged(probe, "the metadata's version has %u bytes", version_bytes);
    uint64_t at = ROOT_BYTES + ((version_bytes + 3) & ~3U);
    unsigned char counts[4]; /* flags, number of streams */
    if (!probe_read(probe, counts, sizeof counts, at))
        return false;
    unsigned streams = le_16(counts + 2);
    if (streams > STREAMS_MAX)
        return probe_damaged(probe, "the metadata has %u streams", streams);
    at += sizeof counts;
    for (unsigned i = 0; i < streams; i++)
        if (!read_stream(probe, &at, out))
            return false;
    if (!out->portable_id_at)
        return probe_damaged(probe, "the metadata has no stream \"#Pdb\", so no id");
    if (!probe_read(probe, out->portable_id, PORTABLE_ID_BYTES, out->portable_id_at))
        return false;
    guid_in_order(out->guid, out->portable_id);
    return true;
}
