// SPDX-License-Identifier: MIT
//
// Numbers as files hold them: unaligned, in either byte order.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le_16(const unsigned char *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t le_32(const unsigned char *at) {
    return (uint32_t)le_16(at) | (uint32_t)le_16(at + 2) << 16;
}

static inline uint64_t le_64(const unsigned char *at) {
    return (uint64_t)le_32(at) | (uint64_t)le_32(at + 4) << 32;
}

static inline uint16_t number_16(const unsigned char *at, bool big_endian) {
    uint16_t value = le_16(at);
    return big_endian ? __builtin_bswap16(value) : value;
}

static inline uint32_t number_32(const unsigned char *at, bool big_endian) {
    uint32_t value = le_32(at);
    return big_endian ? __builtin_bswap32(value) : value;
}

static inline uint64_t number_64(const unsigned char *at, bool big_endian) {
    uint64_t value = le_64(at);
    return big_endian ? __builtin_bswap64(value) : value;
}

/* A GUID as it lies in files, its first three fields little-endian, into the order of its digits.
 */
static inline void guid_in_order(unsigned char out[16], const unsigned char *at) {
    static const unsigned char order[8] = {3, 2, 1, 0, 5, 4, 7, 6};
    for (unsigned i = 0; i < 8; i++)
        out[i] = at[order[i]];
    memcpy(out + 8, at + 8, 8);
}

/* The sum, or UINT64_MAX where it is larger. */
static inline uint64_t end_of(uint64_t offset, uint64_t length) {
    return length <= UINT64_MAX - offset ? offset + length : UINT64_MAX;
}
