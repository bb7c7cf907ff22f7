// SPDX-License-Identifier: MIT
#include "format/macho.h"

#include "format/bytes.h"

enum {
    MAGIC_32 = 0xfeedface,
    MAGIC_64 = 0xfeedfacf,
    FAT_MAGIC_64 = 0xcafebabf,
    HEAD_BYTES_32 = 28,
    HEAD_BYTES_64 = 32,
    FAT_HEAD_BYTES = 8,
    FAT_ENTRY_BYTES_32 = 20,
    FAT_ENTRY_BYTES_64 = 32,
    COMMANDS_MAX = 1 << 14, /* load commands of a slice */
    COMMAND_HEAD_BYTES = 8,
    COMMAND_BYTES_MAX = 56, /* as much of a command as is read */

    FILE_STUB = 9, /* a library without its contents: the segments are not there */
    COMMAND_SEGMENT = 0x1,
    COMMAND_SYMBOLS = 0x2,
    COMMAND_SEGMENT_64 = 0x19,
    COMMAND_UUID = 0x1b,
    SYMBOL_BYTES_32 = 12,
    SYMBOL_BYTES_64 = 16,
};

struct macho {
    struct probe *probe;
    uint64_t at; /* of the slice */
    bool wide;
    bool big_endian;
    bool stub;
    uint64_t end; /* the least length of the slice, seen so far */
    struct macho_slice slice;
};

static uint32_t get_32(const struct macho *macho, const unsigned char *at) {
    return number_32(at, macho->big_endian);
}

static void demand(struct macho *macho, uint64_t end) {
    if (end > macho->end)
        macho->end = end;
}

static void read_symbols(struct macho *macho, const unsigned char *bytes) {
    uint32_t symbol_bytes = macho->wide ? SYMBOL_BYTES_64 : SYMBOL_BYTES_32;
    demand(macho, get_32(macho, bytes + 8) + (uint64_t)get_32(macho, bytes + 12) * symbol_bytes);
    demand(macho, (uint64_t)get_32(macho, bytes + 16) + get_32(macho, bytes + 20));
}

/* Takes what is wanted out of a load command, of which `length` bytes are there. */
static void read_command(struct macho *macho, const unsigned char *bytes, size_t length) {
    uint32_t command = get_32(macho, bytes);
    if (command == COMMAND_UUID && length >= 24) {
        macho->slice.has_uuid = true;
        memcpy(macho->slice.uuid, bytes + 8, GUID_BYTES);
    } else if (command == COMMAND_SYMBOLS && length >= 24) {
        read_symbols(macho, bytes);
    } else if (command == COMMAND_SEGMENT && length >= 40 && !macho->stub) {
        demand(macho, (uint64_t)get_32(macho, bytes + 32) + get_32(macho, bytes + 36));
    } else if (command == COMMAND_SEGMENT_64 && length >= 56 && !macho->stub) {
        demand(macho, end_of(number_64(bytes + 40, macho->big_endian),
                             number_64(bytes + 48, macho->big_endian)));
    }
}

static bool read_commands(struct macho *macho, uint64_t at, uint32_t count, uint32_t bytes) {
    uint64_t end = at + bytes;
    if (count > COMMANDS_MAX)
        return probe_damaged(macho->probe, "the Mach-O file has %u load commands", count);
    for (uint32_t n = 0; n < count; n++) {
        unsigned char command[COMMAND_BYTES_MAX];
        uint64_t left = end - at;
        size_t length = left < sizeof command ? (size_t)left : sizeof command;
        if (length < COMMAND_HEAD_BYTES)
            return probe_damaged(macho->probe, "load command %u of the Mach-O file has no place",
                                 n);
        if (!probe_read(macho->probe, command, length, at))
            return false;
        uint32_t command_bytes = get_32(macho, command + 4);
        if (command_bytes < COMMAND_HEAD_BYTES || command_bytes > left)
            return probe_damaged(macho->probe, "load command %u of the Mach-O file has %u bytes", n,
                                 command_bytes);
        read_command(macho, command, command_bytes < length ? command_bytes : length);
        at += command_bytes;
    }
    return true;
}

/* Reads the file that begins at macho->at; *out_other: it is no Mach-O. */
static bool read_thin(struct macho *macho, bool *out_other) {
    unsigned char head[HEAD_BYTES_32];
    if (!probe_read(macho->probe, head, 4, macho->at))
        return false;
    uint32_t magic = le_32(head);
    macho->big_endian =
        magic == __builtin_bswap32(MAGIC_32) || magic == __builtin_bswap32(MAGIC_64);
    magic = get_32(macho, head);
    macho->wide = magic == MAGIC_64;
    *out_other = magic != MAGIC_64 && magic != MAGIC_32;
    if (*out_other)
        return true;
    unsigned head_bytes = macho->wide ? HEAD_BYTES_64 : HEAD_BYTES_32;
    demand(macho, head_bytes);
    if (!probe_read(macho->probe, head, sizeof head, macho->at))
        return false;
    macho->slice.cpu = get_32(macho, head + 4);
    macho->stub = get_32(macho, head + 12) == FILE_STUB;
    uint32_t commands_bytes = get_32(macho, head + 20);
    demand(macho, (uint64_t)head_bytes + commands_bytes);
    return read_commands(macho, macho->at + head_bytes, get_32(macho, head + 16), commands_bytes);
}

bool macho_identify(struct probe *probe, struct identity *out) {
    struct macho macho = {.probe = probe};
    bool other = false;
    bool good = read_thin(&macho, &other);
    if (other)
        return true;
    out->format = FORMAT_MACHO;
    out->stated_length = macho.end;
    out->slices[0] = macho.slice;
    out->slice_count = good;
    return good;
}

/* Reads one entry of the fat file's table and the slice it points to. */
static bool read_slice(struct probe *probe, const unsigned char *entry, bool wide,
                       struct identity *out) {
    struct macho macho = {
        .probe = probe,
        .at = wide ? number_64(entry + 8, true) : number_32(entry + 8, true),
        .slice = {.cpu = number_32(entry, true)},
    };
    uint64_t bytes = wide ? number_64(entry + 16, true) : number_32(entry + 12, true);
    identity_demand(out, end_of(macho.at, bytes));
    bool other = false;
    if (!read_thin(&macho, &other))
        return false;
    out->slices[out->slice_count++] = macho.slice;
    return true;
}

bool macho_identify_fat(struct probe *probe, struct identity *out) {
    unsigned char head[FAT_HEAD_BYTES];
    if (!view_holds(probe->view, 0, sizeof head))
        return true;
    if (!probe_read(probe, head, sizeof head, 0))
        return false;
    bool wide = number_32(head, true) == FAT_MAGIC_64;
    uint32_t count = number_32(head + 4, true);
    unsigned entry_bytes = wide ? FAT_ENTRY_BYTES_64 : FAT_ENTRY_BYTES_32;
    if (count == 0 || count > SLICES_MAX)
        return true;
    out->format = FORMAT_MACHO;
    out->stated_length = FAT_HEAD_BYTES + (uint64_t)count * entry_bytes;
    for (uint32_t n = 0; n < count; n++) {
        unsigned char entry[FAT_ENTRY_BYTES_64];
        if (!probe_read(probe, entry, entry_bytes, FAT_HEAD_BYTES + (uint64_t)n * entry_bytes) ||
            !read_slice(probe, entry, wide, out))
            return false;
    }
    return true;
}
