// SPDX-License-Identifier: MIT
#include "http/conditional.h"

#include <string.h>

#include "base/line.h"
#include "http/date.h"

/* One entity tag in a header value; `text` begins with its quote. */
struct tag {
    const char *text;
    size_t length;
    bool weak;
};

void conditional_etag(int64_t modified_ns, char out[ETAG_BYTES]) {
    struct line line;
    line_begin(&line, out, ETAG_BYTES);
    line_text(&line, "\"");
    line_hex(&line, (uint64_t)modified_ns, 1);
    line_text(&line, "\"");
}

static bool take_tag(const char **at, struct tag *out) {
    const char *text = *at;
    out->weak = text[0] == 'W' && text[1] == '/';
    if (out->weak)
        text += 2;
    if (text[0] != '"')
        return false;
    const char *end = strchr(text + 1, '"');
    if (!end)
        return false;
    out->text = text;
    out->length = (size_t)(end + 1 - text);
    *at = end + 1;
    return true;
}

static bool tag_is(const struct tag *tag, const char *etag) {
    return strlen(etag) == tag->length && memcmp(tag->text, etag, tag->length) == 0;
}

/* Weak tags match too: for this header both kinds do (RFC 9110 13.1.2). */
static bool list_has(const char *list, const char *etag) {
    static const char between[] = " \t,";
    const char *at = list + strspn(list, between);
    if (at[0] == '*' && at[1 + strspn(at + 1, " \t")] == '\0')
        return true;
    struct tag tag;
    while (take_tag(&at, &tag)) {
        if (tag_is(&tag, etag))
            return true;
        at += strspn(at, between);
    }
    return false;
}

bool conditional_not_modified(const char *if_none_match, const char *if_modified_since,
                              const char *etag, int64_t modified_s) {
    if (*if_none_match)
        return list_has(if_none_match, etag);
    int64_t since;
    return date_parse(if_modified_since, &since) && modified_s <= since;
}

bool conditional_range_allowed(const char *if_range, const char *etag, int64_t modified_s) {
    if (!*if_range)
        return true;
    struct tag tag;
    const char *at = if_range;
    if (take_tag(&at, &tag))
        return !tag.weak && *at == '\0' && tag_is(&tag, etag);
    int64_t date;
    return date_parse(if_range, &date) && date == modified_s;
}
