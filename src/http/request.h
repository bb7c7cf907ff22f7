// SPDX-License-Identifier: MIT
//
// One HTTP/1.x request head, parsed by llhttp as its bytes arrive. Nothing is copied: fields are
// spans (offset and length) into the bytes that the caller keeps together, beginning with the
// request's first byte; the block may move between feeds. Strictness is RFC 9112's where requests
// could be smuggled: exactly one Host in HTTP/1.1, no second length, no length beside chunked, no
// transfer coding but chunked, no bare CR or LF, no folded lines, no NUL.
#pragma once

#include <llhttp.h>
#include <stdint.h>

#include "base/error.h"

enum {
    REQUEST_LINE_BYTES_MAX = 8 * 1024,
    REQUEST_HEAD_BYTES_MAX = 128 * 1024,
};

struct span {
    uint32_t offset;
    uint32_t length;
};

/* The header fields that are kept; others are checked and passed over. */
enum field {
    FIELD_HOST,
    FIELD_USER_AGENT,
    FIELD_RANGE,
    FIELD_IF_RANGE,
    FIELD_IF_NONE_MATCH,
    FIELD_IF_MODIFIED_SINCE,
    FIELD_RECEIVE_TIMEOUT, /* Symbol-Agent-Receive-Timeout */
    FIELD_REQUEST_ID,      /* X-Request-Id */
    FIELD_ORIGIN,
    FIELD_AUTHORIZATION,
    FIELD_FORWARDED_FOR, /* X-Forwarded-For */
    FIELD_FORWARDED,
    FIELD_REAL_IP, /* X-Real-IP */
    FIELD_VIA,
    FIELD_ACCEPT,
    FIELD_SYMBOL_CHECKSUM,
    FIELD_HOP,               /* http/hop.h */
    FIELD_TRANSFER_ENCODING, /* already checked */
    FIELD_COUNT
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

enum request_state {
    REQUEST_MORE, /* the head is not complete */
    REQUEST_HEAD, /* the head is complete: `head_bytes` long; the body (if any) follows */
    REQUEST_BAD,  /* err has the reason; `refusal` the status: 400, 405, 414, 431, 501, 505 */
};

struct request {
    llhttp_t parser;
    const char *base;    /* where the request's first byte lies during the present feed */
    uint32_t fed;        /* bytes given to the parser so far */
    uint32_t head_bytes; /* length of the complete head */
    int refusal;
    enum method method;
    uint8_t minor_version; /* HTTP/1.x */
    bool keep_alive;       /* what version and Connection say */
    bool has_body;         /* a length above 0, or chunked */
    uint64_t body_bytes;   /* announced length; UINT64_MAX when chunked */
    struct span target; /* begins with "/", but for "*" and CONNECT; scheme and host are cut off */
    struct span fields[FIELD_COUNT]; /* length 0: absent or empty */
    uint32_t field_seen;             /* bits, one for each enum field */
    uint32_t field_twice; /* bits: sent in more than one line; the first is the one that is kept */
    struct span name;     /* the header name being read */
    struct span value;
};

/* Ready for the first byte of a request. */
void request_init(struct request *request);

/* Goes on parsing: `bytes` begins at the request's first byte, `length` counts everything there is
   so far (bytes of the body or of a next request may follow the head; they are left alone). After
   REQUEST_BAD the connection must be closed. */
enum request_state request_feed(struct request *request, const char *bytes, size_t length,
                                struct error *err) MUST_CHECK;

/* Was the field sent (perhaps empty)? */
bool request_has(const struct request *request, enum field field);

/* Gives each line's value of a field that clients send in several: `name` as in the head, without
   regard to case. */
void request_each(const struct request *request, const char *bytes, const char *name,
                  void (*take)(const char *value, size_t length, void *context), void *context);

/* A field's value as text cut to size, empty when absent. `bytes` as in the last feed. */
void request_field(const struct request *request, const char *bytes, enum field field, char *out,
                   size_t size);
