// SPDX-License-Identifier: MIT
//
// Who may change something: every combination of address, front proxy, Origin, Host and token.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/server/talk.h"

static const struct from {
    const char *address;
    bool here;
} froms[] = {
    {"127.0.0.1", true}, {"127.9.8.7", true}, {"::1", true},      {"192.0.2.1", false},
    {"::2", false},      {"10.0.0.1", false}, {"fe80::1", false}, {"::ffff:128.0.0.1", false},
};

/* A front proxy on this machine makes nobody an administrator, whoever it speaks for. */
static const struct front {
    const char *lines;
    bool spoken_for;
} fronts[] = {
    {"", false},
    {"X-Forwarded-For: 127.0.0.1\r\n", true},
    {"x-forwarded-for:\r\n", true},
    {"Forwarded: for=127.0.0.1\r\n", true},
    {"X-Real-IP: ::1\r\n", true},
    {"Via: 1.1 front\r\n", true},
    {"X-Forwarded: 127.0.0.1\r\n", false},
};

static const struct host {
    const char *name; /* "machine" stands for this machine's own */
    bool ours;
} hosts[] = {
    {"localhost", true},
    {"LOCALHOST:8080", true},
    {"127.0.0.1", true},
    {"192.0.2.9:80", true},
    {"[::1]:8080", true},
    {"[2001:db8::1]", true},
    {"symbols.example.com", true},
    {"Symbols.Example.com:1234", true},
    {"machine", true},
    {"", false},
    {"evil.example", false},
    {"localhost.evil.example", false},
    {"symbols.example.com.evil", false},
    {"127.0.0.1.evil", false},
    {"evil:8080", false},
};

static const struct origin {
    const char *line; /* %s: the Host */
    bool fits;
} origins[] = {
    {"", true},
    {"Origin: http://%s\r\n", true},
    {"Origin: https://%s\r\n", true},
    {"Origin: null\r\n", false},
    {"Origin:\r\n", false},
    {"Origin: http://evil.example\r\n", false},
    {"Origin: %s\r\n", false},
    {"Origin: http://%s.evil\r\n", false},
    {"Origin: http://evil://%s\r\n", false},
};

static const struct token {
    const char *line;
    bool right; /* where the token is "s3cr3t" */
} tokens[] = {
    {"", false},
    {"Authorization: Bearer s3cr3t\r\n", true},
    {"authorization: bearer s3cr3t\r\n", true},
    {"Authorization: Bearer s3cr3\r\n", false},
    {"Authorization: Bearer s3cr3tt\r\n", false},
    {"Authorization: Bearer S3cr3t\r\n", false},
    {"Authorization: Bearer \r\n", false},
    {"Authorization: Basic s3cr3t\r\n", false},
    {"Authorization: s3cr3t\r\n", false},
};

struct combination {
    const struct from *from;
    const struct front *front;
    const struct host *host;
    const struct origin *origin;
    const struct token *token;
};

static void write_request(const struct combination *with, char *out, size_t size) {
    char machine[256], origin[512];
    assert_int_equal(gethostname(machine, sizeof machine), 0);
    const char *host = strcmp(with->host->name, "machine") == 0 ? machine : with->host->name;
    const char *hole = strstr(with->origin->line, "%s");
    if (hole)
        snprintf(origin, sizeof origin, "%.*s%s%s", (int)(hole - with->origin->line),
                 with->origin->line, host, hole + 2);
    else
        text_copy(origin, sizeof origin, with->origin->line);
    snprintf(out, size, "POST /x HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", host, with->front->lines,
             origin, with->token->line);
}

/* What the function says about a request; where it says no, it has answered 403. */
static bool is_allowed(struct client *client, const char *request,
                       bool (*may)(struct exchange *exchange, const char *bytes)) {
    struct error err;
    struct exchange *exchange = exchange_new(client->connection);
    size_t length = strlen(request);
    assert_int_equal(request_feed(&exchange->request, request, length, &err), REQUEST_HEAD);
    bool allowed = may(exchange, request);
    assert_int_equal(exchange->state, allowed ? EXCHANGE_HEAD : EXCHANGE_SENDING);
    if (!allowed) {
        assert_int_equal(exchange->status, 403);
        assert_true(exchange->reason[0]);
    }
    exchange_end(exchange, false, false);
    return allowed;
}

static void judge(struct client *client, const struct combination *with, bool has_token) {
    char request[1024];
    write_request(with, request, sizeof request);
    bool right = has_token && with->token->right;
    bool trusted = right || (with->from->here && !with->front->spoken_for);
    bool expected = with->host->ours && with->origin->fits && trusted;
    if (is_allowed(client, request, trust_allows_change) != expected)
        fail_msg("from %s%s:\n%s", with->from->address, expected ? " refused" : " allowed",
                 request);
    /* What only shows asks for nothing but the Host. */
    if (is_allowed(client, request, trust_host) != with->host->ours)
        fail_msg("the Host alone:\n%s", request);
}

static void every_combination(struct talk *talk, bool has_token) {
    unsigned tried = 0;
    for (size_t i = 0; i < LENGTH_OF(froms); i++) {
        struct client client = talk_connect(talk, froms[i].address);
        struct combination with = {.from = &froms[i]};
        size_t all = LENGTH_OF(fronts) * LENGTH_OF(hosts) * LENGTH_OF(origins) * LENGTH_OF(tokens);
        for (size_t n = 0; n < all; n++, tried++) {
            size_t left = n;
            with.front = &fronts[left % LENGTH_OF(fronts)];
            left /= LENGTH_OF(fronts);
            with.host = &hosts[left % LENGTH_OF(hosts)];
            left /= LENGTH_OF(hosts);
            with.origin = &origins[left % LENGTH_OF(origins)];
            with.token = &tokens[left / LENGTH_OF(origins)];
            judge(&client, &with, has_token);
        }
        talk_leave(&client);
    }
    assert_int_equal(tried, 8 * 7 * 15 * 9 * 9);
}

static void changes_need_a_token_or_this_machine(void **state) {
    struct talk *talk = *state;
    talk->settings->admin_token = memory_text("s3cr3t");
    talk->settings->identity_host = memory_text("symbols.example.com:8080");
    every_combination(talk, true);
}

static void without_a_token_none_fits(void **state) {
    struct talk *talk = *state;
    talk->settings->identity_host = memory_text("symbols.example.com");
    every_combination(talk, false);
    /* An empty one is none. */
    talk->settings->admin_token = memory_text("");
    struct client client = talk_connect(talk, "192.0.2.1");
    assert_false(is_allowed(&client, "POST /x HTTP/1.1\r\n" HOST "Authorization: Bearer \r\n\r\n",
                            trust_allows_change));
    talk_leave(&client);
}

/* Each route that changes or shows asks, whoever comes how. */
static const struct route_case {
    const char *from;
    const char *request;
    int status;
} routes[] = {
    {"127.0.0.1", "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\n" HOST "\r\n", 200},
    {"::1", "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\nHost: [::1]\r\n\r\n", 200},
    {"192.0.2.1",
     "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\n" HOST "Authorization: Bearer s3cr3t\r\n\r\n",
     200},
    {"192.0.2.1", "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\n" HOST "\r\n", 403},
    {"127.0.0.1", "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\nHost: evil\r\n\r\n", 403},
    {"127.0.0.1",
     "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\n" HOST "Origin: http://evil\r\n\r\n", 403},
    {"127.0.0.1", "POST /api/v1/forget?name=a.pdb&id=1 HTTP/1.1\r\n" HOST "Via: x\r\n\r\n", 403},
    {"192.0.2.1", "GET /api/v1/copies HTTP/1.1\r\n" HOST "\r\n", 200},
    {"127.0.0.1", "GET /api/v1/copies HTTP/1.1\r\nHost: evil\r\n\r\n", 403},
    {"127.0.0.1", "POST /api/v1/forget HTTP/1.1\r\n" HOST "\r\n", 400},
    {"127.0.0.1", "POST /api/v1/forget?name=a.pdb&id=..%2f HTTP/1.1\r\n" HOST "\r\n", 400},
    {"127.0.0.1", "POST /api/v1/forget?name=%2e%2e&id=1 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"127.0.0.1", "POST /api/v1/forget?name=a%zz&id=1 HTTP/1.1\r\n" HOST "\r\n", 400},
};

static void routes_that_change_ask_first(void **state) {
    struct talk *talk = *state;
    talk->settings->admin_token = memory_text("s3cr3t");
    for (size_t i = 0; i < LENGTH_OF(routes); i++) {
        CLEANUP(free_block) char *head = NULL;
        struct client client = talk_connect(talk, routes[i].from);
        talk_say(&client, routes[i].request);
        int status = talk_answer(&client, false, &head, NULL);
        if (status != routes[i].status)
            fail_msg("from %s, %d:\n%s", routes[i].from, status, routes[i].request);
        assert_null(strstr(head, "s3cr3t"));
        talk_leave(&client);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        TALK(changes_need_a_token_or_this_machine),
        TALK(without_a_token_none_fits),
        TALK(routes_that_change_ask_first),
    };
    return RUN_TESTS(tests);
}
