// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <string.h>

#include "base/text.h"

/* A walk over text that jansson has accepted, or is about to look at; never reads past its end all
 * the same. */
struct scan {
    const char *text;
    size_t length;
    size_t at;
};

static size_t bom_length(const char *text, size_t length) {
    return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* Line and column of a byte, from 1; a column is a character, as editors count. */
static void place_of(const char *text, size_t at, int *out_line, int *out_column) {
    int line = 1;
    int column = 1;
    for (size_t i = bom_length(text, at); i < at; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    *out_line = line;
    *out_column = column;
}

static char now(const struct scan *scan) {
    return scan->at < scan->length ? scan->text[scan->at] : '\0';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct scan *scan) {
    while (is_space(now(scan)))
        scan->at++;
}

static bool accept(struct scan *scan, char wanted) {
    skip_space(scan);
    if (scan->at >= scan->length || now(scan) != wanted)
        return false;
    scan->at++;
    return true;
}

static void skip_string(struct scan *scan) {
    scan->at++;
    while (scan->at < scan->length && now(scan) != '"')
        scan->at += now(scan) == '\\' ? 2 : 1;
    if (scan->at < scan->length)
        scan->at++;
}

static void skip_value(struct scan *scan) {
    skip_space(scan);
    int depth = 0;
    while (scan->at < scan->length) {
        char c = now(scan);
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return;
        if (c == '"') {
            skip_string(scan);
        } else {
            depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
            scan->at++;
        }
    }
}

/* Is the string token at [from, to), quotes included, this key? */
static bool token_is(const char *token, size_t length, const char *key, size_t key_length) {
    if (length < 2)
        return false;
    if (!memchr(token, '\\', length))
        return length - 2 == key_length && memcmp(token + 1, key, key_length) == 0;
    CLEANUP(json_unref) json_t *text = json_loadb(token, length, JSON_DECODE_ANY, NULL);
    return text && json_string_length(text) == key_length &&
           memcmp(json_string_value(text), key, key_length) == 0;
}

/* Stands before an object; goes to the value of a key: of the last one, as parsers do with doubled
 * keys. */
static bool enter_key(struct scan *scan, const char *key, size_t key_length) {
    if (!accept(scan, '{'))
        return false;
    size_t found = 0;
    for (;;) {
        skip_space(scan);
        if (now(scan) != '"')
            break;
        size_t from = scan->at;
        skip_string(scan);
        bool same = scan->at <= scan->length &&
                    token_is(scan->text + from, scan->at - from, key, key_length);
        if (!accept(scan, ':'))
            break;
        skip_space(scan);
        if (same)
            found = scan->at;
        skip_value(scan);
        if (!accept(scan, ','))
            break;
    }
    scan->at = found ? found : scan->at;
    return found > 0;
}

static bool enter_index(struct scan *scan, size_t index) {
    if (!accept(scan, '['))
        return false;
    for (size_t i = 0; i < index; i++) {
        skip_value(scan);
        if (!accept(scan, ','))
            return false;
    }
    skip_space(scan);
    return scan->at < scan->length && now(scan) != ']';
}

/* Reads "[12]"; returns what follows, or NULL. */
static const char *read_index(const char *path, size_t *out_index) {
    size_t index = 0;
    const char *at = path + 1;
    for (; *at >= '0' && *at <= '9' && at - path < 10; at++)
        index = index * 10 + (size_t)(*at - '0');
    if (*at != ']' || at == path + 1)
        return NULL;
    *out_index = index;
    return at + 1;
}

/* Goes one step along the path; returns the rest of it, or NULL when there is no such value. */
static const char *step(struct scan *scan, const char *path) {
    if (text_starts(path, "[\"")) {
        const char *end = strstr(path, "\"]");
        size_t length = end && end > path + 1 ? (size_t)(end - path - 2) : 0;
        return end && enter_key(scan, path + 2, length) ? end + 2 : NULL;
    }
    if (*path == '[') {
        size_t index = 0;
        const char *rest = read_index(path, &index);
        return rest && enter_index(scan, index) ? rest : NULL;
    }
    if (*path == '.')
        path++;
    size_t length = strcspn(path, ".[");
    return length > 0 && enter_key(scan, path, length) ? path + length : NULL;
}

bool json_locate(const char *text, size_t length, const char *path, int *out_line,
                 int *out_column) {
    struct scan scan = {text, length, bom_length(text, length)};
    while (path && *path)
        path = step(&scan, path);
    skip_space(&scan);
    if (!path || scan.at >= length)
        return false;
    place_of(text, scan.at, out_line, out_column);
    return true;
}

/* Where the token that ends at `end` begins: jansson only tells how far it has read. */
static size_t token_start(const char *text, size_t end) {
    if (end == 0 || text[end - 1] != '"')
        return end > 0 ? end - 1 : 0;
    for (size_t at = end - 1; at-- > 0;) {
        size_t slashes = 0;
        while (slashes < at && text[at - 1 - slashes] == '\\')
            slashes++;
        if (text[at] == '"' && slashes % 2 == 0)
            return at;
    }
    return 0;
}

static bool ends_value(char c) {
    return c == '"' || c == '}' || c == ']' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* Did a new value begin where only a comma could stand? Then returns the end of the value before
 * it, else 0. */
static size_t missing_comma(const char *text, const json_error_t *wrong, size_t read) {
    bool after_value =
        text_starts(wrong->text, "'}' expected") || text_starts(wrong->text, "']' expected");
    if (!after_value)
        return 0;
    size_t start = token_start(text, read);
    if (!strchr("\"{[", text[start]))
        return 0;
    while (start > 0 && is_space(text[start - 1]))
        start--;
    return start > 0 && ends_value(text[start - 1]) ? start : 0;
}

/* jansson quotes what it read last, which may be a secret: the place says enough. */
static void copy_reason(char *out, size_t size, const char *reason) {
    const char *near = strstr(reason, " near ");
    text_copy_n(out, size, reason, near ? (size_t)(near - reason) : strlen(reason));
}

static bool syntax_error(const char *text, size_t length, const json_error_t *wrong, int *line,
                         int *column, struct error *err) {
    size_t bom = bom_length(text, length);
    size_t read = wrong->position > 0 ? bom + (size_t)wrong->position : bom;
    size_t comma = missing_comma(text, wrong, read < length ? read : length);
    if (comma > 0) {
        place_of(text, comma, line, column);
        error_set(err, ERROR_INVALID, "a comma is missing");
        return error_hint(err, "Write a comma at the end of line %d.", *line);
    }
    char reason[sizeof wrong->text];
    copy_reason(reason, sizeof reason, wrong->text);
    *line = wrong->line > 0 ? wrong->line : 1;
    *column = wrong->column > 0 ? wrong->column : 1;
    error_set(err, ERROR_INVALID, "%s", reason);
    if (text_starts(reason, "invalid escape"))
        error_hint(err, "In JSON a backslash is written twice.");
    if (text_starts(reason, "unable to decode"))
        error_hint(err, "Save it as UTF-8.");
    return false;
}

bool json_parse(const char *text, size_t length, json_t **out_root, int *out_line, int *out_column,
                struct error *err) {
    size_t bom = bom_length(text, length);
    json_error_t wrong;
    json_t *root = json_loadb(text + bom, length - bom, 0, &wrong);
    if (root) {
        *out_root = root;
        return true;
    }
    int line = 1;
    int column = 1;
    syntax_error(text, length, &wrong, &line, &column, err);
    if (out_line)
        *out_line = line;
    if (out_column)
        *out_column = column;
    return false;
}

bool json_is_comment(const char *key) {
    return key[0] == '_' || text_starts(key, "//") || strcmp(key, "$schema") == 0;
}

bool json_has_duplicate(const char *text, size_t length, int *out_line, int *out_column,
                        struct error *out_told) {
    size_t bom = bom_length(text, length);
    json_error_t wrong;
    CLEANUP(json_unref)
    json_t *root = json_loadb(text + bom, length - bom, JSON_REJECT_DUPLICATES, &wrong);
    /* jansson stops at the first one, and tells it as: … near '"key"'. */
    const char *key = strstr(wrong.text, "near '\"");
    bool comment = key && json_is_comment(key + sizeof "near '\"" - 1);
    if (root || json_error_code(&wrong) != json_error_duplicate_key || comment)
        return false;
    *out_line = wrong.line;
    *out_column = wrong.column > 0 ? wrong.column : 1;
    error_set(out_told, ERROR_CONFIG, "a key stands there twice (%.120s)", wrong.text);
    return true;
}

void json_unref(json_t **value) {
    json_decref(*value);
}

const char *json_text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

long long json_integer_of(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}
