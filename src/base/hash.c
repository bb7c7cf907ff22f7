// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static struct hash_key process_key;
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void make_process_key(void) {
    process_key = hash_new_key();
}

const struct hash_key *hash_process_key(void) {
    pthread_once(&process_key_once, make_process_key);
    return &process_key;
}

struct hash_key hash_new_key(void) {
    struct hash_key key = {{0}};
    ssize_t got = getrandom(&key, sizeof key, 0);
    (void)got; /* 16 bytes are never given in part */
    return key;
}

static inline uint64_t rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

static inline void rounds(uint64_t v[4], int count) {
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t v[4] = {key->words[0] ^ 0x736f6d6570736575U, key->words[1] ^ 0x646f72616e646f6dU,
                     key->words[0] ^ 0x6c7967656e657261U, key->words[1] ^ 0x7465646279746573U};
    for (size_t left = length; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)length << 56;
    memcpy(&last, at, length & 7U);
    last |= (uint64_t)length << 56;
    v[3] ^= last;
    rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
