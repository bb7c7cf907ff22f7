// SPDX-License-Identifier: MIT
#include "source/http_redirect.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { TARGET_BYTES_MAX = 64 * 1024 };

static void url_free(CURLU **url) {
    curl_url_cleanup(*url);
}

static void text_free(char **text) {
    curl_free(*text);
}

static void target_free(char **text) {
    secret_free(*text);
}

static void transfer_free_at(struct http_transfer **transfer) {
    http_transfer_free(*transfer);
}

/* Parts of two URLs that are not there are not the same. */
static bool same_part(CURLU *a, CURLU *b, CURLUPart part) {
    CLEANUP(text_free) char *of_a = NULL;
    CLEANUP(text_free) char *of_b = NULL;
    return curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK && text_same(of_a, of_b);
}

bool http_same_origin(const char *a, const char *b) {
    CLEANUP(url_free) CURLU *of_a = curl_url();
    CLEANUP(url_free) CURLU *of_b = curl_url();
    return curl_url_set(of_a, CURLUPART_URL, a, 0) == CURLUE_OK &&
           curl_url_set(of_b, CURLUPART_URL, b, 0) == CURLUE_OK &&
           same_part(of_a, of_b, CURLUPART_SCHEME) && same_part(of_a, of_b, CURLUPART_HOST) &&
           same_part(of_a, of_b, CURLUPART_PORT);
}

char *http_redirect_target(const char *url, const char *location, struct error *err) {
    CLEANUP(url_free) CURLU *parts = curl_url();
    CLEANUP(text_free) char *scheme = NULL;
    CLEANUP(text_free) char *target = NULL;
    const unsigned lenient = CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_set(parts, CURLUPART_URL, location, lenient) != CURLUE_OK ||
        curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_URL, &target, 0) != CURLUE_OK) {
        error_set(err, ERROR_REDIRECT, "it redirects to what is no URL");
        return NULL;
    }
    if (!text_same(scheme, "http") && !text_same(scheme, "https")) {
        error_set(err, ERROR_REDIRECT, "it redirects to what is neither http nor https");
        return NULL;
    }
    if (strlen(target) > TARGET_BYTES_MAX) {
        error_set(err, ERROR_REDIRECT, "it redirects to a URL longer than %d bytes",
                  TARGET_BYTES_MAX);
        return NULL;
    }
    return memory_text(target);
}

/* The next place, or NULL with err. */
static char *next_place(struct http_transfer *transfer, const struct http_request *request,
                        unsigned redirects, struct error *err) {
    if (redirects == REDIRECTS_MAX) {
        error_set(err, ERROR_REDIRECT, "source \"%s\" redirects more than %d times",
                  request->source, REDIRECTS_MAX);
        return NULL;
    }
    struct error why = {0};
    char *place = http_redirect_target(request->url, http_transfer_location(transfer), &why);
    if (!place)
        error_set(err, why.kind, "source \"%s\": %s", request->source, why.what);
    return place;
}

/* "host:port"; false where there is none, or too long a one. */
static bool host_of(const char *url, char out[HOST_BYTES]) {
    CLEANUP(url_free) CURLU *parts = curl_url();
    CLEANUP(text_free) char *host = NULL;
    CLEANUP(text_free) char *port = NULL;
    return curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
           curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
           curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           text_format(out, HOST_BYTES, "%s:%s", host, port);
}

/* Leaves the host that has redirected for the next one; false with err when that one rests. */
static bool go_on(const struct http_request *request, const char *place, struct http_way *way,
                  struct error *err) {
    char host[HOST_BYTES];
    host_visit_end(&way->visit, ERROR_NONE, 0, request->key_hash, RETRY_UNTOLD);
    way->redirects++;
    way->behind = !http_same_origin(request->url, place);
    way->left = way->left || way->behind;
    if (!way->behind || !request->host_rests || !host_of(place, host))
        return true;
    return host_visit(request->host_rests, request->source, host, &way->visit, err);
}

static struct http_transfer *follow(struct http_worker *worker, const struct http_request *request,
                                    int64_t deadline_ms, struct http_way *way, struct error *err) {
    struct http_request hop = *request;
    CLEANUP(target_free) char *place = NULL;
    for (;;) {
        CLEANUP(transfer_free_at)
        struct http_transfer *transfer = http_transfer_new(worker, &hop, err);
        struct error why = {0};
        bool came = transfer && http_transfer_head(transfer, deadline_ms, &why);
        if (transfer && http_transfer_outdated(transfer)) {
            http_transfer_drain(transfer);
            continue;
        }
        if (!came) {
            if (transfer && err)
                *err = why;
            return NULL;
        }
        if (!http_answer_leads_on(http_transfer_answer(transfer)))
            return TAKE(transfer);
        char *next = next_place(transfer, &hop, way->redirects, err);
        if (!next)
            return NULL;
        secret_free(place);
        hop.url = place = next;
        http_transfer_drain(transfer);
        if (!go_on(request, place, way, err))
            return NULL;
        hop.at_home = !way->left;
    }
}

struct http_transfer *http_question(struct http_worker *worker, const struct http_request *request,
                                    int64_t deadline_ms, struct http_way *out_way,
                                    struct error *err) {
    *out_way = (struct http_way){0};
    struct http_transfer *transfer = follow(worker, request, deadline_ms, out_way, err);
    if (!transfer)
        host_visit_end(&out_way->visit, err->kind, 0, request->key_hash, RETRY_UNTOLD);
    return transfer;
}
