// SPDX-License-Identifier: MIT
//
// SipHash-2-4 with a 128-bit key (Aumasson and Bernstein, "SipHash: a fast short-input PRF"):
// hashes of what clients send cannot be made to collide without knowing the key.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t words[2];
};

/* A key that lives as long as the process, random, the same for every caller. */
const struct hash_key *hash_process_key(void);

/* A fresh random key. */
struct hash_key hash_new_key(void);

/* The hash of bytes under key. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);
