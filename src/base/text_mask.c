// SPDX-License-Identifier: MIT
//
// What must not be seen of URLs and shares. One that has been cut off, or that somebody has written
// wrongly, is rather masked too much.
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { KEPT_MAX = 64, KEPT_LEAST = 16 };

static const char stars[] = "***";

/* Only added to, from one thread; read from any. */
static const char *kept[KEPT_MAX];
static atomic_uint kept_count;

void text_keep_secret(const char *value) {
    unsigned count = atomic_load(&kept_count);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(kept[i], value) == 0)
            return;
    if (count == KEPT_MAX || strlen(value) < KEPT_LEAST)
        return;
    kept[count] = memory_text(value);
    atomic_store_explicit(&kept_count, count + 1, memory_order_release);
}

/* The length of the kept secret that stands here; 0: none does. */
static size_t kept_length(const char *text, size_t left) {
    unsigned count = atomic_load_explicit(&kept_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(kept[i]);
        if (length <= left && memcmp(text, kept[i], length) == 0)
            return length;
    }
    return 0;
}

struct masked {
    char *out;
    size_t size, used;
};

static void put_byte(struct masked *masked, char byte) {
    if (masked->used + 1 < masked->size)
        masked->out[masked->used++] = byte;
}

static void put_stars(struct masked *masked) {
    for (size_t i = 0; i + 1 < sizeof stars; i++)
        put_byte(masked, stars[i]);
}

/* Byte by byte, so that what is too long is cut and not left out. */
static void put(struct masked *masked, const char *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t secret = kept_length(bytes + i, length - i);
        if (secret > 0)
            put_stars(masked);
        else
            put_byte(masked, bytes[i]);
        i += secret > 0 ? secret : 1;
    }
}

/* How much of an authority is user-info: all before its last '@'. Without one, all of it where the
   port is no number: then it has been cut off before the '@'. */
static size_t user_length(const char *authority, size_t length) {
    const char *at = memrchr(authority, '@', length);
    if (at)
        return (size_t)(at - authority);
    const char *host_end = *authority == '[' ? memchr(authority, ']', length) : authority;
    const char *colon =
        host_end ? memchr(host_end, ':', length - (size_t)(host_end - authority)) : NULL;
    if (!colon)
        return 0;
    const char *port = colon + 1, *end = authority + length;
    while (port < end && *port >= '0' && *port <= '9')
        port++;
    bool listed = port > colon + 1 && port < end && strchr(";*,)", *port);
    return port == end || listed ? 0 : length;
}

/* --- one URL --- */

static bool is_scheme(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("+-.", c));
}

static bool is_slash(char c) {
    return c == '/' || c == '\\';
}

/* The length of a share's "//" or "\\", or of Windows's "\\?\UNC\"; 0: the text begins with
 * neither. */
static size_t share_length(const char *text, size_t length) {
    static const char long_form[] = "//?/UNC/";
    if (length < 2 || !is_slash(text[0]) || text[1] != text[0])
        return 0;
    size_t same = 2;
    while (same < length && long_form[same] &&
           (long_form[same] == '/' ? is_slash(text[same]) : text[same] == long_form[same]))
        same++;
    if (!long_form[same])
        return same;
    return same >= 4 ? 4 : 2; /* a long path of a drive */
}

/* The length of "scheme://" or of a share's beginning at the head of a text; else 0. */
static size_t prefix_length(const char *text) {
    size_t length = 0, share = share_length(text, strlen(text));
    if (share > 0)
        return share;
    while (is_scheme(text[length]))
        length++;
    return length > 0 && strncmp(text + length, "://", 3) == 0 ? length + 3 : 0;
}

void text_mask_url(char *out, size_t size, const char *url) {
    size_t prefix = prefix_length(url);
    struct masked masked = {out, size, 0};
    const char *authority = url + prefix;
    bool share = prefix > 0 && is_slash(url[0]);
    size_t length = strcspn(authority, share ? "/\\?#" : "/?#");
    size_t user = prefix > 0 ? user_length(authority, length) : 0;
    /* To the end and not to a '#': a secret with a '#' in it must not come out by half. */
    const char *query = authority + length;
    query += prefix > 0 ? strcspn(query, "?") : strlen(query);
    put(&masked, url, prefix);
    if (user > 0)
        put_stars(&masked);
    put(&masked, authority + user, (size_t)(query - authority) - user);
    if (*query) {
        put(&masked, query, 1);
        put_stars(&masked);
    }
    if (size > 0)
        out[masked.used] = '\0';
}

size_t text_login_length(const char *authority) {
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    return at ? (size_t)(at + 1 - authority) : 0;
}

/* --- running text --- */

static bool ends_word(char c) {
    return (unsigned char)c <= ' ' || c == 0x7f || strchr("\"'<>`", c) != NULL;
}

static bool holds(const char *text, size_t left, const char *wanted) {
    size_t length = strlen(wanted);
    return left >= length && memcmp(text, wanted, length) == 0;
}

/* The length of what an authority follows; JSON may write slashes with backslashes before them. */
static size_t opener_length(const char *text, size_t at, size_t length) {
    const char *here = text + at;
    size_t left = length - at;
    if (holds(here, left, "://"))
        return 3;
    if (holds(here, left, ":\\/\\/"))
        return 5;
    bool begins = at == 0 || ends_word(here[-1]) || strchr("*;=(,", here[-1]);
    return begins ? share_length(here, left) : 0;
}

static size_t word_length(const char *text, size_t left, const char *also) {
    size_t length = 0;
    while (length < left && !ends_word(text[length]) && !strchr(also, text[length]))
        length++;
    return length;
}

static bool begins_query(const char *text, size_t at, size_t length) {
    return text[at] == '?' && at + 1 < length && !ends_word(text[at + 1]) &&
           (at == 0 || text[at - 1] != '<');
}

size_t text_mask_secrets(char *out, size_t size, const char *text, size_t length, bool cut) {
    struct masked masked = {out, size, 0};
    for (size_t at = 0; at < length;) {
        size_t secret = kept_length(text + at, length - at);
        if (secret > 0) {
            put_stars(&masked);
            at += secret;
            continue;
        }
        size_t opener = opener_length(text, at, length);
        size_t step = opener > 0 ? opener : 1;
        put(&masked, text + at, step);
        bool query = begins_query(text, at, length);
        at += step;
        if (query) {
            put_stars(&masked);
            at += word_length(text + at, length - at, "");
        } else if (opener > 0) {
            size_t authority = word_length(text + at, length - at, "/\\?#");
            size_t user = user_length(text + at, authority);
            if (user == 0 && cut && at + authority == length)
                user = authority;
            if (user > 0)
                put_stars(&masked);
            at += user;
        }
    }
    if (size > 0)
        out[masked.used] = '\0';
    return masked.used;
}
