// SPDX-License-Identifier: MIT
#include "server/query.h"

#include <string.h>

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

/* Where a parameter's value begins, and how long it is; NULL when it is not there. */
static const char *find(const char *query, const char *name, size_t *out_length) {
    size_t name_length = strlen(name);
    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            *out_length = length - name_length - 1;
            return at + name_length + 1;
        }
        at += length + (at[length] == '&');
    }
    return NULL;
}

bool query_has(const char *query, const char *name) {
    size_t length;
    return find(query, name, &length) != NULL;
}

bool query_value(const char *query, const char *name, char *out, size_t size) {
    size_t length = 0;
    bool decoded = true;
    const char *value = find(query, name, &length);
    if (!value)
        return false;
    CLEANUP(free_block) char *text = memory_new(length + 1);
    size_t used = text_decode_percent(text, value, length, &decoded);
    return decoded && strlen(text) == used && text_copy(out, size, text);
}

bool query_number(const char *query, const char *name, uint64_t standard, uint64_t most,
                  uint64_t *out_number, struct error *err) {
    char text[32];
    uint64_t number = standard;
    if (query_has(query, name) &&
        (!query_value(query, name, text, sizeof text) || !number_parse(text, &number)))
        return error_set(err, ERROR_INVALID, "\"%s\" is no whole number", name);
    if (number > most)
        return error_set(err, ERROR_INVALID, "\"%s\" may be %llu at most", name,
                         (unsigned long long)most);
    *out_number = number;
    return true;
}

bool query_text(const char *query, const char *name, char *out, size_t size, struct error *err) {
    out[0] = '\0';
    return !query_has(query, name) || query_value(query, name, out, size) ||
           error_set(err, ERROR_INVALID, "\"%s\" cannot be read, or is too long", name);
}

bool query_spelling(const char *query, struct spelling *out_spelling, struct error *err) {
    return query_text(query, "name", out_spelling->name, sizeof out_spelling->name, err) &&
           query_text(query, "id", out_spelling->id, sizeof out_spelling->id, err);
}

bool query_choice(const char *query, const char *name, const char *const *words, unsigned standard,
                  unsigned *out_index, struct error *err) {
    char text[64];
    *out_index = standard;
    if (!query_has(query, name))
        return true;
    if (query_value(query, name, text, sizeof text))
        for (unsigned i = 0; words[i]; i++)
            if (strcmp(text, words[i]) == 0) {
                *out_index = i;
                return true;
            }
    char known[200] = "";
    for (unsigned i = 0; words[i]; i++)
        text_format(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
                    words[i]);
    return error_set(err, ERROR_INVALID, "\"%s\" must be one of %s", name, known);
}
