// SPDX-License-Identifier: MIT
//
// What one client asked for: a key, how it was spelled, in which form, and who asks. A plain value,
// copied freely. The check sums that a client sends with it are passed on to servers that want them
// and choose among builds of one portable PDB; they refuse none, for some clients repeat those of
// earlier files.
#pragma once

#include <netinet/in.h>

#include "symbol/key.h"

/* The forms in which a symbol store may hold one file: itself, compressed under a name that ends in
   "_", or a text "file.ptr" that says where it lies. Bits, so that sets can be told. */
enum form {
    FORM_PLAIN = 1,
    FORM_COMPRESSED = 2,
    FORM_POINTER = 4,
};

enum { FORMS_MAX = 3, CHECKSUMS_BYTES = 384 };

/* Who asks: an IPv4 address is kept as mapped IPv6. Queues are fair between addresses. */
struct address {
    struct in6_addr ip;
};

struct question {
    struct symbol_key key;
    struct spelling spelling;
    struct address client;
    char checksums[CHECKSUMS_BYTES]; /* "SHA256:…;SHA1:…", the last ones that came; or empty */
};

/* Adds what a SymbolChecksum header says: "SHA256:…;SHA384:…" (SSQP), also with commas. Words of
   another shape are passed over; a sum that is there already becomes the last one; where there is
   no more room, the first ones go. */
void question_add_checksums(struct question *question, const char *value, size_t length);

/* Would both be answered by the same search: same spelling, byte for byte? (Which sources are
   allowed depends on the spelling of the name alone.) */
bool question_same(const struct question *a, const struct question *b);
