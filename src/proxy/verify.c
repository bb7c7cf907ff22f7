// SPDX-License-Identifier: MIT
//
// The lengths that MSF and PE files state themselves. MSF 7.00 and 2.00: LLVM's "The MSF File
// Format" and the sources that Microsoft published as microsoft-pdb. PE: "PE Format" of the Windows
// documentation.
#include "proxy/verify.h"

#include <string.h>

enum {
    MSF7_MAGIC_BYTES = 32,
    MSF2_MAGIC_BYTES = 44,
    MSF_HEAD_BYTES = 56,
    PE_AT_OFFSET = 0x3c,
    PE_HEAD_BYTES = 24,      /* signature and file header */
    PE_OPTIONAL_BYTES = 160, /* as much of the optional header as is read */
    PE_SECTION_BYTES = 40,
    PE_SECTIONS_MAX = 96, /* what the loader accepts */
};

static const char msf7_magic[MSF7_MAGIC_BYTES + 1] = "Microsoft C/C++ MSF 7.00\r\n\x1a"
                                                     "DS\0\0\0";
static const char msf2_magic[MSF2_MAGIC_BYTES + 1] =
    "Microsoft C/C++ program database 2.00\r\n\x1aJG\0";

static uint32_t read_16(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_32(const unsigned char *at) {
    return read_16(at) | read_16(at + 2) << 16;
}

bool verify_first(const struct symbol_key *key, const struct content *content, const void *bytes,
                  size_t length, struct error *err) {
    return content_acceptable(key, content, bytes, length, err);
}

/* Reads a piece that the structure points to; false where the file ends before it or cannot be read
 * back. */
static bool read_piece(const struct staging *staging, void *out, size_t length, uint64_t offset) {
    uint64_t whole = staging_length(staging);
    if (offset > whole || length > whole - offset)
        return false;
    return staging_read(staging, out, length, offset, NULL);
}

/* The length that an MSF file states, 0 for what is none. */
static uint64_t msf_length(const struct staging *staging) {
    unsigned char head[MSF_HEAD_BYTES];
    if (!read_piece(staging, head, sizeof head, 0))
        return 0;
    if (memcmp(head, msf7_magic, MSF7_MAGIC_BYTES) == 0)
        return (uint64_t)read_32(head + 32) * read_32(head + 40);
    if (memcmp(head, msf2_magic, MSF2_MAGIC_BYTES) == 0)
        return (uint64_t)read_32(head + 44) * read_16(head + 50);
    return 0;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Where a PE file's last section ends; UINT64_MAX when not even the section table is there. */
static uint64_t pe_sections_end(const struct staging *staging, uint64_t table, unsigned count) {
    uint64_t end = table + (uint64_t)count * PE_SECTION_BYTES;
    for (unsigned i = 0; i < count; i++) {
        unsigned char section[PE_SECTION_BYTES];
        if (!read_piece(staging, section, sizeof section, table + (uint64_t)i * PE_SECTION_BYTES))
            return UINT64_MAX;
        uint64_t bytes = read_32(section + 16);
        if (bytes)
            end = larger(end, read_32(section + 20) + bytes);
    }
    return end;
}

/* The least length that a PE file's headers demand: headers, sections, certificates. 0 for what is
 * none. */
static uint64_t pe_length(const struct staging *staging) {
    unsigned char dos[PE_AT_OFFSET + 4];
    if (!read_piece(staging, dos, sizeof dos, 0) || dos[0] != 'M' || dos[1] != 'Z')
        return 0;
    uint64_t at = read_32(dos + PE_AT_OFFSET);
    unsigned char head[PE_HEAD_BYTES];
    if (!read_piece(staging, head, sizeof head, at))
        return at + sizeof head;
    unsigned sections = read_16(head + 6);
    unsigned optional_bytes = read_16(head + 20);
    if (memcmp(head, "PE\0\0", 4) != 0 || sections > PE_SECTIONS_MAX)
        return 0;
    uint64_t end = pe_sections_end(staging, at + PE_HEAD_BYTES + optional_bytes, sections);
    unsigned char optional[PE_OPTIONAL_BYTES];
    if (optional_bytes < sizeof optional ||
        !read_piece(staging, optional, sizeof optional, at + PE_HEAD_BYTES))
        return end;
    end = larger(end, read_32(optional + 60)); /* SizeOfHeaders */
    /* Data directory 4, certificates: the only one whose place is a file offset. */
    unsigned directories = read_16(optional) == 0x20b ? 112 : 96;
    if (read_32(optional + directories - 4) <= 4)
        return end;
    const unsigned char *certificates = optional + directories + 4 * 8;
    return larger(end, (uint64_t)read_32(certificates) + read_32(certificates + 4));
}

static bool verify_length(uint64_t demanded, const struct staging *staging, struct error *err) {
    uint64_t length = staging_length(staging);
    if (demanded <= length)
        return true;
    return error_set(err, ERROR_LENGTH,
                     "the file is cut: it has %llu bytes and its own structure wants more",
                     (unsigned long long)length);
}

bool verify_whole(const struct symbol_key *key, const struct staging *staging, bool announced,
                  struct error *err) {
    switch (key->kind) {
    case KIND_PDB:
        return verify_length(msf_length(staging), staging, err);
    case KIND_PE:
        return announced || verify_length(pe_length(staging), staging, err);
    case KIND_OTHER:
    case KIND_ELF:
    case KIND_MACHO:
    case KIND_SYM:
    case KIND_COUNT:
        break;
    }
    return true;
}
