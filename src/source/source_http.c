// SPDX-License-Identifier: MIT
#include "source/source_http.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/gunzip.h"
#include "source/http_ranges.h"
#include "source/http_redirect.h"
#include "source/http_remote.h"
#include "symbol/layout.h"

enum {
    URL_BYTES = HTTP_REMOTE_BYTES_MAX + 3 * LAYOUT_PATH_BYTES,
    DATE_BYTES = 40,
};

struct http_source {
    struct source source;
    struct http_remote remote;
};

/* A body on its way. */
struct http_reader {
    struct reader reader;
    struct http_transfer *transfer;
    struct gunzip *gunzip; /* NULL: came as it is */
    struct reader raw;     /* what gunzip reads */
    int64_t stall_ms;
};

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort(); /* nothing can be fetched at all */
}

void source_http_start(void) {
    pthread_once(&started, start);
}

static struct http_reader *reader_of_raw(struct reader *raw) {
    return (struct http_reader *)(void *)((char *)raw - offsetof(struct http_reader, raw));
}

static ssize_t raw_read(struct reader *raw, void *bytes, size_t length, struct error *err) {
    struct http_reader *reader = reader_of_raw(raw);
    return http_transfer_read(reader->transfer, bytes, length, reader->stall_ms, err);
}

static bool raw_ready(struct reader *raw) {
    return http_transfer_ready(reader_of_raw(raw)->transfer);
}

static const struct reader_ops raw_ops = {.read = raw_read, .ready = raw_ready};

static ssize_t http_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct http_reader *http = (struct http_reader *)reader;
    if (http->gunzip)
        return gunzip_read(http->gunzip, bytes, length, err);
    return raw_read(&http->raw, bytes, length, err);
}

static bool http_ready(struct reader *reader) {
    struct http_reader *http = (struct http_reader *)reader;
    return http->gunzip ? gunzip_ready(http->gunzip) : raw_ready(&http->raw);
}

static void http_close(struct reader *reader) {
    struct http_reader *http = (struct http_reader *)reader;
    gunzip_free(http->gunzip);
    http_transfer_free(http->transfer);
    free(http);
}

static const struct reader_ops http_reader_ops = {
    .read = http_read, .ready = http_ready, .close = http_close};

static struct reader *http_reader_new(struct http_transfer *transfer, bool encoded,
                                      int64_t stall_ms) {
    struct http_reader *http = NEW(struct http_reader);
    http->reader.ops = &http_reader_ops;
    http->raw.ops = &raw_ops;
    http->transfer = transfer;
    http->stall_ms = stall_ms;
    if (encoded)
        http->gunzip = gunzip_new(&http->raw);
    return &http->reader;
}

static void transfer_free_at(struct http_transfer **transfer) {
    http_transfer_free(*transfer);
}

/* What a head means for this question. */
enum meaning {
    MEANS_BODY, /* from its start */
    MEANS_REST, /* from where the resume asked */
    MEANS_ABSENT,
    MEANS_SAME,  /* what the call is marked with */
    MEANS_AGAIN, /* the resume was answered with another part: ask without it */
    MEANS_FAILED,
};

/* Is this the rest of the same body, to its end? */
static bool honours(const struct http_answer *answer, const struct resume *resume) {
    uint64_t total = answer->range_total;
    bool to_the_end = total == SIZE_UNKNOWN || answer->range_end == total - 1;
    /* A time is a weaker word than a tag: it needs the length beside it. */
    bool same_size =
        total == resume->size ||
        (resume->validator[0] && (total == SIZE_UNKNOWN || resume->size == SIZE_UNKNOWN));
    return answer->range_start == resume->offset && to_the_end && same_size &&
           http_answer_belongs(answer, resume->validator, resume->last_modified) &&
           answer->coding == CODING_NONE;
}

/* Why somebody was not let in, as a clause; only what an error says reaches people, not its hint.
 */
static const char *why_refused(const struct source_access *access, int status, bool left) {
    if (status == 407)
        return ": the proxy wants other proxyUser, proxyPassword or proxyAuthentication";
    if (left && (status == 401 || status == 403))
        return " behind a redirect to another server, which is shown no credentials";
    if (status != 401)
        return "";
    if (access->authentication == AUTHENTICATION_NEGOTIATE)
        return ": there is no Kerberos ticket that it takes";
    if (access->authentication != AUTHENTICATION_NONE)
        return ": it does not take these credentials, or wants another authentication";
    return ": it wants user and password, a token or headers";
}

static enum meaning fail_status(const struct source *source, const struct http_answer *answer,
                                const struct http_way *way, struct error *err) {
    bool throttled = answer->status == 429 || answer->retry_after_s > 0;
    if (answer->status == 508) { /* "Loop Detected", RFC 5842 */
        error_set(err, ERROR_LOOP, "source \"%s\" is this symgate itself",
                  source->options.identifier);
        return MEANS_FAILED;
    }
    error_set(err, throttled ? ERROR_THROTTLED : ERROR_STATUS,
              "source \"%s\" answered with status %d%s", source->options.identifier, answer->status,
              answer->undecided ? ": it is a proxy that could not tell whether the file exists"
                                : why_refused(&source->options.access, answer->status, way->left));
    return MEANS_FAILED;
}

static enum meaning meaning_of_part(const struct http_answer *answer, const struct resume *resume) {
    return answer->status == 206 && honours(answer, resume) ? MEANS_REST : MEANS_AGAIN;
}

static enum meaning meaning_of(const struct source *source, const struct source_call *call,
                               const struct http_answer *answer, const struct http_way *way,
                               struct error *err) {
    if (source_absent_status(source, call, answer->status) && !answer->undecided)
        return MEANS_ABSENT;
    if (answer->status != 200)
        return fail_status(source, answer, way, err);
    if (answer->coding == CODING_OTHER)
        error_set(err, ERROR_ENCODING, "source \"%s\" sent a content coding it was not asked for",
                  source->options.identifier);
    else if (answer->lengths_differ)
        error_set(err, ERROR_LENGTH, "source \"%s\" announced two lengths or none that is a number",
                  source->options.identifier);
    else
        return MEANS_BODY;
    return MEANS_FAILED;
}

static void describe(const struct http_answer *answer, const struct http_way *way,
                     const struct resume *resume, struct content *out_content) {
    bool encoded = answer->coding == CODING_GZIP;
    *out_content = (struct content){.size = SIZE_UNKNOWN,
                                    .last_modified = answer->last_modified,
                                    .encoded = encoded,
                                    .announced_html = answer->html,
                                    .announced_text = answer->text,
                                    .redirected = way->redirects > 0};
    if (resume) {
        out_content->start = resume->offset;
        out_content->size =
            answer->range_total != SIZE_UNKNOWN ? answer->range_total : resume->size;
    } else if (!encoded && !answer->chunked) {
        out_content->size = answer->length;
    }
    /* The validator of a coded form is none for what it unfolds to. */
    if (!encoded)
        text_copy(out_content->validator, sizeof out_content->validator, answer->etag);
}

/* A resume that can be asked for: without a condition the rest of another file might come. */
static const struct resume *usable(const struct resume *resume) {
    bool conditional = resume && (resume->validator[0] || resume->last_modified > 0);
    return conditional && resume->offset > 0 ? resume : NULL;
}

static void write_date(int64_t seconds, char out[DATE_BYTES]) {
    time_t when = (time_t)seconds;
    struct tm parts;
    gmtime_r(&when, &parts);
    /* No locale is ever set, so the names are English. */
    strftime(out, DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

static void condition_of(const struct resume *resume, char out[VALIDATOR_BYTES + DATE_BYTES]) {
    if (resume->validator[0])
        text_copy(out, VALIDATOR_BYTES, resume->validator);
    else
        write_date(resume->last_modified, out);
}

/* What one question has brought. */
struct brought {
    struct http_transfer *transfer;
    struct http_way way;
    struct http_request request; /* what was asked; its own strings are gone */
};

/* All forms of a symbol lie in one folder. */
static uint64_t key_hash(const char *path) {
    const char *slash = strrchr(path, '/');
    return hash_bytes(hash_process_key(), path, slash ? (size_t)(slash - path) : strlen(path));
}

static struct http_transfer *put(struct source *source, struct http_worker *worker,
                                 const struct source_call *call, const char *url,
                                 const struct resume *resume, struct brought *out,
                                 struct error *err) {
    char range[32];
    char condition[VALIDATOR_BYTES + DATE_BYTES];
    char since[DATE_BYTES];
    struct http_request request = {.source = source->options.identifier,
                                   .url = url,
                                   .user_agent = source->options.user_agent,
                                   .fresh_connection = call->fresh_connection,
                                   .connect_ms = source->options.connect_ms,
                                   .cancel = call->cancel,
                                   .access = &source->options.access,
                                   .route = &source->options.route,
                                   .host_rests = queue_host_rests(source->queue),
                                   .key_hash = key_hash(call->path),
                                   .at_home = true};
    if (source->options.forward_checksum)
        request.checksums = call->checksums;
    if (resume) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)resume->offset);
        condition_of(resume, condition);
        request.range = range;
        request.if_range = condition;
    }
    if (call->unless && call->unless->validator[0])
        request.if_none_match = call->unless->validator;
    if (call->unless && call->unless->last_modified > 0) {
        write_date(call->unless->last_modified, since);
        request.if_modified_since = since;
    }
    int64_t deadline_ms = clock_ms() + source->options.first_byte_ms;
    out->request = request;
    out->request.range = out->request.if_range = NULL;
    out->request.if_none_match = out->request.if_modified_since = NULL;
    return http_question(worker, &request, deadline_ms, &out->way, err);
}

/* What the head means for the other host that sent it. */
static void note_host(struct http_way *way, const struct http_answer *answer, enum meaning meaning,
                      uint64_t key, const struct error *err) {
    enum error_kind kind = meaning == MEANS_FAILED ? err->kind : ERROR_NONE;
    host_visit_end(&way->visit, kind, answer->status, key,
                   meaning == MEANS_BODY ? RETRY_UNTOLD : answer->retry_after_s);
}

/* One question and what its head means; only with a body *out has a transfer. */
static enum meaning ask_once(struct source *source, struct http_worker *worker,
                             struct source_call *call, const struct resume *resume,
                             struct brought *out, struct error *err) {
    char url[URL_BYTES];
    char path[3 * LAYOUT_PATH_BYTES];
    const struct http_source *http = (const struct http_source *)source;
    if (!text_encode_percent(path, sizeof path, call->path, "/") ||
        !text_format(url, sizeof url, "%s/%s%s", http->remote.base, path, http->remote.query)) {
        error_set(err, ERROR_INVALID, "the name is too long for a URL");
        return MEANS_FAILED;
    }
    text_mask_url(call->note->url, sizeof call->note->url, url);
    CLEANUP(transfer_free_at)
    struct http_transfer *transfer = put(source, worker, call, url, resume, out, err);
    call->behind = out->way.behind;
    if (!transfer)
        return MEANS_FAILED;
    const struct http_answer *answer = http_transfer_answer(transfer);
    call->note->status = answer->status;
    call->date_s = call->behind ? 0 : answer->date;
    enum meaning meaning;
    if (call->unless && answer->status == 304)
        meaning = MEANS_SAME;
    else if (resume && (answer->status == 206 || answer->status == 416))
        meaning = meaning_of_part(answer, resume);
    else
        meaning = meaning_of(source, call, answer, &out->way, err);
    note_host(&out->way, answer, meaning, key_hash(call->path), err);
    if (meaning == MEANS_BODY || meaning == MEANS_REST) {
        out->transfer = TAKE(transfer);
        return meaning;
    }
    /* A pause that another host asks for is none of the source's. */
    call->retry_after_s = call->behind ? RETRY_UNTOLD : answer->retry_after_s;
    http_transfer_drain(transfer);
    return meaning;
}

/* The body as a reader: over several connections where that may gain. */
static struct reader *reader_for(struct source *source, struct http_worker *worker,
                                 struct brought *brought, const struct content *content) {
    if (!http_ranges_worth(source, http_transfer_answer(brought->transfer), content))
        return http_reader_new(brought->transfer, content->encoded, source->options.stall_ms);
    brought->request.at_home = !brought->way.left;
    brought->request.fresh_connection = false;
    struct http_lead lead = {.source = source,
                             .worker = worker,
                             .transfer = brought->transfer,
                             .request = &brought->request,
                             .content = content};
    return http_ranges_new(&lead);
}

static enum source_answer http_ask(struct source *source, void *worker, struct source_call *call,
                                   bool in_place, struct content *out_content,
                                   struct reader **out_reader, struct source_local *out_local,
                                   struct error *err) {
    (void)in_place;
    (void)out_local;
    int64_t began_ms = clock_ms();
    const struct resume *resume = usable(call->resume);
    struct brought brought = {0};
    call->retry_after_s = RETRY_UNTOLD;
    call->behind = false;
    enum meaning meaning = ask_once(source, worker, call, resume, &brought, err);
    if (meaning == MEANS_AGAIN) {
        resume = NULL;
        meaning = ask_once(source, worker, call, NULL, &brought, err);
    }
    call->note->head_ms = clock_ms() - began_ms;
    switch (meaning) {
    case MEANS_BODY:
    case MEANS_REST:
        describe(http_transfer_answer(brought.transfer), &brought.way,
                 meaning == MEANS_REST ? resume : NULL, out_content);
        *out_reader = reader_for(source, worker, &brought, out_content);
        return SOURCE_FOUND;
    case MEANS_ABSENT:
        return SOURCE_ABSENT;
    case MEANS_SAME:
        return SOURCE_SAME;
    case MEANS_AGAIN:
    case MEANS_FAILED:
        break;
    }
    return SOURCE_FAILED;
}

static void *worker_new(void) {
    return http_worker_new();
}

static void worker_free(void *worker) {
    http_worker_free(worker);
}

static void http_free(struct source *source) {
    struct http_source *http = (struct http_source *)source;
    source_release(source);
    http_remote_release(&http->remote);
    free(http);
}

static const struct source_ops http_ops = {.type = "http",
                                           .worker_new = worker_new,
                                           .worker_free = worker_free,
                                           .ask = http_ask,
                                           .free = http_free};

/* User-info in the URL is the short way to say who asks. */
static void name_asker(struct source_options *options, const struct http_remote *remote) {
    struct source_access *access = &options->access;
    if ((!remote->user && !remote->password) || access->user || access->password)
        return;
    access->user = remote->user;
    access->password = remote->password;
    if (access->authentication == AUTHENTICATION_NONE)
        access->authentication = AUTHENTICATION_BASIC;
}

struct source *source_http_new(const struct source_options *options, const struct hash_key *key,
                               struct error *err) {
    source_http_start();
    struct http_remote remote;
    if (!http_remote_parse(options->remote, options->identifier, &remote, err))
        return NULL;
    struct http_source *http = NEW(struct http_source);
    http->remote = remote;
    struct source_options complete = *options;
    name_asker(&complete, &remote);
    source_init(&http->source, &http_ops, &complete, key);
    return &http->source;
}
