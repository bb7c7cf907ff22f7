// SPDX-License-Identifier: MIT
//
// A client and a loop in one thread: what the client writes is read, answered and read back before
// a call returns, so tests need no waiting but for what other threads do (searches, pool jobs). The
// loop has no listener; each connection is one half of a socket pair. Behind it stands a stage with
// one double ("only"); time is the test's (clock_fake).
#pragma once

#include "server/connection.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "unit/proxy/stage.h"

struct talk {
    struct stage stage;
    struct double_source *source;
    struct recorder *recorder;
    struct ledger *ledger;
    struct server server;
    struct settings *settings; /* may be changed between requests */
    struct loop *loop;
    struct outcome outcome; /* the one that talk_outcome has given, and its texts */
    char texts[sizeof(struct outcome_texts) / sizeof(char *)][512];
};

/* The client's side of a connection. */
struct client {
    struct talk *talk;
    int fd;
    struct connection *connection; /* NULL once closed by the loop */
    char *bytes;                   /* all that was received and not taken yet; ends with NUL */
    size_t length;
    bool ended; /* nothing more will come */
};

/* For cmocka: *state is a talk. */
int talk_setup(void **state);
int talk_teardown(void **state);
#define TALK(test) cmocka_unit_test_setup_teardown(test, talk_setup, talk_teardown)

/* Connects from an address ("127.0.0.1", "::1"). */
struct client talk_connect(struct talk *talk, const char *address);

/* Sends bytes and lets the loop do what it can at once. */
void talk_send(struct client *client, const char *bytes, size_t length);

/* The same for text. */
void talk_say(struct client *client, const char *text);

/* Says that no more will be sent. */
void talk_end(struct client *client);

/* Lets the loop look at what other threads have told it, for as long as nothing came for the client
   and it was not closed; fails the test after 20 s. */
void talk_wait(struct client *client);

/* The same until its request is in this state. */
void talk_wait_state(struct client *client, enum exchange_state state);

/* Lets time pass for the loop, and for what waits in it. */
void talk_pass(struct talk *talk, int64_t ms);

/* Closes the client's side and forgets it. */
void talk_leave(struct client *client);

/* Takes one whole answer out of what was received: its status; 0 when there is none. *out_head (may
   be NULL) is its head, *out_body its body; the caller frees both. Waits for it where nothing is
   there yet. head_only: has no body, whatever its length says. */
int talk_answer(struct client *client, bool head_only, char **out_head, char **out_body);

/* A header's value from a head; empty when it is not there; fails the test when it is there twice.
 */
const char *talk_field(const char *head, const char *name, char value[256]);

/* One request on a fresh connection from 127.0.0.1; its status. The text is the whole request. */
int talk_ask(struct talk *talk, const char *request, char **out_head, char **out_body);

/* The newest outcome that was recorded; fails the test when there is none. */
struct outcome talk_outcome(struct talk *talk);

#define HOST "Host: localhost\r\n"
#define KEY_PATH(name) "/symbols/" name "/0123456789ABCDEF0123456789ABCDEF1/" name
