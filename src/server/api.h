// SPDX-License-Identifier: MIT
//
// What the routes of the API share. A route answers on its loop, or has a pool thread work for it:
// api_work calls the job there, which fills exchange->text (or the call's spool) and touches
// nothing else of the exchange but `call` and `settings`; the answer goes out when the job has
// returned.
#pragma once

#include "record/reading.h"
#include "server/internal.h"
#include "server/query.h"
#include "server/spool.h"

enum { ROWS_STANDARD = 100, ROWS_MOST = 1000 };

/* A request that a pool thread works for; the exchange owns it. */
struct api_call {
    struct server *server;
    char *query;
    struct buffer body; /* of the request; may be empty */
    char host[256];     /* the Host that the client has used */
    const char *type;   /* of the answer */
    int status;         /* 0: good; else the text is the reason */
    void (*job)(struct exchange *exchange);
    uint64_t seen;          /* of a stream of events: up to which change */
    _Atomic unsigned *held; /* its place among those of its kind, given back at the end */
    struct spool spool;     /* open: the answer lies here, not in the text */
    bool tells_begin;       /* of it: X-Symgate-From says where it begins */
};

/* NULL is allowed. */
void api_call_free(struct api_call *call);

/* Refuses on the loop, with a sentence. */
void api_refuse(struct exchange *exchange, int status, const char *reason);

/* Has the job run on a pool thread; its answer is JSON. */
void api_work(struct exchange *exchange, const char *query, const char *bytes,
              void (*job)(struct exchange *exchange));

/* In a job: the answer is this status with this sentence. */
void api_fail(struct exchange *exchange, int status, const char *reason);

/* In a job: the statistics, as they are now. NULL: they are switched off (nothing to be shown), or
   cannot be read (then api_fail was called). */
struct reading *api_reading(struct exchange *exchange);

/* In a job: has everything that was asked until now been counted and written? As far as it can be
   within a moment. */
void api_settle(struct exchange *exchange);

/* Appends `"name": "value"` with all that JSON wants escaped. */
void api_text(struct buffer *out, const char *name, const char *value);

/* The routes; each is called once the Host (and the rights, where it needs them) have been seen to.
 */
typedef void api_serve(struct exchange *exchange, const char *query, const char *bytes);
api_serve serve_rights, serve_overview, serve_history, serve_symbols, serve_symbol_sums,
    serve_missing, serve_servers, serve_requests, serve_events, serve_logs, serve_configuration,
    serve_explain, serve_test, serve_check, serve_rules, serve_rule_add, serve_rule_undo,
    serve_rule_preview, serve_rules_export, serve_advice, serve_advice_apply;

struct rule;

/* Reads a rule from a query; what is wrong with it is told (serve_rules.c). */
bool rule_read(const char *query, struct rule *out_rule, struct error *err);

/* Is there every server that a rule is about? */
bool rule_has_its_servers(const struct rule *rule, const struct roster *roster, struct error *err);

/* In a job: adds a rule and puts it in force; the answer is the rule, or what is wrong. */
void rule_add(struct exchange *exchange, struct rule *rule);

struct archive_row;

/* Appends a request as "requests" shows it (serve_requests.c). */
void request_append(struct buffer *out, const struct archive_row *row);

/* Appends what "overview" answers (serve_overview.c). May block. host: as the client wrote it;
   NULL: for nobody in particular and no moment, without url and now_ms. */
void overview_append(struct buffer *out, struct server *server, const struct settings *settings,
                     const char *host);

/* Appends a copy that is under way, as "copies" shows it (serve_api.c). */
void listing_append(struct buffer *out, const struct cache_listing *listing);

/* Appends the list that "copies" answers (serve_api.c). */
void copies_append(struct buffer *out, struct cache *cache);

/* A log file by its number (serve_logs.c): "/<n>.log". */
void serve_log(struct exchange *exchange, const char *number, size_t length, const char *query,
               const char *bytes);

/* Appends the totals as they stand in /statistics.json and in "overview" (serve_statistics.c). */
void totals_append(struct buffer *out, const struct server *server);

/* pySymProxy's statistics, and symbols' (serve_statistics.c). */
api_serve serve_statistics, serve_symbol_table;

/* The name to be shown of a row: "(other)" for those that were folded together. */
const char *shown_name(const struct sum_row *row);

/* Appends one name's object as it stands in /symbols.json, without braces around it; servers hits
   and misses are read. False when they cannot be. */
bool symbol_sums_append(struct buffer *out, struct reading *reading, const struct sum_row *row,
                        uint64_t pending, struct error *err);
