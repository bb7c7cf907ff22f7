// SPDX-License-Identifier: MIT
#include "http/body.h"

enum {
    /* Wire bytes allowed for one byte of body, and beside that: a chunk of one byte costs six. */
    WIRE_FACTOR = 8,
    WIRE_BYTES_EXTRA = 64 * 1024,
};

static int on_body(llhttp_t *parser, const char *at, size_t length) {
    struct body *body = parser->data;
    return buffer_append(&body->bytes, at, length) ? HPE_OK : HPE_USER;
}

/* What follows is the next request's. */
static int on_message_complete(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void body_init(struct body *body, struct request *request, size_t bytes_max) {
    body->request = request;
    body->wire_bytes = 0;
    buffer_init(&body->bytes, bytes_max);
    /* The head's callbacks must not see trailers; llhttp has no call for a change of settings. */
    request->parser.settings = (void *)&settings;
    llhttp_resume(&request->parser);
}

void body_release(struct body *body) {
    buffer_release(&body->bytes);
}

static bool body_announced_too_large(const struct body *body) {
    uint64_t announced = body->request->body_bytes;
    return announced != UINT64_MAX && announced > body->bytes.bytes_max;
}

static bool body_wire_too_large(const struct body *body) {
    return body->wire_bytes > (uint64_t)body->bytes.bytes_max * WIRE_FACTOR + WIRE_BYTES_EXTRA;
}

enum body_state body_feed(struct body *body, const char *bytes, size_t length, size_t *out_used) {
    llhttp_t *parser = &body->request->parser;
    *out_used = 0;
    if (!body->request->has_body)
        return BODY_WHOLE;
    if (body_announced_too_large(body))
        return BODY_TOO_LARGE;
    parser->data = body;
    llhttp_errno_t result = llhttp_execute(parser, bytes, length);
    if (body->bytes.failed)
        return BODY_TOO_LARGE;
    if (result != HPE_OK && result != HPE_PAUSED)
        return BODY_BAD;
    bool whole = result == HPE_PAUSED;
    *out_used = whole ? (size_t)(llhttp_get_error_pos(parser) - bytes) : length;
    body->wire_bytes += *out_used;
    if (whole)
        return BODY_WHOLE;
    return body_wire_too_large(body) ? BODY_TOO_LARGE : BODY_MORE;
}
