// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/cli_remote.h"
#include "base/text.h"
#include "symbol/key.h"

enum {
    ID_BYTES = 80,
    TIME_BYTES = 32,
    ANSWER_BYTES_MAX = 1 << 20,
    NAP_NS = 50 * 1000 * 1000,
    NAPS_MAX = 60,
};

/* --- what is asked for ----------------------------------------------------------------------- */

/* What stands behind the host of a URL, as clients log them. */
static const char *below_host(const char *what) {
    const char *host = text_starts_folded(what, "http://")    ? what + strlen("http://")
                       : text_starts_folded(what, "https://") ? what + strlen("https://")
                                                              : NULL;
    return host && strchr(host, '/') ? strchr(host, '/') : what;
}

/* The path of a URL, or what was given. Queries are secrets: none is sent, logged or kept. False:
   too long. */
static bool take_what(const char *given, char out[REMOTE_PATH_BYTES]) {
    const char *what = below_host(given);
    size_t length = what[0] == '/' ? strcspn(what, "?#") : strlen(what);
    return text_copy_n(out, REMOTE_PATH_BYTES, what, length);
}

/* What to ask the API for: a path of the server, as it is asked by clients, NAME/ID, or a request
   id. False: too long. */
static bool api_path(const char *what, char out[REMOTE_PATH_BYTES]) {
    char coded[REMOTE_PATH_BYTES - 64];
    if (remote_symbol_path("explain", what, out))
        return true;
    return text_encode_percent(coded, sizeof coded, what, "/") &&
           text_format(out, REMOTE_PATH_BYTES, "api/v1/explain?%s=%s",
                       strchr(what, '/') ? "path" : "id", coded);
}

/* What a client would ask the server for. */
static bool symbol_path(const char *what, char out[REMOTE_PATH_BYTES]) {
    char coded[REMOTE_PATH_BYTES - 16], both[REMOTE_PATH_BYTES];
    struct spelling spelling;
    if (spelling_read(what, &spelling))
        return text_format(both, sizeof both, "%s/%s/%s", spelling.name, spelling.id,
                           spelling.name) &&
               text_encode_percent(coded, sizeof coded, both, "/") &&
               text_format(out, REMOTE_PATH_BYTES, "symbols/%s", coded);
    what += what[0] == '/';
    what += text_starts(what, "symbols/") ? strlen("symbols/") : 0;
    return text_encode_percent(coded, sizeof coded, what, "/%") &&
           text_format(out, REMOTE_PATH_BYTES, "symbols/%s", coded);
}

/* --- the answer in words --------------------------------------------------------------------- */

static void print_told(const json_t *told, const char *indent) {
    const char *cure = json_text_of(told, "cure");
    printf("%s%s\n", indent, json_text_of(told, "sentence"));
    if (cure[0])
        printf("%s-> %s\n", indent, cure);
}

static void print_time(int64_t at_ms) {
    time_t at_s = at_ms / 1000;
    struct tm when;
    char text[TIME_BYTES] = "";
    if (localtime_r(&at_s, &when))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &when);
    fputs(text, stdout);
}

static void print_attempt(const json_t *attempt, const json_t *told) {
    long long status = json_integer_of(attempt, "status");
    printf("  %s: %s", json_text_of(attempt, "source"), json_text_of(attempt, "result"));
    if (status)
        printf(", status %lld", status);
    printf(", %lld ms",
           json_integer_of(attempt, "place_ms") + json_integer_of(attempt, "total_ms"));
    if (json_integer_of(attempt, "bytes"))
        printf(", %lld bytes", json_integer_of(attempt, "bytes"));
    printf("\n");
    if (json_text_of(attempt, "url")[0])
        printf("    %s\n", json_text_of(attempt, "url"));
    print_told(told, "    ");
}

static void print_last(const json_t *last) {
    const json_t *request = json_object_get(last, "request"), *attempt;
    const json_t *attempts = json_object_get(request, "attempts");
    size_t index;
    printf("\nThe last request, ");
    print_time(json_integer_of(request, "at_ms"));
    printf(" (%s): %s, answered with %lld\n", json_text_of(request, "id"),
           json_text_of(request, "verdict"), json_integer_of(request, "status"));
    printf("  %s %s (%s)\n", json_text_of(request, "method"), json_text_of(request, "path"),
           json_text_of(request, "dialect"));
    json_array_foreach(attempts, index, attempt) {
        print_attempt(attempt, json_array_get(json_object_get(last, "chain"), index));
    }
}

static void print_refused(const json_t *record) {
    long long times = json_integer_of(record, "times");
    printf("  refused from %s, %lld time%s: %s\n", json_text_of(record, "server"), times,
           times == 1 ? "" : "s", json_text_of(record, "reason"));
}

/* Which rule made while it runs has decided, if one has. */
static void print_made(const json_t *row, const char *before, const char *after) {
    const json_t *made = json_object_get(row, "made");
    if (made)
        printf("%s(rule %lld, from the %s)%s", before, json_integer_of(made, "id"),
               json_text_of(made, "origin"), after);
}

static void print_server(const json_t *server) {
    printf("  %lld. %s: %s", json_integer_of(server, "position"),
           json_text_of(server, "identifier"), json_text_of(server, "state"));
    if (json_text_of(server, "rule")[0])
        printf(" \"%s\"", json_text_of(server, "rule"));
    print_made(server, " ", "");
    printf("\n");
    print_told(server, "    ");
}

static void print_now(const json_t *now) {
    size_t index;
    const json_t *row;
    printf("\nA request now:\n");
    print_told(now, "  ");
    print_made(now, "  ", "\n");
    json_array_foreach(json_object_get(now, "shelves"), index, row) {
        print_told(row, "  ");
    }
    json_array_foreach(json_object_get(now, "quarantine"), index, row) {
        print_refused(row);
    }
    if (index > 0)
        printf("  -> Look at the first bytes: symgate quarantine\n");
    if (json_is_true(json_object_get(now, "excluded")))
        return; /* by a list that is nobody's in particular */
    json_array_foreach(json_object_get(now, "servers"), index, row) {
        print_server(row);
    }
}

static void print_key(const json_t *key) {
    printf("\n%s\n  %s file; %s\n", json_text_of(key, "key"), json_text_of(key, "kind"),
           json_text_of(key, "identifier"));
    if (json_text_of(key, "note")[0])
        printf("  %s\n", json_text_of(key, "note"));
}

static void print_all(const json_t *answer) {
    const json_t *key = json_object_get(answer, "key"), *last = json_object_get(answer, "last"),
                 *now = json_object_get(answer, "now");
    print_told(answer, "");
    if (json_is_object(key))
        print_key(key);
    if (json_is_false(json_object_get(answer, "enabled")))
        printf("\nStatistics are switched off: requests of earlier are not known.\n");
    if (json_is_object(last))
        print_last(last);
    if (json_is_object(now))
        print_now(now);
}

/* Asks for the file as a client would; the id of that request. */
static bool ask_for_file(const struct remote *remote, const char *what, char id[ID_BYTES]) {
    char path[REMOTE_PATH_BYTES];
    struct error err = {0};
    if (!symbol_path(what, path))
        error_set(&err, ERROR_INVALID, "\"%s\" is too long", what);
    else if (remote_try(remote, path, id, ID_BYTES, &err))
        return true;
    cli_failed(&err);
    return false;
}

/* What was asked is written down a moment after it was answered: waits until it is known. */
static void wait_until_known(const struct remote *remote, const char *path) {
    static const struct timespec nap = {.tv_nsec = NAP_NS};
    long status = 404;
    for (unsigned tries = 0; status == 404 && tries < NAPS_MAX; tries++) {
        CLEANUP(buffer_release) struct buffer answer;
        struct error ignored = {0};
        buffer_init(&answer, ANSWER_BYTES_MAX);
        if (!remote_ask(remote, path, false, &answer, &status, &ignored))
            return;
        if (status == 404)
            nanosleep(&nap, NULL);
    }
}

int cli_explain(int argc, char **argv) {
    struct remote remote = {0};
    const char *given = NULL;
    char what[REMOTE_PATH_BYTES] = "";
    unsigned count = 0;
    bool json = false, ask = false;
    const struct cli_option options[] = {
        REMOTE_OPTIONS(&remote),
        {.name = "--ask", .flag = &ask},
        {.name = "--json", .flag = &json},
        {0},
    };
    if (!cli_options(argc, argv, options, &given, 1, &count))
        return 2;
    if (given && !take_what(given, what)) {
        fputs("symgate: that is too long\n", stderr);
        return 2;
    }
    if (!given || (ask && !strchr(what, '/'))) {
        fputs("symgate: say what to explain: symgate explain NAME/ID, /symbols/NAME/ID/NAME, or "
              "(without --ask) a request id\n",
              stderr);
        return 2;
    }
    char id[ID_BYTES], path[REMOTE_PATH_BYTES];
    if (ask && !ask_for_file(&remote, what, id))
        return 1;
    if (!api_path(ask ? id : what, path)) {
        fputs("symgate: that is too long\n", stderr);
        return 2;
    }
    if (ask)
        wait_until_known(&remote, path);
    if (json)
        return remote_print(&remote, path, false);
    CLEANUP(json_unref) json_t *answer = remote_json(&remote, path, false);
    if (!answer)
        return 1;
    print_all(answer);
    return 0;
}
