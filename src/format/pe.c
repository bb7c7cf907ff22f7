// SPDX-License-Identifier: MIT
#include "format/pe.h"

#include "format/bytes.h"

enum {
    DOS_BYTES = 64,
    PE_AT_OFFSET = 0x3c,
    HEAD_BYTES = 24,          /* "PE\0\0" and the file header */
    OPTIONAL_BYTES_MIN = 60,  /* up to SizeOfImage */
    OPTIONAL_BYTES_MAX = 160, /* up to the certificates of a 64-bit image */
    OPTIONAL_64 = 0x20b,
    SECTION_BYTES = 40,
    SECTIONS_BATCH = 32,   /* read at once */
    DBG_SECTIONS_MAX = 96, /* what loaders of its day accepted */
    CERTIFICATES = 4,      /* the one data directory whose place is a file offset */
    DIRECTORY_BYTES = 8,
    DBG_BYTES = 48,
    DBG_ENTRY_BYTES = 28,
    DBG_ENTRIES_MAX = 256,
};

/* What the optional header says; its first `length` bytes are there. */
static void read_optional(const unsigned char *bytes, unsigned length, struct identity *out) {
    out->image_size = le_32(bytes + 56);
    if (length >= 64)
        identity_demand(out, le_32(bytes + 60)); /* SizeOfHeaders */
    unsigned directories = le_16(bytes) == OPTIONAL_64 ? 112 : 96;
    unsigned certificates = directories + CERTIFICATES * DIRECTORY_BYTES;
    if (length < certificates + DIRECTORY_BYTES || le_32(bytes + directories - 4) <= CERTIFICATES)
        return;
    uint32_t at = le_32(bytes + certificates);
    if (at)
        identity_demand(out, end_of(at, le_32(bytes + certificates + 4)));
}

static bool read_sections(struct probe *probe, uint64_t table, unsigned count,
                          struct identity *out) {
    unsigned char sections[SECTIONS_BATCH * SECTION_BYTES];
    identity_demand(out, table + (uint64_t)count * SECTION_BYTES);
    for (unsigned i = 0; i < count; i++) {
        unsigned in_batch = i % SECTIONS_BATCH;
        unsigned left = count - i < SECTIONS_BATCH ? count - i : SECTIONS_BATCH;
        if (in_batch == 0 && !probe_read(probe, sections, (size_t)left * SECTION_BYTES,
                                         table + (uint64_t)i * SECTION_BYTES))
            return false;
        const unsigned char *section = sections + (size_t)in_batch * SECTION_BYTES;
        uint32_t bytes = le_32(section + 16);
        uint32_t at = le_32(section + 20);
        if (at && bytes)
            identity_demand(out, end_of(at, bytes));
    }
    return true;
}

bool pe_identify(struct probe *probe, struct identity *out) {
    unsigned char dos[DOS_BYTES];
    out->format = FORMAT_PE;
    out->stated_length = sizeof dos;
    if (!probe_read(probe, dos, sizeof dos, 0))
        return false;
    uint64_t at = le_32(dos + PE_AT_OFFSET);
    unsigned char head[HEAD_BYTES];
    identity_demand(out, at + sizeof head);
    if (!probe_read(probe, head, sizeof head, at))
        return false;
    if (memcmp(head, "PE\0\0", 4) != 0) {
        *out = (struct identity){.format = FORMAT_UNKNOWN};
        return true;
    }
    unsigned sections = le_16(head + 6);
    unsigned optional_bytes = le_16(head + 20);
    out->stamp = le_32(head + 8);
    if (optional_bytes < OPTIONAL_BYTES_MIN)
        return probe_damaged(probe, "the image's header ends before the image's size");
    unsigned char optional[OPTIONAL_BYTES_MAX];
    unsigned length = optional_bytes < sizeof optional ? optional_bytes : sizeof optional;
    uint64_t table = at + HEAD_BYTES + optional_bytes;
    identity_demand(out, table);
    if (!probe_read(probe, optional, length, at + HEAD_BYTES))
        return false;
    read_optional(optional, length, out);
    return read_sections(probe, table, sections, out);
}

/* The debug directory is of the same form as an image's; each entry points into the file. */
static bool read_debug_entries(struct probe *probe, uint64_t table, unsigned count,
                               struct identity *out) {
    for (unsigned i = 0; i < count; i++) {
        unsigned char entry[DBG_ENTRY_BYTES];
        if (!probe_read(probe, entry, sizeof entry, table + (uint64_t)i * DBG_ENTRY_BYTES))
            return false;
        identity_demand(out, end_of(le_32(entry + 24), le_32(entry + 16)));
    }
    return true;
}

bool pe_identify_debug(struct probe *probe, struct identity *out) {
    unsigned char head[DBG_BYTES];
    if (!view_holds(probe->view, 0, sizeof head))
        return true;
    if (!probe_read(probe, head, sizeof head, 0))
        return false;
    uint32_t sections = le_32(head + 24);
    uint32_t names_bytes = le_32(head + 28);
    uint32_t entries_bytes = le_32(head + 32);
    uint32_t entries = entries_bytes / DBG_ENTRY_BYTES;
    if (sections > DBG_SECTIONS_MAX || entries > DBG_ENTRIES_MAX ||
        entries_bytes % DBG_ENTRY_BYTES != 0 || le_32(head + 40) != 0 || le_32(head + 44) != 0)
        return true;
    out->format = FORMAT_DBG;
    out->stamp = le_32(head + 8);
    out->image_size = le_32(head + 20);
    uint64_t table = DBG_BYTES + (uint64_t)sections * SECTION_BYTES + names_bytes;
    identity_demand(out, table + entries_bytes);
    return read_debug_entries(probe, table, entries, out);
}
