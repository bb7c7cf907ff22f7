// SPDX-License-Identifier: MIT
//
// A connection's bytes: requests one behind the other, heads and bodies. The first byte says how
// large the pieces are in which they come; whatever the pieces, the same must be understood as when
// all comes at once.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { BODY_BYTES_MAX = 64, REQUESTS_MAX = 16 };

/* What was understood of one request. */
struct outcome {
    enum request_state state;
    enum body_state body_state;
    enum method method;
    int refusal;
    bool keep_alive;
    uint64_t body_bytes;
    struct span target;
    struct span fields[FIELD_COUNT];
    uint32_t field_seen;
    uint32_t field_twice;
    size_t used;
    size_t gathered;
};

static void require(bool right) {
    if (!right)
        abort();
}

static void require_spans_inside(const struct request *request) {
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        struct span span = request->fields[i];
        char value[32];
        require(span.length <= request->head_bytes);
        require(span.offset <= request->head_bytes - span.length);
        request_field(request, request->base, (enum field)i, value, sizeof value);
        require(strlen(value) < sizeof value);
    }
    require(request->target.length > 0);
    require(request->target.offset + request->target.length < request->head_bytes);
}

static void read_body(struct outcome *outcome, struct request *request, const uint8_t *bytes,
                      size_t length, size_t piece) {
    struct body body;
    size_t at = request->head_bytes;
    body_init(&body, request, BODY_BYTES_MAX);
    do {
        size_t used = 0;
        size_t given = piece < length - at ? piece : length - at;
        outcome->body_state = body_feed(&body, (const char *)bytes + at, given, &used);
        require(used <= given);
        at += used;
    } while (outcome->body_state == BODY_MORE && at < length);
    require(body.bytes.length <= BODY_BYTES_MAX);
    outcome->gathered = body.bytes.length;
    outcome->used = at;
    body_release(&body);
}

static struct outcome read_one(const uint8_t *bytes, size_t length, size_t piece) {
    struct outcome outcome = {REQUEST_MORE, .body_state = BODY_WHOLE};
    struct request request;
    struct error err;
    request_init(&request);
    for (size_t so_far = 0; so_far < length && outcome.state == REQUEST_MORE;) {
        so_far = piece < length - so_far ? so_far + piece : length;
        outcome.state = request_feed(&request, (const char *)bytes, so_far, &err);
    }
    outcome.refusal = request.refusal;
    require((outcome.state == REQUEST_BAD) == (outcome.refusal >= 400));
    if (outcome.state != REQUEST_HEAD)
        return outcome;
    require_spans_inside(&request);
    outcome.method = request.method;
    outcome.keep_alive = request.keep_alive;
    outcome.body_bytes = request.body_bytes;
    outcome.target = request.target;
    memcpy(outcome.fields, request.fields, sizeof outcome.fields);
    outcome.field_seen = request.field_seen;
    outcome.field_twice = request.field_twice;
    read_body(&outcome, &request, bytes, length, piece);
    return outcome;
}

static void require_same(const struct outcome *a, const struct outcome *b) {
    require(a->state == b->state && a->body_state == b->body_state);
    if (a->state != REQUEST_HEAD)
        return;
    require(a->method == b->method && a->keep_alive == b->keep_alive);
    require(a->body_bytes == b->body_bytes && a->field_seen == b->field_seen);
    require(a->field_twice == b->field_twice);
    require(memcmp(&a->target, &b->target, sizeof a->target) == 0);
    require(memcmp(a->fields, b->fields, sizeof a->fields) == 0);
    if (a->body_state == BODY_WHOLE)
        require(a->used == b->used && a->gathered == b->gathered);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length == 0)
        return 0;
    size_t piece = bytes[0] % 32U + 1;
    bytes++;
    length--;
    for (int i = 0; i < REQUESTS_MAX && length > 0; i++) {
        struct outcome pieces = read_one(bytes, length, piece);
        struct outcome whole = read_one(bytes, length, length);
        require_same(&pieces, &whole);
        if (whole.state != REQUEST_HEAD || whole.body_state != BODY_WHOLE)
            return 0;
        bytes += whole.used;
        length -= whole.used;
    }
    return 0;
}
