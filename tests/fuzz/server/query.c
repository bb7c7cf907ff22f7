// SPDX-License-Identifier: MIT
//
// A query as it stands behind the "?" of a request, read in all the ways that routes read theirs.
#include <stdlib.h>
#include <string.h>

#include "server/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static void read_all(const char *query) {
    static const char *const words[] = {"asc", "desc", NULL};
    char text[32];
    uint64_t number = 7;
    unsigned index = 0;
    struct error err = {0};
    bool there = query_has(query, "name");
    bool value = query_value(query, "name", text, sizeof text);
    require(there || !value);
    require(!value || strlen(text) < sizeof text);
    require(query_text(query, "name", text, sizeof text, &err) || there);
    if (query_number(query, "limit", 7, 1000, &number, &err))
        require(number <= 1000 && (number == 7 || query_has(query, "limit")));
    else
        require(query_has(query, "limit") && strstr(err.what, "limit"));
    if (query_choice(query, "order", words, 1, &index, &err))
        require(index < 2);
    else
        require(query_has(query, "order") && strstr(err.what, "asc, desc"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char *query = malloc(length + 1);
    if (!query)
        return 0;
    memcpy(query, bytes, length);
    query[length] = '\0';
    read_all(query);
    free(query);
    return 0;
}
