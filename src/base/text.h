// SPDX-License-Identifier: MIT
//
// Text in place: bounded copies, ASCII folding, percent coding, masking of URLs. Nothing here
// allocates unless its name says "new". "Folded" always means ASCII letters to lower case; other
// bytes are left alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copies at most size - 1 bytes and ends with NUL; false when it had to cut. */
bool text_copy(char *out, size_t size, const char *text);

/* The same for text of a known length, which need not end with NUL. */
bool text_copy_n(char *out, size_t size, const char *text, size_t length);

/* Formats into out, cutting; false when it had to cut. */
bool text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Folds ASCII letters to lower case in place. */
void text_fold(char *text);

/* Raises ASCII letters to upper case in place. */
void text_raise(char *text);

/* Equal but for the case of ASCII letters? */
bool text_same(const char *a, const char *b);

/* Are the first `length` bytes all printing ASCII, space included? Quick, since most are. */
bool text_is_plain(const char *text, size_t length);

/* Does text begin with prefix? */
bool text_starts(const char *text, const char *prefix);

/* Does text begin with prefix, but for ASCII case? */
bool text_starts_folded(const char *text, const char *prefix);

/* Does text end with suffix, but for ASCII case? */
bool text_ends_folded(const char *text, const char *suffix);

/* Is every byte a hexadecimal digit, and are there `length` of them (0: any number but none)? */
bool text_is_hex(const char *text, size_t length);

/* Undoes percent coding of `length` bytes into out (which may be the same memory); returns the new
   length, and sets *out_ok false for a broken escape (%, %2, %zz), which is kept as it stands. Does
   not end with NUL. */
size_t text_decode_percent(char *out, const char *text, size_t length, bool *out_ok);

/* Percent-encodes everything but unreserved characters (RFC 3986) and those in `keep` (may be
   NULL); false when out is too small. */
bool text_encode_percent(char *out, size_t size, const char *text, const char *keep);

/* Escapes `length` bytes for the inside of a JSON string or of quotes in a log line; cuts at size,
   never within a character. Control characters, and those that turn the direction of writing,
   become \uXXXX, bytes that are no UTF-8 U+FFFD. */
void text_escape_json(char *out, size_t size, const char *text, size_t length);

/* One step of text_escape_json: escapes the first character of `length` bytes (at least 1) into
   piece, without NUL. Returns the length of the piece and sets how many bytes of text it stands
   for. */
size_t text_escape_json_one(char piece[8], const char *text, size_t length, size_t *out_used);

/* Escapes text for a terminal: as text_escape_json, but for line ends, tabs, quotes and
   backslashes, which stay. */
void text_escape_terminal(char *out, size_t size, const char *text);

/* Writes text as one argument of a command in a shell: as it is where it is harmless, else in
   single quotes, and behind "--" where it would be taken for an option. False when out is too
   small. */
bool text_quote_shell(char *out, size_t size, const char *text);

/* Escapes text for HTML, in attributes too; the rest as text_escape_json. */
void text_escape_html(char *out, size_t size, const char *text);

/* Masks the user-info of a URL or share ("//user@host/…"), and all from its query on, each by three
   asterisks; text that begins with neither is copied as it is. Everything that is logged or shown
   of a URL goes through here. */
void text_mask_url(char *out, size_t size, const char *url);

/* Has the two that mask hide this value wherever it stands, for ever: a secret in a URL's path,
   where none is looked for. Values of less than 16 bytes, which might be ordinary words, are not
   hidden. From one thread at a time. */
void text_keep_secret(const char *value);

/* The length of the user-info at the head of an authority, its '@' included; 0: there is none. */
size_t text_login_length(const char *authority);

/* The same as text_mask_url for all URLs and shares in running text (its length, NULs in it are
   allowed), and for what looks like a query; `cut`: more follows, which is not there. The masked
   text's length; it is followed by a NUL. */
size_t text_mask_secrets(char *out, size_t size, const char *text, size_t length, bool cut);

/* The distance between two words (insert, delete, replace, swap of neighbours), for suggestions;
   SIZE_MAX when a word is longer than 64 bytes. */
size_t text_distance(const char *a, const char *b);
