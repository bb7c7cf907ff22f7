// SPDX-License-Identifier: MIT
//
// Header values that end in numbers, dates and tags: eight bytes of size, then the value as a
// Range, an HTTP date and a list of entity tags.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/conditional.h"
#include "http/date.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static void check_range(const char *value, uint64_t size) {
    struct range range = range_parse(value);
    uint64_t first = 1;
    uint64_t end = 0;
    switch (range_resolve(&range, size, &first, &end)) {
    case RANGE_WHOLE:
        require(range.kind == RANGE_NONE && first == 0 && end == size);
        return;
    case RANGE_PART:
        require(first < end && end <= size);
        require(range.kind != RANGE_FROM || (first == range.first && end - 1 <= range.last));
        require(range.kind != RANGE_SUFFIX || (end == size && size - first <= range.length));
        return;
    case RANGE_UNSATISFIABLE:
        require(range.kind != RANGE_NONE && first == 1 && end == 0);
        return;
    }
}

static void check_date(const char *value) {
    int64_t seconds;
    int64_t again;
    char out[DATE_BYTES];
    if (!date_parse(value, &seconds))
        return;
    date_format(seconds, out);
    require(strlen(out) == DATE_BYTES - 1);
    require(date_parse(out, &again));
    require(again == seconds || seconds > 253402300799);
}

static void check_tags(const char *value) {
    char tag[ETAG_BYTES];
    conditional_etag(1, tag);
    if (*value && conditional_not_modified(value, "", tag, 0))
        require(strstr(value, tag) || strchr(value, '*'));
    if (*value && conditional_range_allowed(value, tag, -1))
        require(strcmp(value, tag) == 0 || strstr(value, "1969"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    uint64_t size;
    if (length < sizeof size)
        return 0;
    memcpy(&size, bytes, sizeof size);
    char *value = calloc(1, length - sizeof size + 1);
    require(value != NULL);
    memcpy(value, bytes + sizeof size, length - sizeof size);
    check_range(value, size);
    check_date(value);
    check_tags(value);
    free(value);
    return 0;
}
