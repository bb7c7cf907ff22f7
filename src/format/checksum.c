// SPDX-License-Identifier: MIT
#include "format/checksum.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { READ_BYTES = 64 * 1024 };

struct sum {
    EVP_MD_CTX *context;
    unsigned char wanted[EVP_MAX_MD_SIZE];
};

struct sums {
    struct sum each[CHECKSUMS_MAX];
    unsigned count;
};

static void release_sums(struct sums *sums) {
    for (unsigned i = 0; i < sums->count; i++)
        EVP_MD_CTX_free(sums->each[i].context);
}

/* The algorithm that `length` bytes of text name, NULL for one that is not known here. */
static const EVP_MD *find_algorithm(const char *text, size_t length) {
    char name[8];
    if (!text_copy_n(name, sizeof name, text, length))
        return NULL;
    if (text_same(name, "SHA256"))
        return EVP_sha256();
    if (text_same(name, "SHA384"))
        return EVP_sha384();
    if (text_same(name, "SHA512"))
        return EVP_sha512();
    return text_same(name, "SHA1") ? EVP_sha1() : NULL;
}

static bool parse_digits(const char *text, size_t bytes, unsigned char *out) {
    for (size_t i = 0; i < 2 * bytes; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (!at)
            return false;
        out[i / 2] = (unsigned char)(out[i / 2] << 4 | ((at - digits) & 15));
    }
    return true;
}

/* Begins the sum that "ALGORITHM:digits" names; other words are passed over. */
static void add_sum(struct sums *sums, const char *word, size_t length) {
    const char *colon = memchr(word, ':', length);
    const EVP_MD *algorithm = colon ? find_algorithm(word, (size_t)(colon - word)) : NULL;
    if (!algorithm || sums->count == CHECKSUMS_MAX)
        return;
    size_t bytes = (size_t)EVP_MD_get_size(algorithm);
    struct sum *sum = &sums->each[sums->count];
    *sum = (struct sum){0};
    if ((size_t)(word + length - colon) - 1 != 2 * bytes ||
        !parse_digits(colon + 1, bytes, sum->wanted))
        return;
    sum->context = EVP_MD_CTX_new();
    if (!sum->context || EVP_DigestInit_ex(sum->context, algorithm, NULL) != 1)
        abort(); /* out of memory for a few hundred bytes */
    sums->count++;
}

static void parse_header(struct sums *sums, const char *header) {
    sums->count = 0;
    for (;;) {
        header += strspn(header, "; \t");
        size_t length = strcspn(header, "; \t");
        if (length == 0)
            return;
        add_sum(sums, header, length);
        header += length;
    }
}

/* Zeroes what of the file's id lies in the piece. */
static void hide_id(unsigned char *piece, size_t length, uint64_t at, uint64_t id_at) {
    for (uint64_t i = id_at; i < id_at + PORTABLE_ID_BYTES; i++)
        if (i >= at && i - at < length)
            piece[i - at] = 0;
}

static bool sum_file(const struct view *view, uint64_t id_at, struct sums *sums,
                     struct error *err) {
    CLEANUP(free_block) unsigned char *piece = NEW_ARRAY(unsigned char, READ_BYTES);
    for (uint64_t at = 0; at < view->length;) {
        uint64_t left = view->length - at;
        size_t length = left < READ_BYTES ? (size_t)left : READ_BYTES;
        if (!view_read(view, piece, length, at, err))
            return false;
        hide_id(piece, length, at, id_at);
        for (unsigned i = 0; i < sums->count; i++)
            EVP_DigestUpdate(sums->each[i].context, piece, length);
        at += length;
    }
    return true;
}

enum checksum_outcome checksum_compare(const struct view *view, const struct identity *identity,
                                       const char *wanted, struct error *err) {
    CLEANUP(release_sums) struct sums sums;
    parse_header(&sums, wanted);
    if (sums.count == 0)
        return CHECKSUM_UNSAID;
    if (!sum_file(view, identity->portable_id_at, &sums, err))
        return CHECKSUM_FAILED;
    enum checksum_outcome outcome = CHECKSUM_DIFFERENT;
    for (unsigned i = 0; i < sums.count; i++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        EVP_DigestFinal_ex(sums.each[i].context, digest, &length);
        if (memcmp(digest, sums.each[i].wanted, length) == 0)
            outcome = CHECKSUM_EQUAL;
    }
    return outcome;
}
