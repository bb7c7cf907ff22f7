// SPDX-License-Identifier: MIT
#include "proxy/telling.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "proxy/telling_words.h"

enum { ARGUMENT_BYTES = 512 };

struct filler {
    char *out;
    size_t size;
    size_t used;
};

static void add(struct filler *filler, const char *text, size_t length) {
    size_t room = filler->size - 1 - filler->used;
    size_t fits = length < room ? length : room;
    memcpy(filler->out + filler->used, text, fits);
    filler->used += fits;
    filler->out[filler->used] = '\0';
}

static void add_server(struct filler *filler, const char *server, bool capital) {
    char named[128];
    if (server && server[0])
        text_format(named, sizeof named, "%s \"%s\"", capital ? "Server" : "server", server);
    else
        text_copy(named, sizeof named, capital ? "A server" : "a server");
    add(filler, named, strlen(named));
}

static bool is(const char *word, size_t length, const char *name) {
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

static void add_fact(struct filler *filler, const char *word, size_t length,
                     const struct facts *facts) {
    char status[16];
    char argument[ARGUMENT_BYTES];
    text_format(status, sizeof status, "%d", facts->status);
    if (!facts->key || !facts->key[0] || !text_quote_shell(argument, sizeof argument, facts->key))
        text_copy(argument, sizeof argument, "NAME/ID");
    const struct {
        const char *name, *value, *otherwise;
    } rows[] = {
        {"rule", facts->rule, "?"},           {"what", facts->what, "it is not known why"},
        {"argument", argument, NULL},         {"time", facts->time, "a moment"},
        {"place", facts->place, "the cache"}, {"status", status, "?"},
    };
    if (is(word, length, "server") || is(word, length, "Server")) {
        add_server(filler, facts->server, word[0] == 'S');
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is(word, length, rows[i].name)) {
            const char *value = rows[i].value && rows[i].value[0] ? rows[i].value : NULL;
            value = value ? value : rows[i].otherwise;
            add(filler, value, strlen(value));
            return;
        }
    assert(false); /* the table has a word that there is not */
}

/* Is it ": {what}" that comes, and there is nothing to be said? */
static bool adds_nothing(const char *pattern, size_t plain, const struct facts *facts) {
    return facts->what && !facts->what[0] && text_starts(pattern + plain, "{what}") && plain >= 2 &&
           memcmp(pattern + plain - 2, ": ", 2) == 0;
}

static void fill(const char *pattern, const struct facts *facts, char *out, size_t size) {
    struct filler filler = {out, size, 0};
    out[0] = '\0';
    while (*pattern) {
        size_t plain = strcspn(pattern, "{");
        if (adds_nothing(pattern, plain, facts)) {
            add(&filler, pattern, plain - strlen(": "));
            pattern += plain + strlen("{what}");
            continue;
        }
        add(&filler, pattern, plain);
        pattern += plain;
        if (!*pattern)
            break;
        size_t length = strcspn(pattern, "}");
        add_fact(&filler, pattern + 1, length - 1, facts);
        pattern += length + 1;
    }
}

static void fill_both(const struct words *chosen, const struct facts *facts,
                      struct telling *out_telling) {
    fill(chosen->sentence, facts, out_telling->sentence, sizeof out_telling->sentence);
    fill(chosen->cure, facts, out_telling->cure, sizeof out_telling->cure);
}

const char *telling_what(const char *what, const char *server) {
    char named[128], status[128];
    text_format(named, sizeof named, "source \"%s\": ", server);
    text_format(status, sizeof status, "source \"%s\" answered with status ", server);
    if (text_starts(what, named))
        return what + strlen(named);
    if (!text_starts(what, status))
        return what;
    what += strlen(status);
    what += strspn(what, "0123456789");
    return what + strspn(what, ": ");
}

void tell(enum told told, const struct facts *facts, struct telling *out_telling) {
    assert(told < TOLD_COUNT);
    fill_both(&telling_words[told], facts, out_telling);
}

/* What was noted of a host behind the server, which rests; NULL: it rests itself. */
static const char *what_of_host(const struct facts *facts) {
    char leads[128];
    text_format(leads, sizeof leads, "source \"%s\" redirects to ",
                facts->server ? facts->server : "");
    return facts->what && text_starts(facts->what, leads) ? facts->what + strlen(leads) : NULL;
}

void tell_failure(enum error_kind kind, const struct facts *facts, struct telling *out_telling) {
    assert(kind < ERROR_KIND_COUNT);
    const struct words *chosen = &telling_failures[kind];
    const char *host = kind == ERROR_RESTING ? what_of_host(facts) : NULL;
    if (host) {
        struct facts of_host = *facts;
        of_host.what = host;
        fill_both(&telling_host_rests, &of_host, out_telling);
        return;
    }
    for (size_t i = 0; kind == ERROR_STATUS && i < telling_status_count; i++)
        if (facts->status >= telling_statuses[i].from && facts->status <= telling_statuses[i].to)
            chosen = &telling_statuses[i].words;
    fill_both(chosen, facts, out_telling);
}

enum told told_of_policy(enum policy_word word) {
    switch (word) {
    case POLICY_DISABLED:
        return TOLD_DISABLED;
    case POLICY_KIND:
        return TOLD_KIND;
    case POLICY_WHITELIST:
        return TOLD_WHITELIST;
    case POLICY_BLACKLIST:
        return TOLD_BLACKLIST;
    case POLICY_GLOBAL:
        return TOLD_GLOBAL;
    case POLICY_GIVEN_UP:
        return TOLD_GIVEN_UP;
    case POLICY_FOLLOWS:
        return TOLD_FOLLOWS;
    case POLICY_ADMITTED:
    case POLICY_WORDS:
        break;
    }
    assert(false);
    return TOLD_EXCLUDED;
}
