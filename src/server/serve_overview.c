// SPDX-License-Identifier: MIT
//
// What the page says first: whether all is well, what was asked, what lies on the disk, what has
// been saved; and who may change things.
#include "base/clock.h"
#include "base/numbers.h"
#include "base/text.h"
#include "server/api.h"
#include "store/usage.h"

enum health_state { HEALTH_GOOD, HEALTH_WARNING, HEALTH_BAD };

struct health {
    enum health_state state;
    char sentence[300];
    char cure[300];
};

struct servers {
    unsigned total;              /* that are switched on */
    unsigned answering;          /* neither resting, nor impossible to ask, nor silent so far */
    unsigned asked;              /* since the start */
    const struct source *silent; /* one that is not, or NULL */
    const struct source *failed; /* the one that has failed last, or NULL */
    uint64_t failed_ms;          /* when */
};

static bool was_asked(const struct source *source) {
    const struct source_counters *counters = source->counters;
    return counted(&counters->found) + counted(&counters->absent) + counted(&counters->failed) > 0;
}

/* One that was asked and has never answered does not answer, before it rests too. */
static bool answers(const struct source *source) {
    const struct source_counters *counters = source->counters;
    bool heard = counted(&counters->found) + counted(&counters->absent) > 0;
    return !source->options.unaskable && (heard || counted(&counters->failed) == 0) &&
           rest_view(queue_rest(source->queue)).cause == REST_NONE;
}

static struct servers look_at_servers(const struct roster *roster) {
    struct servers servers = {0};
    for (unsigned i = 0; i < roster->count; i++) {
        const struct source *source = roster->sources[i];
        if (!source->options.enabled)
            continue;
        servers.total++;
        servers.asked += was_asked(source);
        if (counted(&source->counters->failed_ms) > servers.failed_ms) {
            servers.failed = source;
            servers.failed_ms = counted(&source->counters->failed_ms);
        }
        if (answers(source))
            servers.answering++;
        else if (!servers.silent)
            servers.silent = source;
    }
    return servers;
}

static void judge_servers(const struct servers *servers, struct health *health) {
    static const char cure[] = "The servers' page says what each answered last.";
    if (servers->total == 0) {
        health->state = HEALTH_BAD;
        text_copy(health->sentence, sizeof health->sentence, "No server is switched on.");
        text_copy(health->cure, sizeof health->cure,
                  "Add one to \"servers\" in the configuration.");
    } else if (servers->answering == 0) {
        health->state = HEALTH_BAD;
        text_copy(health->sentence, sizeof health->sentence,
                  "No server answers at present; what lies in the cache is served.");
        text_copy(health->cure, sizeof health->cure, cure);
    } else if (servers->silent) {
        health->state = HEALTH_WARNING;
        text_format(health->sentence, sizeof health->sentence,
                    "%u of %u servers do not answer at present, \"%s\" is one.",
                    servers->total - servers->answering, servers->total,
                    servers->silent->options.name);
        text_copy(health->cure, sizeof health->cure, cure);
    }
}

static void judge_disk(const struct usage_view *usage, struct health *health) {
    char left[32];
    number_format_size(left, sizeof left, usage->free);
    if (!usage->usable) {
        health->state = HEALTH_BAD;
        text_copy(health->sentence, sizeof health->sentence,
                  "The cache cannot be used: files are delivered and not kept.");
        text_copy(health->cure, sizeof health->cure,
                  "Look at the folder of general.cacheLocation: is its disk mounted, may symgate "
                  "write there?");
    } else if (usage->low) {
        health->state = HEALTH_BAD;
        text_format(health->sentence, sizeof health->sentence,
                    "Only %s are left on the cache's disk: files are delivered and not kept.",
                    left);
        text_copy(health->cure, sizeof health->cure,
                  "Make room there, or lower general.minFreeSpace.");
    }
}

static void judge_ledger(struct ledger *ledger, struct health *health) {
    struct error why = {0};
    if (!ledger_trouble(ledger, &why))
        return;
    health->state = HEALTH_WARNING;
    text_format(health->sentence, sizeof health->sentence, "Statistics cannot be written: %.200s.",
                why.what);
    text_copy(health->cure, sizeof health->cure,
              why.hint[0] ? why.hint
                          : "Totals stay exact, names and requests are missing; look at the disk "
                            "of the data folder.");
}

/* The worst comes last, and is told. */
static struct health look_at_health(struct server *server, const struct servers *servers,
                                    const struct usage_view *usage) {
    struct health health = {.state = HEALTH_GOOD, .sentence = "All is well."};
    judge_ledger(server->options.ledger, &health);
    if (servers->answering < servers->total || servers->total == 0)
        judge_servers(servers, &health);
    if (server->options.usage)
        judge_disk(usage, &health);
    return health;
}

/* What is so for one client at one moment. */
static void append_moment(struct buffer *out, const struct server *server, const char *host) {
    char url[300];
    if (!host)
        return;
    if (host[0])
        text_format(url, sizeof url, "http://%s/", host);
    else
        text_copy(url, sizeof url, server_url(server, 0));
    api_text(out, "url", url);
    buffer_format(out, ", \"now_ms\": %lld, ", (long long)(clock_wall_ns() / 1000000));
}

static void append_identity(struct buffer *out, const struct settings *settings) {
    api_text(out, "name", settings->identity_name);
    buffer_append_text(out, ", ");
    api_text(out, "host", settings->identity_host ? settings->identity_host : "");
    buffer_append_text(out, ", ");
    api_text(out, "administrator", settings->administrator ? settings->administrator : "");
    buffer_append_text(out, ", ");
    api_text(out, "sympath", settings->default_sympath ? settings->default_sympath : "");
    buffer_append_text(out, ", ");
    api_text(out, "version", SYMGATE_VERSION);
    buffer_append_text(out, ", ");
}

static void append_health(struct buffer *out, const struct health *health) {
    static const char *const names[] = {"good", "warning", "bad"};
    buffer_append_text(out, "\"health\": {");
    api_text(out, "state", names[health->state]);
    buffer_append_text(out, ", ");
    api_text(out, "sentence", health->sentence);
    buffer_append_text(out, ", ");
    api_text(out, "cure", health->cure);
    buffer_append_text(out, "}, ");
}

static void append_failure(struct buffer *out, const struct servers *servers) {
    if (!servers->failed) {
        buffer_append_text(out, "\"failure\": null, ");
        return;
    }
    buffer_append_text(out, "\"failure\": {");
    api_text(out, "server", servers->failed->options.name);
    buffer_format(out, ", \"at_ms\": %llu}, ", (unsigned long long)servers->failed_ms);
}

void overview_append(struct buffer *out, struct server *server, const struct settings *settings,
                     const char *host) {
    struct ledger *ledger = server->options.ledger;
    struct servers servers = look_at_servers(settings->roster);
    struct usage_view usage = {0};
    if (server->options.usage)
        usage_look(server->options.usage, &usage);
    struct health health = look_at_health(server, &servers, &usage);
    buffer_append_text(out, "{");
    append_moment(out, server, host);
    append_identity(out, settings);
    buffer_format(out, "\"since_ms\": %llu, \"enabled\": %s, ",
                  (unsigned long long)ledger_total(ledger, TOTAL_SINCE_MS),
                  ledger_enabled(ledger) ? "true" : "false");
    append_health(out, &health);
    append_failure(out, &servers);
    buffer_format(
        out,
        "\"servers\": {\"answering\": %u, \"asked\": %u, \"total\": %u}, \"disk\": {\"used\": "
        "%llu, \"counting\": %s, \"free\": %llu, \"size\": %llu}, \"tiles\": {",
        servers.answering, servers.asked, servers.total, (unsigned long long)usage.bytes,
        usage.counting ? "true" : "false", (unsigned long long)usage.free,
        (unsigned long long)usage.size);
    totals_append(out, server);
    buffer_format(out, "}, \"saved\": {\"seconds\": %.3f, \"bytes\": %llu}}",
                  ledger_seconds_saved(ledger),
                  (unsigned long long)ledger_total(ledger, TOTAL_HIT_BYTES));
}

static void overview(struct exchange *exchange) {
    api_settle(exchange);
    overview_append(&exchange->text, exchange->call->server, exchange->settings,
                    exchange->call->host);
    buffer_append_text(&exchange->text, "\n");
}

void serve_overview(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, overview);
}

void serve_rights(struct exchange *exchange, const char *query, const char *bytes) {
    (void)query;
    bool admin = trust_may_see(exchange, bytes);
    buffer_format(&exchange->text, "{\"admin\": %s, ", admin ? "true" : "false");
    api_text(&exchange->text, "how",
             admin ? "This client may change things."
                   : "Send the token of general.adminToken (Authorization: Bearer …), or ask from "
                     "the server's own machine.");
    buffer_append_text(&exchange->text, "}\n");
    answer_buffer(exchange, 200, "application/json");
}
