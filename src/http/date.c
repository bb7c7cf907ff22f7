// SPDX-License-Identifier: MIT
#include "http/date.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static const int64_t first_second = -62167219200; /* the year 0 begins */
static const int64_t last_second = 253402300799;  /* the year 9999 ends */

static void put_number(char *out, int number, int digits) {
    while (digits-- > 0) {
        out[digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

void date_format(int64_t seconds, char out[DATE_BYTES]) {
    if (seconds < first_second)
        seconds = first_second;
    if (seconds > last_second)
        seconds = last_second;
    time_t moment = (time_t)seconds;
    struct tm utc;
    gmtime_r(&moment, &utc);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", DATE_BYTES);
    memcpy(out, weekdays[utc.tm_wday], 3);
    put_number(out + 5, utc.tm_mday, 2);
    memcpy(out + 8, months + 3 * utc.tm_mon, 3);
    put_number(out + 12, utc.tm_year + 1900, 4);
    put_number(out + 17, utc.tm_hour, 2);
    put_number(out + 20, utc.tm_min, 2);
    put_number(out + 23, utc.tm_sec, 2);
}

static bool take_text(const char **at, const char *text) {
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_number(const char **at, int digits, int *out_number) {
    int number = 0;
    for (int i = 0; i < digits; i++) {
        char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    *at += digits;
    *out_number = number;
    return true;
}

/* Whole or by its first three letters, which *out_whole tells. */
static bool take_weekday(const char **at, bool *out_whole) {
    for (size_t i = 0; i < sizeof weekdays / sizeof weekdays[0]; i++) {
        *out_whole = take_text(at, weekdays[i]);
        if (*out_whole)
            return true;
        if (strncmp(*at, weekdays[i], 3) == 0) {
            *at += 3;
            return true;
        }
    }
    return false;
}

static bool take_month(const char **at, int *out_month) {
    for (int month = 0; month < 12; month++) {
        if (strncmp(*at, months + (size_t)month * 3, 3) == 0) {
            *at += 3;
            *out_month = month;
            return true;
        }
    }
    return false;
}

static bool take_time(const char **at, struct tm *utc) {
    return take_number(at, 2, &utc->tm_hour) && take_text(at, ":") &&
           take_number(at, 2, &utc->tm_min) && take_text(at, ":") &&
           take_number(at, 2, &utc->tm_sec);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", after the weekday */
static bool take_fixed(const char *at, struct tm *utc) {
    int year;
    if (!take_text(&at, ", ") || !take_number(&at, 2, &utc->tm_mday) || !take_text(&at, " ") ||
        !take_month(&at, &utc->tm_mon) || !take_text(&at, " ") || !take_number(&at, 4, &year) ||
        !take_text(&at, " ") || !take_time(&at, utc) || !take_text(&at, " GMT"))
        return false;
    utc->tm_year = year - 1900;
    return *at == '\0';
}

/* Two digits that seem to lie more than 50 years ahead mean the century before. */
static int year_of_two_digits(int year) {
    time_t now = (time_t)clock_wall_s();
    struct tm utc;
    gmtime_r(&now, &utc);
    int this_year = utc.tm_year + 1900;
    int full = this_year - this_year % 100 + year;
    return full > this_year + 50 ? full - 100 : full;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", after the weekday */
static bool take_rfc850(const char *at, struct tm *utc) {
    int year;
    if (!take_text(&at, ", ") || !take_number(&at, 2, &utc->tm_mday) || !take_text(&at, "-") ||
        !take_month(&at, &utc->tm_mon) || !take_text(&at, "-") || !take_number(&at, 2, &year) ||
        !take_text(&at, " ") || !take_time(&at, utc) || !take_text(&at, " GMT"))
        return false;
    utc->tm_year = year_of_two_digits(year) - 1900;
    return *at == '\0';
}

/* "Sun Nov  6 08:49:37 1994", after the weekday */
static bool take_asctime(const char *at, struct tm *utc) {
    int year;
    if (!take_text(&at, " ") || !take_month(&at, &utc->tm_mon) || !take_text(&at, " "))
        return false;
    int digits = take_text(&at, " ") ? 1 : 2;
    if (!take_number(&at, digits, &utc->tm_mday) || !take_text(&at, " ") || !take_time(&at, utc) ||
        !take_text(&at, " ") || !take_number(&at, 4, &year))
        return false;
    utc->tm_year = year - 1900;
    return *at == '\0';
}

/* timegm would quietly make the 1st of March of a 30th of February. */
static bool seconds_of(const struct tm *utc, int64_t *out_seconds) {
    struct tm made = *utc;
    if (utc->tm_hour > 23 || utc->tm_min > 59 || utc->tm_sec > 60)
        return false;
    made.tm_sec = 0;
    int64_t seconds = (int64_t)timegm(&made) + utc->tm_sec;
    if (made.tm_mday != utc->tm_mday || made.tm_mon != utc->tm_mon)
        return false;
    *out_seconds = seconds;
    return true;
}

bool date_parse(const char *text, int64_t *out_seconds) {
    struct tm utc = {0};
    bool whole = false;
    if (!take_weekday(&text, &whole))
        return false;
    bool right =
        whole ? take_rfc850(text, &utc) : take_fixed(text, &utc) || take_asctime(text, &utc);
    return right && seconds_of(&utc, out_seconds);
}
