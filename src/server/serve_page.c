// SPDX-License-Identifier: MIT
//
// The page at "/" as it is first painted: a report that needs no script, with what this is, its
// servers, what is under way, what failed last, what was refused. The scripts in web/ put the live
// page in its place. Everything that comes from outside is escaped. Under the name of another
// machine, as in DNS rebinding, it shows no figures.
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/quarantine.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "server/web.h"

enum {
    TRANSFERS_SHOWN = 100,
    FAILURES_SHOWN = 20,
    OUTCOMES_LOOKED_AT = 10000,
    REFUSED_SHOWN = 10,
    FIRST_BYTES_SHOWN = 64,
};

static void cell(struct buffer *out, const char *text) {
    char escaped[2048];
    text_escape_html(escaped, sizeof escaped, text);
    buffer_format(out, "<td>%s</td>", escaped);
}

static void number_cell(struct buffer *out, uint64_t number) {
    buffer_format(out, "<td class=n>%llu</td>", (unsigned long long)number);
}

static void size_cell(struct buffer *out, uint64_t bytes) {
    char size[32];
    number_format_size(size, sizeof size, bytes);
    buffer_format(out, "<td class=n>%s</td>", size);
}

/* The symbol path to set: as configured, else with the address that this client has used. */
static void append_sympath(struct buffer *out, const struct exchange *exchange, const char *bytes) {
    const char *configured = exchange->settings->default_sympath;
    char host[256], line[1024], escaped[2048];
    request_field(&exchange->request, bytes, FIELD_HOST, host, sizeof host);
    if (configured)
        text_copy(line, sizeof line, configured);
    else if (host[0])
        text_format(line, sizeof line, "srv*http://%s/symbols", host);
    else
        text_format(line, sizeof line, "srv*%ssymbols",
                    server_url(exchange->connection->loop->server, 0));
    text_escape_html(escaped, sizeof escaped, line);
    buffer_append_text(out, escaped);
}

static void append_title(struct buffer *out, const char *name) {
    buffer_format(out,
                  "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
                  "content=\"width=device-width,initial-scale=1\"><title>%s</title>"
                  "<link rel=icon id=icon href=%sicon.svg><link rel=stylesheet href=%sstyle.css>",
                  name, web_folder, web_folder);
}

static void append_head(struct buffer *out, const struct exchange *exchange, const char *bytes) {
    char name[256];
    text_escape_html(name, sizeof name, exchange->settings->identity_name);
    append_title(out, name);
    buffer_format(out,
                  "<script type=module src=%smain.js></script><body><div id=said role=status "
                  "aria-live=polite></div><main id=page class=report><h1>%s</h1><p>This is "
                  "symgate, one address in front of your symbol servers. Point debuggers at <code>",
                  web_folder, name);
    append_sympath(out, exchange, bytes);
    buffer_append_text(out, "</code>.</p>");
    const char *administrator = exchange->settings->administrator;
    if (!administrator)
        return;
    text_escape_html(name, sizeof name, administrator);
    buffer_format(out, "<p>Whom to ask: %s</p>", name);
}

/* For a browser that has come by a name that is not ours: what anybody knows who asks. */
static void append_teaching(struct buffer *out, const struct exchange *exchange,
                            const char *bytes) {
    char host[256], escaped[1024];
    request_field(&exchange->request, bytes, FIELD_HOST, host, sizeof host);
    text_escape_html(escaped, sizeof escaped, host[0] ? host : "THIS-SERVER");
    append_title(out, "symgate");
    buffer_format(
        out,
        "<body><main class=report><h1>symgate</h1><p>This is a symbol server. It shows its page "
        "under its own address, as localhost, and under the name in <code>identity.host</code> "
        "of its configuration; the name that you have used is none of these.</p><p>Symbols are "
        "served under any name: <code>srv*http://%s/symbols</code>.</p></main>",
        escaped);
}

/* What the live page shows too, of all the time that statistics go back to. */
static void append_totals(struct buffer *out, const struct ledger *ledger) {
    char since[32];
    time_t since_s = (time_t)(ledger_total(ledger, TOTAL_SINCE_MS) / 1000);
    struct tm parts;
    if (!ledger_enabled(ledger)) {
        buffer_append_text(out, "<p>Statistics are switched off.</p>");
        return;
    }
    uint64_t requests = ledger_total(ledger, TOTAL_REQUESTS);
    uint64_t excluded = ledger_total(ledger, TOTAL_EXCLUDED);
    uint64_t success = ledger_total(ledger, TOTAL_SUCCESS);
    strftime(since, sizeof since, "%F %T", localtime_r(&since_s, &parts));
    buffer_format(out,
                  "<h2>Since %s</h2><table><tr><th class=n>Requests<th class=n>Excluded<th class=n>"
                  "Successful<th class=n>Cache hits<th class=n>Failed<th class=n>Symbols<th "
                  "class=n>Sent<tr>",
                  since);
    number_cell(out, requests);
    number_cell(out, excluded);
    number_cell(out, success);
    number_cell(out, ledger_total(ledger, TOTAL_HITS));
    number_cell(out, requests - excluded - success);
    number_cell(out, ledger_names_seen(ledger));
    size_cell(out, ledger_total(ledger, TOTAL_BYTES));
    buffer_append_text(out, "</table>");
}

/* "rests until 12:00:00 after errors (10 failures, 2nd rest)" in words without markup. */
static void append_rest(struct buffer *out, const struct rest_view *view) {
    if (view->left_ms > 0) {
        char when[32];
        time_t until_s = (time_t)(clock_wall_s() + (view->left_ms + 999) / 1000);
        struct tm parts;
        strftime(when, sizeof when, "%F %T", localtime_r(&until_s, &parts));
        buffer_format(out, "rests until %s ", when);
    } else {
        buffer_append_text(out, "is tried again ");
    }
    buffer_append_text(out, rest_cause_told(view->cause));
    buffer_format(out, " (failures: %u, rests in a row: %u)", view->failures, view->rests);
}

static void show_host(const char *host, const struct rest_view *view, void *context) {
    struct buffer *out = context;
    char escaped[2048];
    text_escape_html(escaped, sizeof escaped, host);
    buffer_format(out, "<br><span class=bad>redirects to %s, which ", escaped);
    append_rest(out, view);
    buffer_append_text(out, "</span>");
}

static void append_state(struct buffer *out, const struct source *source) {
    struct rest_view view = rest_view(queue_rest(source->queue));
    if (!source->options.enabled)
        buffer_append_text(out, "switched off");
    else if (source->options.unaskable)
        buffer_append_text(out, "<span class=bad>cannot be asked</span>");
    else if (view.cause != REST_NONE) {
        buffer_append_text(out, "<span class=bad>");
        append_rest(out, &view);
        buffer_append_text(out, "</span>");
    } else if (rest_slow(queue_rest(source->queue)))
        buffer_append_text(out, "slow");
    else
        buffer_append_text(out, "<span class=good>in order</span>");
}

static void state_cell(struct buffer *out, const struct source *source) {
    buffer_append_text(out, "<td>");
    append_state(out, source);
    host_rests_list(queue_host_rests(source->queue), show_host, out);
    buffer_append_text(out, "</td>");
}

static void remote_cell(struct buffer *out, const struct source *source) {
    char masked[512], escaped[2048];
    text_mask_url(masked, sizeof masked, source->options.remote);
    text_escape_html(escaped, sizeof escaped, masked);
    buffer_format(out, "<td>%s%s</td>", escaped,
                  source->options.route.accept_bad_certificate
                      ? " <span class=bad>accepts any certificate</span>"
                      : "");
}

static void append_servers(struct buffer *out, const struct roster *roster) {
    buffer_append_text(out, "<h2>Servers</h2><table><tr><th>Server<th>Remote<th>State<th class=n>"
                            "Asked<th class=n>Found<th class=n>Absent<th class=n>Failed<th "
                            "class=n>Waiting<th class=n>Received");
    for (unsigned i = 0; i < roster->count; i++) {
        const struct source *source = roster->sources[i];
        buffer_append_text(out, "<tr>");
        cell(out, source->options.name);
        remote_cell(out, source);
        state_cell(out, source);
        number_cell(out, counted(&source->counters->asked));
        number_cell(out, counted(&source->counters->found));
        number_cell(out, counted(&source->counters->absent));
        number_cell(out, counted(&source->counters->failed));
        number_cell(out, counted(&queue_counters(source->queue)->waiting));
        size_cell(out, counted(&source->counters->bytes));
    }
    buffer_append_text(out, "</table>");
}

static void show_transfer(const struct cache_listing *listing, void *context) {
    struct buffer *out = context;
    buffer_append_text(out, "<tr>");
    cell(out, listing->key.name);
    cell(out, listing->source);
    size_cell(out, listing->state.written);
    if (listing->state.size == SIZE_UNKNOWN)
        buffer_append_text(out, "<td class=n>?</td>");
    else
        size_cell(out, listing->state.size);
    buffer_format(out, "<td class=n>%lld s</td><td class=n>%u</td>",
                  (long long)listing->age_ms / 1000, listing->readers);
}

static void append_transfers(struct buffer *out, struct cache *cache) {
    buffer_append_text(out, "<h2>Under way</h2><table><tr><th>Symbol<th>From<th class=n>Here<th "
                            "class=n>Of<th class=n>Age<th class=n>Clients");
    cache_list(cache, TRANSFERS_SHOWN, show_transfer, out);
    buffer_append_text(out, "</table>");
}

struct failures {
    struct buffer *out;
    unsigned left;
};

static bool show_failure(const struct outcome *outcome, const struct attempt_note *notes,
                         void *context) {
    (void)notes;
    struct failures *failures = context;
    if (!verdict_open(outcome->verdict) && !outcome->broken)
        return true;
    char when[32], key[NAME_BYTES_MAX + ID_BYTES_MAX + 2];
    time_t seconds = outcome->wall_ns / 1000000000;
    struct tm parts;
    strftime(when, sizeof when, "%H:%M:%S", localtime_r(&seconds, &parts));
    buffer_append_text(failures->out, "<tr>");
    cell(failures->out, when);
    text_format(key, sizeof key, "%s/%s", outcome->text.name, outcome->text.key_id);
    cell(failures->out, key);
    cell(failures->out, outcome->broken ? "broken off" : verdict_name(outcome->verdict));
    cell(failures->out, outcome->text.reason);
    return --failures->left > 0;
}

static void append_failures(struct buffer *out, struct recorder *recorder) {
    struct failures failures = {out, FAILURES_SHOWN};
    buffer_append_text(out,
                       "<h2>Last failures</h2><table><tr><th>Time<th>Symbol<th>Verdict<th>Why");
    recorder_recent(recorder, OUTCOMES_LOOKED_AT, show_failure, &failures);
    buffer_append_text(out, "</table>");
}

struct refused {
    struct buffer *out;
    bool with_first;
};

/* What can be read of the first bytes; the others are dots. */
static void first_cell(struct buffer *out, const struct quarantined *record) {
    char text[FIRST_BYTES_SHOWN + 1] = "";
    for (size_t i = 0; i < record->first_length && i < FIRST_BYTES_SHOWN; i++) {
        unsigned char byte = record->first[i];
        text[i] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
    }
    cell(out, text);
}

static void show_refused(const struct quarantined *record, void *context) {
    const struct refused *refused = context;
    struct buffer *out = refused->out;
    char when[32], symbol[NAME_BYTES_MAX + ID_BYTES_MAX + 2];
    time_t seconds = (time_t)record->last_s;
    struct tm parts;
    strftime(when, sizeof when, "%F %T", localtime_r(&seconds, &parts));
    text_format(symbol, sizeof symbol, "%s/%s", record->name, record->id);
    buffer_append_text(out, "<tr>");
    cell(out, when);
    cell(out, symbol);
    cell(out, record->server);
    cell(out, record->reason);
    size_cell(out, record->size);
    number_cell(out, record->times);
    if (refused->with_first)
        first_cell(out, record);
}

static void append_refused(struct buffer *out, struct quarantine *quarantine, bool with_first) {
    struct refused refused = {out, with_first};
    const struct quarantine_counters *counters = quarantine_counters(quarantine);
    buffer_format(out,
                  "<h2>Refused bodies: %llu</h2><table><tr><th>Last<th>Symbol<th>Server<th>Why"
                  "<th class=n>Size<th class=n>Times%s",
                  (unsigned long long)counted(&counters->records),
                  with_first ? "<th>First bytes" : "");
    quarantine_list(quarantine, NULL, NULL, REFUSED_SHOWN, show_refused, &refused);
    buffer_append_text(out, "</table>");
}

static void append_report(struct buffer *out, const struct exchange *exchange, const char *bytes) {
    const struct server_options *options = &exchange->connection->loop->server->options;
    append_head(out, exchange, bytes);
    append_totals(out, options->ledger);
    append_servers(out, exchange->settings->roster);
    append_transfers(out, options->cache);
    append_failures(out, options->recorder);
    append_refused(out, symbols_quarantine(options->symbols), trust_may_see(exchange, bytes));
    const char *file = exchange->settings->configuration_path;
    char escaped[1024];
    text_escape_html(escaped, sizeof escaped, file ? file : "the built-in default");
    buffer_format(out,
                  "<p>Configuration: %s. Figures for machines: <a href=/metrics>/metrics</a>."
                  "</main>",
                  escaped);
}

void serve_page(struct exchange *exchange, const char *bytes) {
    if (trust_knows_host(exchange, bytes))
        append_report(&exchange->text, exchange, bytes);
    else
        append_teaching(&exchange->text, exchange, bytes);
    answer_document(exchange, "text/html; charset=utf-8", "no-cache");
}
