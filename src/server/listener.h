// SPDX-License-Identifier: MIT
//
// Listening sockets: an address as people write it, bound once for each loop (SO_REUSEPORT), with
// the options that accepted connections inherit.
#pragma once

#include <sys/socket.h>

#include "base/error.h"

struct listener {
    struct sockaddr_storage address;
    socklen_t address_length;
};

/* Resolves "127.0.0.1:8080", "[::]:8080", "localhost:0". */
bool listener_parse(const char *text, struct listener *out_listener, struct error *err) MUST_CHECK;

/* Claims the address: fails when anybody else listens there. A port 0 becomes the one that was
 * given. */
bool listener_claim(struct listener *listener, const char *text, struct error *err) MUST_CHECK;

/* Opens one more socket on a claimed address; -1 with err. */
int listener_open(const struct listener *listener, struct error *err) MUST_CHECK;

/* "http://127.0.0.1:8080/". */
void listener_url(const struct listener *listener, char *out, size_t size);
