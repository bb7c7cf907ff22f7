// SPDX-License-Identifier: MIT
#include "base/numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct unit {
    const char *name;
    uint64_t amount;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"PiB", UINT64_C(1) << 50},
    {"KB", UINT64_C(1) << 10},
    {"MB", UINT64_C(1) << 20},
    {"GB", UINT64_C(1) << 30},
    {"TB", UINT64_C(1) << 40},
    {"PB", UINT64_C(1) << 50},
    {"K", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"T", UINT64_C(1) << 40},
    {"P", UINT64_C(1) << 50},
    {NULL, 0},
};
static const struct unit *const shown_sizes = &size_units[1];
enum { SHOWN_SIZES = 6 };

static const struct unit time_units[] = {
    {"ms", 1},      {"s", 1000},     {"m", 60000},
    {"h", 3600000}, {"d", 86400000}, {"", 1000}, /* bare seconds */
    {NULL, 0},
};
enum { SHOWN_TIMES = 5, TIME_SECONDS = 1 };

/* Reads digits; returns where they end, or NULL when there are none or too many. */
static const char *read_digits(const char *text, uint64_t *out_number) {
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return NULL;
    if (at == text)
        return NULL;
    *out_number = number;
    return at;
}

bool number_parse(const char *text, uint64_t *out_number) {
    uint64_t number = 0;
    const char *end = read_digits(text, &number);
    if (!end || *end)
        return false;
    *out_number = number;
    return true;
}

bool number_parse_hex(const char *text, size_t length, uint64_t *out_number) {
    if (length < 1 || length > 16)
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + ('a' - 'A')) : text[i];
        const char *digit = memchr(digits, c, 16);
        if (!digit)
            return false;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    *out_number = number;
    return true;
}

static const struct unit *find_unit(const struct unit *units, const char *name) {
    for (const struct unit *unit = units; unit->name; unit++)
        if (text_same(unit->name, name))
            return unit;
    return NULL;
}

/* Parses "1.5 GiB" by a table of units. A fraction of the smallest unit makes no sense and is
 * refused. */
static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *out_amount) {
    uint64_t whole = 0;
    uint64_t fraction = 0;
    uint64_t scale = 1;
    const char *at = read_digits(text, &whole);
    if (!at)
        return false;
    if (*at == '.') {
        const char *digits = at + 1;
        at = read_digits(digits, &fraction);
        if (!at || at - digits > 9)
            return false;
        for (; digits < at; digits++)
            scale *= 10;
    }
    const struct unit *unit = find_unit(units, at + strspn(at, " "));
    if (!unit || (scale > 1 && unit->amount == 1))
        return false;
    /* In two steps, so that nothing runs over: both remainders are below 10^9. */
    uint64_t part = unit->amount / scale * fraction + unit->amount % scale * fraction / scale;
    uint64_t amount = 0;
    if (__builtin_mul_overflow(whole, unit->amount, &amount) ||
        __builtin_add_overflow(amount, part, &amount))
        return false;
    *out_amount = amount;
    return true;
}

bool number_parse_size(const char *text, uint64_t *out_bytes) {
    return parse_with_unit(text, size_units, out_bytes);
}

bool number_parse_time(const char *text, int64_t *out_ms) {
    uint64_t amount = 0;
    if (!parse_with_unit(text, time_units, &amount) || amount > (uint64_t)number_time_ms_max)
        return false;
    *out_ms = (int64_t)amount;
    return true;
}

/* amount in tenths of the unit, rounded. */
static uint64_t tenths_of(uint64_t amount, uint64_t unit) {
    return amount / unit * 10 + (amount % unit * 10 + unit / 2) / unit;
}

static void format_tenths(char *out, size_t size, uint64_t tenths, const char *space,
                          const char *unit) {
    if (tenths % 10 == 0)
        text_format(out, size, "%" PRIu64 "%s%s", tenths / 10, space, unit);
    else
        text_format(out, size, "%" PRIu64 ".%u%s%s", tenths / 10, (unsigned)(tenths % 10), space,
                    unit);
}

void number_format_size(char *out, size_t size, uint64_t bytes) {
    size_t i = 0;
    while (i + 1 < SHOWN_SIZES && bytes >= shown_sizes[i + 1].amount)
        i++;
    uint64_t tenths = tenths_of(bytes, shown_sizes[i].amount);
    if (tenths >= UINT64_C(10240) && i + 1 < SHOWN_SIZES) {
        i++; /* rounding has made 1024 KiB of it */
        tenths = 10;
    }
    format_tenths(out, size, tenths, " ", shown_sizes[i].name);
}

/* The largest unit in which the time is exact with one decimal, else a small one in which the tenth
 * says enough. */
static const struct unit *unit_for_time(uint64_t ms) {
    for (size_t i = SHOWN_TIMES; i-- > 0;)
        if (ms >= time_units[i].amount &&
            ms % time_units[i].amount * 10 % time_units[i].amount == 0)
            return &time_units[i];
    return NULL;
}

void number_format_time(char *out, size_t size, int64_t ms) {
    if (size == 0)
        return;
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    const char *sign = ms < 0 ? "-" : "";
    text_copy(out, size, sign);
    out += strlen(out);
    size -= strlen(sign) < size ? strlen(sign) : 0;
    if (left == 0) {
        text_copy(out, size, "0s");
        return;
    }
    /* ms is exact for every time, so there is always a unit; past 10 s nobody wants it. */
    const struct unit *unit = unit_for_time(left);
    if (unit->amount == 1 && left > 10000)
        unit = &time_units[TIME_SECONDS];
    format_tenths(out, size, tenths_of(left, unit->amount), "", unit->name);
}
