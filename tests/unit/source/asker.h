// SPDX-License-Identifier: MIT
//
// One HTTP source with one worker's connections, asked one question at a time, and the scripted
// server that it asks.
#pragma once

#include <pthread.h>

#include "source/source_http.h"
#include "unit/source/origin.h"

#define ASKER_PATH "/base/App.pdb/0123456789ABCDEF0123456789ABCDEF1/App.pdb"

struct asker {
    struct origin *origin;
    struct source *source;
    void *worker;
    char path[LAYOUT_PATH_BYTES];
    struct cancel cancel;
    struct attempt_note note;
    struct source_call call;
    const struct file_mark *unless; /* goes with the next questions */
    struct content content;
    struct reader *reader;
    struct error err;
};

/* The test's own; what the last question brought. */
extern struct asker asker;

/* Guards what a script sends and a test sets. */
extern pthread_mutex_t asker_lock;

/* The key of all fingerprints. */
extern const struct hash_key asker_key;

/* Options with long limits, to be changed before asker_use. */
struct source_options asker_options(const char *remote);

/* Begins with a server and no source; asker_use makes it. */
void asker_begin_bare(origin_script *script);

/* Makes the source and its worker. */
void asker_use(const struct source_options *options);

/* Begins with both, the remote below "/base". */
void asker_begin(origin_script *script);

/* Ends all; a cmocka teardown. */
int asker_finish(void **state);

/* Asks; what was read before is closed. */
enum source_answer asker_ask(void);
enum source_answer asker_ask_with(const struct resume *resume, bool fresh_connection);

/* Reads to the end in pieces; the length, or -1 with asker.err. */
ssize_t asker_read(char *bytes, size_t size, size_t piece);

/* Asserts that the rest of the body is this text, breaks with this, or that asking fails with this.
 */
void assert_body(const char *expected);
void assert_broken(enum error_kind kind);
void assert_failed(enum error_kind kind);

/* What asker_serve_canned sends for the next request, and (may be NULL) for those that follow. */
void asker_can(const char *first, const char *then);

/* A script; keeps the connection unless the text says "connection: close". */
bool asker_serve_canned(struct peer *peer);
