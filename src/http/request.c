// SPDX-License-Identifier: MIT
#include "http/request.h"

#include <string.h>
#include <strings.h>

#include "http/hop.h"

static const struct field_name {
    const char *text;
    uint8_t length;
    uint8_t field;
} field_names[] = {
#define FIELD(text, field)                                                                         \
    { text, sizeof text - 1, field }
    FIELD("Host", FIELD_HOST),
    FIELD("Accept", FIELD_ACCEPT),
    FIELD("User-Agent", FIELD_USER_AGENT),
    FIELD("Range", FIELD_RANGE),
    FIELD("If-Range", FIELD_IF_RANGE),
    FIELD("If-None-Match", FIELD_IF_NONE_MATCH),
    FIELD("If-Modified-Since", FIELD_IF_MODIFIED_SINCE),
    FIELD("Symbol-Agent-Receive-Timeout", FIELD_RECEIVE_TIMEOUT),
    FIELD("X-Request-Id", FIELD_REQUEST_ID),
    FIELD("Origin", FIELD_ORIGIN),
    FIELD("Authorization", FIELD_AUTHORIZATION),
    FIELD("X-Forwarded-For", FIELD_FORWARDED_FOR),
    FIELD("Forwarded", FIELD_FORWARDED),
    FIELD("X-Real-IP", FIELD_REAL_IP),
    FIELD("Via", FIELD_VIA),
    FIELD("SymbolChecksum", FIELD_SYMBOL_CHECKSUM),
    FIELD(HOP_HEADER, FIELD_HOP),
    FIELD("Transfer-Encoding", FIELD_TRANSFER_ENCODING),
#undef FIELD
};

static struct request *request_of(llhttp_t *parser) {
    return parser->data;
}

/* A span that comes in pieces goes on where it ended: the request's bytes lie in one block. */
static void span_extend(struct span *span, const struct request *request, const char *at,
                        size_t length) {
    uint32_t offset = (uint32_t)(at - request->base);
    if (span->length == 0)
        span->offset = offset;
    span->length = offset + (uint32_t)length - span->offset;
}

static bool span_is(const struct request *request, struct span span, const char *text,
                    size_t length) {
    return span.length == length && strncasecmp(request->base + span.offset, text, length) == 0;
}

static enum request_state refuse(struct request *request, int status, struct error *err,
                                 const char *reason) {
    request->refusal = status;
    error_set(err, ERROR_INVALID, "%s", reason);
    return REQUEST_BAD;
}

static int on_url(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = request_of(parser);
    span_extend(&request->target, request, at, length);
    if (request->target.offset + request->target.length <= REQUEST_LINE_BYTES_MAX)
        return HPE_OK;
    request->refusal = 414;
    return HPE_USER;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = request_of(parser);
    span_extend(&request->name, request, at, length);
    return HPE_OK;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = request_of(parser);
    span_extend(&request->value, request, at, length);
    return HPE_OK;
}

static struct span span_without_trailing_space(const struct request *request, struct span span) {
    const char *text = request->base + span.offset;
    while (span.length > 0 && (text[span.length - 1] == ' ' || text[span.length - 1] == '\t'))
        span.length--;
    return span;
}

/* The first of several lines with one name is kept. */
static void keep_field(struct request *request, unsigned field) {
    uint32_t bit = 1U << field;
    if (request->field_seen & bit)
        request->field_twice |= bit;
    else
        request->fields[field] = span_without_trailing_space(request, request->value);
    request->field_seen |= bit;
}

static int on_header_value_complete(llhttp_t *parser) {
    struct request *request = request_of(parser);
    if (request->name.length == 0)
        return HPE_USER;
    for (size_t i = 0; i < sizeof field_names / sizeof field_names[0]; i++) {
        const struct field_name *known = &field_names[i];
        if (span_is(request, request->name, known->text, known->length)) {
            keep_field(request, known->field);
            break;
        }
    }
    request->name.length = 0;
    request->value.length = 0;
    return HPE_OK;
}

/* What follows the head is not this parser's until somebody wants a body. */
static int on_headers_complete(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

void request_init(struct request *request) {
    memset(request, 0, sizeof *request);
    llhttp_init(&request->parser, HTTP_REQUEST, &settings);
}

/* Each line ends in CR LF, and these bytes stand nowhere else; none is continued on the next line
   (obs-fold). llhttp is laxer than that in its loose mode, and two programs that see different
   lines are how requests are smuggled. */
static bool lines_are_plain(const char *head, size_t length) {
    const char *end = head + length;
    for (const char *at = head; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        if (at == head || at[-1] != '\r' || (at + 1 < end && (at[1] == ' ' || at[1] == '\t')))
            return false;
    for (const char *at = head; (at = memchr(at, '\r', (size_t)(end - at))) != NULL; at++)
        if (at + 1 == end || at[1] != '\n')
            return false;
    return memchr(head, '\0', length) == NULL;
}

static bool host_is_plain(const char *host, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)host[i];
        if (byte <= ' ' || byte >= 0x7f || strchr("/\\@?#,\"<>", byte))
            return false;
    }
    return true;
}

static const char *host_complaint(const struct request *request) {
    struct span host = request->fields[FIELD_HOST];
    if (request->field_twice & (1U << FIELD_HOST))
        return "more than one Host was sent";
    if (request->minor_version > 0 && !request_has(request, FIELD_HOST))
        return "no Host was sent";
    return host_is_plain(request->base + host.offset, host.length) ? NULL : "Host is not a host";
}

/* "GET http://host/path" means "GET /path" (RFC 9112 3.2.2). */
static void target_cut_origin(struct request *request) {
    struct span *target = &request->target;
    const char *text = request->base + target->offset;
    if (text[0] == '/')
        return;
    const char *end = text + target->length;
    const char *scheme = memmem(text, target->length, "://", 3);
    if (!scheme)
        return;
    const char *path = scheme + 3;
    while (path < end && *path != '/' && *path != '?')
        path++;
    bool has_path = path < end && *path == '/';
    /* Without a path the target is "/", and one stands in "://". */
    const char *begin = has_path ? path : scheme + 1;
    target->offset = (uint32_t)(begin - request->base);
    target->length = has_path ? (uint32_t)(end - path) : 1;
}

static enum method method_of(uint8_t method) {
    if (method == HTTP_GET)
        return METHOD_GET;
    if (method == HTTP_HEAD)
        return METHOD_HEAD;
    return method == HTTP_POST ? METHOD_POST : METHOD_OTHER;
}

static void read_framing(struct request *request) {
    const llhttp_t *parser = &request->parser;
    bool chunked = (parser->flags & F_CHUNKED) != 0;
    request->method = method_of(parser->method);
    request->keep_alive = llhttp_should_keep_alive(parser) != 0;
    request->has_body = chunked || parser->content_length > 0;
    request->body_bytes = parser->content_length;
    if (chunked)
        request->body_bytes = UINT64_MAX;
    else if (parser->content_length == UINT64_MAX)
        request->body_bytes--; /* as large as can be, but announced */
}

static enum request_state head_complete(struct request *request, struct error *err) {
    const llhttp_t *parser = &request->parser;
    request->head_bytes = (uint32_t)(llhttp_get_error_pos(parser) - request->base);
    request->minor_version = parser->http_minor;
    if (parser->http_major != 1 || parser->http_minor > 1)
        return refuse(request, 505, err, "this version of HTTP is not spoken here");
    if (!lines_are_plain(request->base, request->head_bytes))
        return refuse(request, 400, err, "a line of the head does not end in CR LF");
    const char *complaint = host_complaint(request);
    if (complaint)
        return refuse(request, 400, err, complaint);
    if (request_has(request, FIELD_TRANSFER_ENCODING)) {
        if (parser->http_minor == 0 || request->field_twice & (1U << FIELD_TRANSFER_ENCODING))
            return refuse(request, 400, err, "the length of the body is not clear");
        if (!span_is(request, request->fields[FIELD_TRANSFER_ENCODING], "chunked", 7))
            return refuse(request, 501, err, "the only transfer coding understood is chunked");
    }
    read_framing(request);
    target_cut_origin(request);
    return REQUEST_HEAD;
}

static bool is_token_letter(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static enum request_state refuse_error(struct request *request, llhttp_errno_t error,
                                       struct error *err) {
    if (request->refusal == 414)
        return refuse(request, 414, err, "the request line is too long");
    if (error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE)
        return refuse(request, 505, err, "this version of HTTP is not spoken here");
    if (error == HPE_INVALID_METHOD && is_token_letter(request->base[0]))
        return refuse(request, 405, err, "the method is not known");
    if (error == HPE_CB_HEADER_VALUE_COMPLETE)
        return refuse(request, 400, err, "a header has no name");
    const char *reason = llhttp_get_error_reason(&request->parser);
    return refuse(request, 400, err, reason && *reason ? reason : "the request is broken");
}

/* The line of HTTP/0.9, behind which no head would ever come. */
static bool line_has_no_version(const struct request *request, size_t length) {
    size_t after = (size_t)request->target.offset + request->target.length;
    return after > 0 && after < length && strchr("\r\n", request->base[after]);
}

enum request_state request_feed(struct request *request, const char *bytes, size_t length,
                                struct error *err) {
    if (request->refusal)
        return REQUEST_BAD;
    if (request->head_bytes)
        return REQUEST_HEAD;
    size_t limit = length < REQUEST_HEAD_BYTES_MAX ? length : REQUEST_HEAD_BYTES_MAX;
    request->base = bytes;
    request->parser.data = request;
    llhttp_errno_t result =
        llhttp_execute(&request->parser, bytes + request->fed, limit - request->fed);
    request->fed = (uint32_t)limit;
    if (result == HPE_PAUSED)
        return head_complete(request, err);
    /* First, since what stands behind such a line is an error or not, as it comes in pieces or not.
     */
    if (line_has_no_version(request, limit))
        return refuse(request, 505, err, "this version of HTTP is not spoken here");
    if (result != HPE_OK)
        return refuse_error(request, result, err);
    if (request->target.length == 0 && limit >= REQUEST_LINE_BYTES_MAX)
        return refuse(request, 414, err, "the request line is too long");
    if (limit >= REQUEST_HEAD_BYTES_MAX)
        return refuse(request, 431, err, "the head of the request is too large");
    return REQUEST_MORE;
}

bool request_has(const struct request *request, enum field field) {
    return (request->field_seen >> field & 1U) != 0;
}

void request_field(const struct request *request, const char *bytes, enum field field, char *out,
                   size_t size) {
    struct span span = request->fields[field];
    size_t length = span.length < size ? span.length : size - 1;
    memcpy(out, bytes + span.offset, length);
    out[length] = '\0';
}

void request_each(const struct request *request, const char *bytes, const char *name,
                  void (*take)(const char *value, size_t length, void *context), void *context) {
    size_t length = strlen(name);
    const char *end = bytes + request->head_bytes;
    /* Every line ends in CR LF, the last one is empty: that has been checked. */
    for (const char *line = memchr(bytes, '\n', request->head_bytes); line;) {
        line++;
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const char *value = line + length + 1;
        if (next && next > value && line[length] == ':' && strncasecmp(line, name, length) == 0)
            take(value, (size_t)(next - 1 - value), context);
        line = next;
    }
}
