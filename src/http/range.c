// SPDX-License-Identifier: MIT
#include "http/range.h"

#include <string.h>
#include <strings.h>

static const char *skip_space(const char *text) {
    return text + strspn(text, " \t");
}

/* A number past 64 bits stands for the largest: such a range is far behind any end. */
static bool take_number(const char **at, uint64_t *out_number) {
    const char *digit = *at;
    uint64_t number = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        uint64_t value = (uint64_t)(*digit - '0');
        number = number > (UINT64_MAX - value) / 10 ? UINT64_MAX : number * 10 + value;
    }
    if (digit == *at)
        return false;
    *at = digit;
    *out_number = number;
    return true;
}

static bool take_range(const char **at, struct range *out) {
    bool has_first = take_number(at, &out->first);
    if (**at != '-')
        return false;
    (*at)++;
    if (!has_first) {
        out->kind = RANGE_SUFFIX;
        return take_number(at, &out->length);
    }
    out->kind = RANGE_FROM;
    if (!take_number(at, &out->last))
        out->last = UINT64_MAX;
    return out->first <= out->last;
}

struct range range_parse(const char *value) {
    static const char unit[] = "bytes=";
    const struct range none = {RANGE_NONE};
    struct range range = none;
    const char *at = skip_space(value);
    if (strncasecmp(at, unit, sizeof unit - 1) != 0)
        return none;
    at = skip_space(at + sizeof unit - 1);
    if (!take_range(&at, &range))
        return none;
    return *skip_space(at) == '\0' ? range : none;
}

enum range_fit range_resolve(const struct range *range, uint64_t size, uint64_t *out_first,
                             uint64_t *out_end) {
    uint64_t first = 0;
    uint64_t end = size;
    switch (range->kind) {
    case RANGE_NONE:
        *out_first = 0;
        *out_end = size;
        return RANGE_WHOLE;
    case RANGE_FROM:
        first = range->first;
        if (range->last < size)
            end = range->last + 1;
        break;
    case RANGE_SUFFIX:
        first = range->length < size ? size - range->length : 0;
        break;
    }
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *out_first = first;
    *out_end = end;
    return RANGE_PART;
}
