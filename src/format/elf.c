// SPDX-License-Identifier: MIT
#include "format/elf.h"

#include "format/bytes.h"

enum {
    IDENT_BYTES = 16,
    HEAD_BYTES_32 = 52,
    HEAD_BYTES_64 = 64,
    SECTION_BYTES_32 = 40,
    SECTION_BYTES_64 = 64,
    SEGMENT_BYTES_32 = 32,
    SEGMENT_BYTES_64 = 56,
    BATCH = 64,            /* headers that are read at once */
    ENTRIES_MAX = 1 << 18, /* sections or segments that are looked at: 16 MiB of headers */
    NOTES_MAX = 4096,      /* notes that are looked at */
    NOTE_HEAD_BYTES = 16,  /* with the name "GNU" */
    SEGMENTS_ELSEWHERE = 0xffff,

    SECTION_NULL = 0,
    SECTION_NOTE = 7,
    SECTION_NOBITS = 8,
    SEGMENT_NULL = 0,
    SEGMENT_NOTE = 4,
    NOTE_BUILD_ID = 3,
};

struct table {
    uint64_t at;
    uint64_t count;
    unsigned entry_bytes;
};

struct elf {
    struct probe *probe;
    struct identity *out;
    bool wide;
    bool big_endian;
    struct table sections;
    struct table segments;
    unsigned notes_left;
};

/* What both kinds of headers say of a piece of the file. */
struct piece {
    uint32_t type;
    uint64_t at;
    uint64_t bytes;
    uint64_t align;
};

static uint16_t get_16(const struct elf *elf, const unsigned char *at) {
    return number_16(at, elf->big_endian);
}

static uint32_t get_32(const struct elf *elf, const unsigned char *at) {
    return number_32(at, elf->big_endian);
}

/* An address or offset: as wide as the file is. */
static uint64_t get_wide(const struct elf *elf, const unsigned char *at) {
    return elf->wide ? number_64(at, elf->big_endian) : number_32(at, elf->big_endian);
}

static struct piece section_of(const struct elf *elf, const unsigned char *head) {
    return (struct piece){
        .type = get_32(elf, head + 4),
        .at = get_wide(elf, head + (elf->wide ? 24 : 16)),
        .bytes = get_wide(elf, head + (elf->wide ? 32 : 20)),
        .align = get_wide(elf, head + (elf->wide ? 48 : 32)),
    };
}

static struct piece segment_of(const struct elf *elf, const unsigned char *head) {
    return (struct piece){
        .type = get_32(elf, head),
        .at = get_wide(elf, head + (elf->wide ? 8 : 4)),
        .bytes = get_wide(elf, head + (elf->wide ? 32 : 16)),
        .align = get_wide(elf, head + (elf->wide ? 48 : 28)),
    };
}

static uint64_t aligned(uint64_t value, uint64_t align) {
    return (value + align - 1) & ~(align - 1);
}

/* Looks for the build id among the notes of a piece that lies in the file; those of a piece that
 * does not are passed over, for the stated length tells of it. */
static bool read_notes(struct elf *elf, const struct piece *piece) {
    uint64_t align = piece->align == 8 ? 8 : 4;
    uint64_t at = piece->at;
    if (!view_holds(elf->probe->view, piece->at, piece->bytes))
        return true;
    uint64_t end = piece->at + piece->bytes;
    while (end - at >= NOTE_HEAD_BYTES && elf->notes_left > 0) {
        unsigned char head[NOTE_HEAD_BYTES];
        elf->notes_left--;
        if (!probe_read(elf->probe, head, sizeof head, at))
            return false;
        uint32_t name_bytes = get_32(elf, head);
        uint32_t bytes = get_32(elf, head + 4);
        uint64_t begin = at + aligned(12 + (uint64_t)name_bytes, align);
        if (get_32(elf, head + 8) == NOTE_BUILD_ID && name_bytes == 4 &&
            memcmp(head + 12, "GNU", 4) == 0 && bytes > 0 && bytes <= BUILD_ID_BYTES_MAX &&
            begin <= end && bytes <= end - begin) {
            elf->out->build_id_length = bytes;
            return probe_read(elf->probe, elf->out->build_id, bytes, begin);
        }
        uint64_t next = begin + aligned(bytes, align);
        if (next >= end)
            break;
        at = next;
    }
    return true;
}

/* Walks a table of headers, in batches; stops where visit returns false. */
static bool walk(struct elf *elf, const struct table *table,
                 bool (*visit)(struct elf *elf, const unsigned char *head)) {
    unsigned char heads[BATCH * SECTION_BYTES_64];
    uint64_t count = table->count < ENTRIES_MAX ? table->count : ENTRIES_MAX;
    for (uint64_t n = 0; n < count; n++) {
        size_t in_batch = (size_t)(n % BATCH);
        uint64_t left = count - n < BATCH ? count - n : BATCH;
        if (in_batch == 0 && !probe_read(elf->probe, heads, (size_t)left * table->entry_bytes,
                                         table->at + n * table->entry_bytes))
            return false;
        if (!visit(elf, heads + in_batch * table->entry_bytes))
            return false;
    }
    return true;
}

static bool visit_section(struct elf *elf, const unsigned char *head) {
    struct piece section = section_of(elf, head);
    if (section.type == SECTION_NULL || section.type == SECTION_NOBITS)
        return true;
    identity_demand(elf->out, end_of(section.at, section.bytes));
    return section.type != SECTION_NOTE || elf->out->build_id_length > 0 ||
           read_notes(elf, &section);
}

static bool visit_segment(struct elf *elf, const unsigned char *head) {
    struct piece segment = segment_of(elf, head);
    if (segment.type != SEGMENT_NULL && elf->sections.count == 0)
        identity_demand(elf->out, end_of(segment.at, segment.bytes));
    return segment.type != SEGMENT_NOTE || elf->out->build_id_length > 0 ||
           read_notes(elf, &segment);
}

/* Numbers that do not fit into the file's header stand in the first section's. */
static bool read_large_counts(struct elf *elf) {
    unsigned char head[SECTION_BYTES_64];
    bool few_sections = elf->sections.at == 0 || elf->sections.count != 0;
    if (elf->sections.at == 0 || (few_sections && elf->segments.count != SEGMENTS_ELSEWHERE))
        return true;
    if (!probe_read(elf->probe, head, elf->sections.entry_bytes, elf->sections.at))
        return false;
    if (!few_sections)
        elf->sections.count = section_of(elf, head).bytes;
    if (elf->segments.count == SEGMENTS_ELSEWHERE)
        elf->segments.count = get_32(elf, head + (elf->wide ? 44 : 28));
    return true;
}

/* Reads where a table of headers lies from the file's header. */
static bool read_table(struct elf *elf, const unsigned char *at, const unsigned char *entry,
                       unsigned entry_bytes, struct table *out) {
    out->at = get_wide(elf, at);
    out->count = out->at ? get_16(elf, entry + 2) : 0;
    out->entry_bytes = entry_bytes;
    if (out->at && out->count && get_16(elf, entry) != entry_bytes)
        return probe_damaged(elf->probe, "the ELF file has headers of %u bytes instead of %u",
                             get_16(elf, entry), entry_bytes);
    return true;
}

static bool read_head(struct elf *elf) {
    unsigned char head[HEAD_BYTES_64];
    unsigned length = elf->wide ? HEAD_BYTES_64 : HEAD_BYTES_32;
    identity_demand(elf->out, length);
    if (!probe_read(elf->probe, head, length, 0) ||
        !read_table(elf, head + (elf->wide ? 32 : 28), head + (elf->wide ? 54 : 42),
                    elf->wide ? SEGMENT_BYTES_64 : SEGMENT_BYTES_32, &elf->segments) ||
        !read_table(elf, head + (elf->wide ? 40 : 32), head + (elf->wide ? 58 : 46),
                    elf->wide ? SECTION_BYTES_64 : SECTION_BYTES_32, &elf->sections) ||
        !read_large_counts(elf))
        return false;
    const struct table *tables[] = {&elf->segments, &elf->sections};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t bytes = 0;
        if (__builtin_mul_overflow(tables[i]->count, tables[i]->entry_bytes, &bytes))
            bytes = UINT64_MAX;
        if (bytes > 0)
            identity_demand(elf->out, end_of(tables[i]->at, bytes));
    }
    return true;
}

bool elf_identify(struct probe *probe, struct identity *out) {
    unsigned char ident[IDENT_BYTES];
    out->format = FORMAT_ELF;
    if (!probe_read(probe, ident, sizeof ident, 0))
        return false;
    if (ident[4] < 1 || ident[4] > 2 || ident[5] < 1 || ident[5] > 2)
        return probe_damaged(probe, "the ELF file is of class %u and byte order %u", ident[4],
                             ident[5]);
    struct elf elf = {
        .probe = probe,
        .out = out,
        .wide = ident[4] == 2,
        .big_endian = ident[5] == 2,
        .notes_left = NOTES_MAX,
    };
    if (!read_head(&elf) || !walk(&elf, &elf.sections, visit_section))
        return false;
    bool found = out->build_id_length > 0 && elf.sections.count > 0;
    return found || walk(&elf, &elf.segments, visit_segment);
}
