// SPDX-License-Identifier: MIT
#include "symbol/content.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const int64_t settled_ns = 10 * INT64_C(1000000000);
static const int64_t ahead_ns_max = 24 * 60 * 60 * INT64_C(1000000000);

/* What is left of the bytes that are looked at. */
struct look {
    const char *at;
    const char *end;
};

/* The tags by which browsers know a page that does not say what it is (WHATWG MIME Sniffing, 7.1).
 */
static const char *const page_tags[] = {
    "!doctype html", "html",  "head", "script", "iframe", "h1", "div",  "font", "table", "a",
    "style",         "title", "b",    "body",   "br",     "p",  "meta",
};

static size_t look_left(const struct look *look) {
    return (size_t)(look->end - look->at);
}

static bool look_at(const struct look *look, const char *text) {
    size_t length = strlen(text);
    return look_left(look) >= length && strncasecmp(look->at, text, length) == 0;
}

static void look_skip_space(struct look *look) {
    while (look->at < look->end && strchr(" \t\r\n\f", *look->at) && *look->at)
        look->at++;
}

/* Skips from `begin`, which stands here, past `finish`. */
static bool look_skip_block(struct look *look, const char *begin, const char *finish) {
    if (!look_at(look, begin))
        return false;
    size_t length = strlen(finish);
    const char *found = memmem(look->at, look_left(look), finish, length);
    look->at = found ? found + length : look->end;
    return true;
}

static bool look_at_tag(const struct look *look, const char *tag) {
    struct look after = {look->at + 1, look->end};
    if (!look_at(&after, tag))
        return false;
    after.at += strlen(tag);
    return after.at == after.end || (*after.at && strchr(" \t\r\n\f/>", *after.at));
}

static bool looks_like_page(struct look look) {
    if (look_at(&look, "\xef\xbb\xbf"))
        look.at += 3;
    do
        look_skip_space(&look);
    while (look_skip_block(&look, "<!--", "-->") || look_skip_block(&look, "<?xml", "?>"));
    if (look.at == look.end || *look.at != '<')
        return false;
    for (size_t i = 0; i < sizeof page_tags / sizeof page_tags[0]; i++)
        if (look_at_tag(&look, page_tags[i]))
            return true;
    return false;
}

/* No binary format that anyone asks for goes without control characters for so long. */
static bool looks_like_text(struct look look) {
    for (; look.at < look.end; look.at++) {
        unsigned char byte = (unsigned char)*look.at;
        if ((byte < 0x20 && !(byte >= '\t' && byte <= '\r') && byte != 0x1b) || byte == 0x7f)
            return false;
    }
    return true;
}

bool content_settled(int64_t modified_ns, int64_t now_ns) {
    int64_t age_ns = now_ns - modified_ns;
    return age_ns >= settled_ns || age_ns < -ahead_ns_max;
}

enum content_look content_look(const void *bytes, size_t length) {
    if (length == 0)
        return CONTENT_EMPTY;
    if (length > CONTENT_LOOK_BYTES)
        length = CONTENT_LOOK_BYTES;
    struct look look = {bytes, (const char *)bytes + length};
    if (looks_like_page(look))
        return CONTENT_HTML;
    return looks_like_text(look) ? CONTENT_TEXT : CONTENT_BINARY;
}

static bool may_be_page(const struct symbol_key *key) {
    return key->identifier == IDENTIFIER_SHA1 || text_ends_folded(key->name, ".htm") ||
           text_ends_folded(key->name, ".html");
}

static bool may_be_text(const struct symbol_key *key) {
    switch (key->kind) {
    case KIND_PDB:
    case KIND_PE:
    case KIND_ELF:
    case KIND_MACHO:
        return false;
    case KIND_OTHER:
    case KIND_SYM:
    case KIND_COUNT:
        break;
    }
    return true;
}

static bool refuse_page(const struct content *content, struct error *err) {
    if (content->redirected)
        return error_set(err, ERROR_HTML, "a login page came after a redirect instead of the file");
    return error_set(err, ERROR_HTML, "a web page came instead of the file");
}

bool content_acceptable(const struct symbol_key *key, const struct content *content,
                        const void *first_bytes, size_t length, struct error *err) {
    enum content_look look = content_look(first_bytes, length);
    /* Servers call many a binary file text/html, so their word counts only where the bytes agree.
     */
    if (look == CONTENT_TEXT && content->announced_html)
        look = CONTENT_HTML;
    switch (look) {
    case CONTENT_EMPTY:
        return error_set(err, ERROR_EMPTY, "the body is empty");
    case CONTENT_HTML:
        return may_be_page(key) || refuse_page(content, err);
    case CONTENT_TEXT:
        return may_be_text(key) ||
               error_set(err, ERROR_TEXT, "plain text came where a %s file was expected",
                         symbol_kind_name(key->kind));
    case CONTENT_BINARY:
        break;
    }
    return true;
}
