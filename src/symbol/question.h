// SPDX-License-Identifier: MIT
//
// What one client asked for: a key, how it was spelled, in which form, and who asks. A plain value,
// copied freely.
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

enum { FORMS_MAX = 3 };

/* Who asks: an IPv4 address is kept as mapped IPv6. Queues are fair between addresses. */
struct address {
    struct in6_addr ip;
};

struct question {
    struct symbol_key key;
    struct spelling spelling;
    struct address client;
};

/* Would both be answered by the same search: same spelling, byte for byte? (Which sources are
   allowed depends on the spelling of the name alone.) */
bool question_same(const struct question *a, const struct question *b);
