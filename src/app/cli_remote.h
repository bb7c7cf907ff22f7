// SPDX-License-Identifier: MIT
//
// How commands ask a running server: found by --url, else by what it has written into its data
// folder.
#pragma once

#include "app/cli.h"
#include "base/buffer.h"
#include "base/json.h"

struct remote {
    const char *url;
    const char *data;
    const char *token;
};

/* The options that say which server, for cli_options. */
#define REMOTE_OPTIONS(remote)                                                                     \
    {.name = "--url", .value = &(remote)->url}, {.name = "--data", .value = &(remote)->data}, {    \
        .name = "--token", .value = &(remote)->token                                               \
    }

enum { REMOTE_PATH_BYTES = 2048 };

/* The path by which a route of the API is asked about NAME/ID. False: it is not of that form, or
   too long. */
bool remote_symbol_path(const char *route, const char *symbol,
                        char out[REMOTE_PATH_BYTES]) MUST_CHECK;

/* Asks for a path of the server; the answer is appended whatever its status is. False when there
   was none, or another program gave it. */
bool remote_ask(const struct remote *remote, const char *path, bool post, struct buffer *answer,
                long *out_status, struct error *err) MUST_CHECK;

/* Asks for a symbol as a client does, without its body: the servers are asked. *out_id: the id of
   the request, by which it can be explained. */
bool remote_try(const struct remote *remote, const char *path, char *out_id, size_t size,
                struct error *err) MUST_CHECK;

/* Asks and prints the answer; the exit status. */
int remote_print(const struct remote *remote, const char *path, bool post);

/* Asks and reads the answer as JSON, the caller's to unref, its texts fit for a terminal; NULL:
   that has been told. */
json_t *remote_json(const struct remote *remote, const char *path, bool post);
