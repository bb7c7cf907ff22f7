// SPDX-License-Identifier: MIT
//
// Rules: what an administrator has changed while the program runs, from the page, by the adviser or
// on the command line. They lie in <data>/rules.json and are read after the configuration, which is
// never rewritten; a rule is taken back by its number. A change is on the disk before it counts:
// the file is replaced whole (temporary file, rename). Any thread may call; changes wait for the
// disk and for each other, lists for nobody.
//
//   {"format": 1, "next": 3, "rules": [{"id": 2, "list": "blacklist", "server": "acme",
//     "value": "nv.*", "origin": "adviser", "at_ms": 1800000000000, "comment": ""}]}
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum {
    RULES_FORMAT = 1,
    RULES_MAX = 1000,
    RULE_VALUE_BYTES = 4096,
    RULE_SERVER_BYTES = 64,
    RULE_COMMENT_BYTES = 200,
};

enum rule_list {
    RULE_EVERYWHERE, /* a pattern of general.blacklist */
    RULE_BLACKLIST,  /* a pattern of a server's, as the next one */
    RULE_WHITELIST,
    RULE_RETRY,    /* a server's retryTimeout, as the configuration writes it: "10m" */
    RULE_PRIORITY, /* a server's */
    RULE_ENABLED,  /* a server's: "true" or "false" */
    RULE_ORDER,    /* of all servers: a JSON list of identifiers; the others follow as they were */
    RULE_LISTS
};

enum rule_origin { RULE_PAGE, RULE_ADVISER, RULE_COMMAND_LINE, RULE_ORIGINS };

struct rule {
    uint64_t id; /* from 1; never given twice */
    enum rule_list list;
    char server[RULE_SERVER_BYTES]; /* its identifier; empty where the list is no server's */
    char value[RULE_VALUE_BYTES];
    enum rule_origin origin;
    int64_t at_ms;
    char comment[RULE_COMMENT_BYTES];
};

struct rules;

/* Reads the file in a folder; `path` is the folder's, root_fd is it opened and stays the caller's.
   A file that cannot be understood is set aside, which is logged, and there are no rules then.
   NULL: a later version has written it. */
struct rules *rules_open(const char *path, int root_fd, struct error *err) MUST_CHECK;

/* The same only to look at them: nothing is set aside, and none can be added or undone. NULL: the
   file is there and cannot be used. */
struct rules *rules_read(const char *path, struct error *err) MUST_CHECK;

/* NULL is allowed. */
void rules_free(struct rules *rules);

/* Could this rule be one? A bad pattern is told with its character, as in the configuration.
   Whether there is such a server is not looked at. */
bool rule_check(const struct rule *rule, struct error *err) MUST_CHECK;

/* Adds a rule; its number and time are given here. One that would change nothing, since the last
   one of its list and server says so, or any one has that pattern, is ERROR_INVALID. */
bool rules_add(struct rules *rules, struct rule *rule, struct error *err) MUST_CHECK;

/* Takes a rule back. *out_found: was there one with this number? */
bool rules_undo(struct rules *rules, uint64_t id, bool *out_found, struct error *err) MUST_CHECK;

/* Shows the rules, the oldest first, until show returns false. show must not call back. */
void rules_each(struct rules *rules, bool (*show)(const struct rule *rule, void *context),
                void *context);

/* "blacklist", "page": as they stand in the file and in the API. */
const char *rule_list_name(enum rule_list list);
bool rule_list_parse(const char *name, enum rule_list *out_list) MUST_CHECK;
const char *rule_origin_name(enum rule_origin origin);
bool rule_origin_parse(const char *name, enum rule_origin *out_origin) MUST_CHECK;

/* Is it about one server? */
bool rule_has_server(enum rule_list list);

/* Appends the line of the configuration that does the same, without its place: `"blacklist":
   ["nv.*"]`. An order has a line for each of its servers. */
void rule_append_line(struct buffer *out, const struct rule *rule);

/* Appends the line that gives a server its priority, with its place as a comment. */
void rule_append_priority(struct buffer *out, const char *server, unsigned priority);

/* Appends the rule as a JSON object. */
void rule_append(struct buffer *out, const struct rule *rule);
