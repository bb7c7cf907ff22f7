// SPDX-License-Identifier: MIT
#include "source/http_remote.h"

#include <curl/curl.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/access.h"

static void url_free(CURLU **url) {
    curl_url_cleanup(*url);
}

static void text_free(char **text) {
    curl_free(*text);
}

/* Runs of slashes to one, none at the end: some servers refuse doubled ones. */
static bool tidy_path(CURLU *url) {
    CLEANUP(text_free) char *path = NULL;
    if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return false;
    char *to = path;
    for (const char *from = path; *from; from++)
        if (*from != '/' || to == path || to[-1] != '/')
            *to++ = *from;
    *to = '\0';
    return curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK;
}

/* Takes the query out of a URL; a new text. */
static char *take_query(CURLU *url) {
    CLEANUP(text_free) char *query = NULL;
    if (curl_url_get(url, CURLUPART_QUERY, &query, 0) != CURLUE_OK)
        return memory_text("");
    char *marked = memory_new(strlen(query) + 2);
    marked[0] = '?';
    memcpy(marked + 1, query, strlen(query) + 1);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    return marked;
}

/* A part decoded, or NULL where there is none, taken out; false for what cannot be decoded. */
static bool take_part(CURLU *url, CURLUPart part, char **out_text) {
    char *text = NULL;
    CURLUcode rc = curl_url_get(url, part, &text, CURLU_URLDECODE);
    *out_text = memory_text(text);
    if (text)
        explicit_bzero(text, strlen(text));
    curl_free(text);
    curl_url_set(url, part, NULL, 0);
    return rc == CURLUE_OK || rc == CURLUE_NO_USER || rc == CURLUE_NO_PASSWORD;
}

/* What is wrong with it, or NULL. */
static const char *take_apart(CURLU *url, const char *text, struct http_remote *out) {
    CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, CURLU_URLENCODE);
    if (rc == CURLUE_OK && !text_starts_folded(text, "http://") &&
        !text_starts_folded(text, "https://"))
        rc = CURLUE_UNSUPPORTED_SCHEME;
    if (rc != CURLUE_OK)
        return curl_url_strerror(rc);
    if (!take_part(url, CURLUPART_USER, &out->user) ||
        !take_part(url, CURLUPART_PASSWORD, &out->password))
        return "its user-info cannot be decoded";
    out->query = take_query(url);
    CLEANUP(text_free) char *base = NULL;
    if (!tidy_path(url) || curl_url_get(url, CURLUPART_URL, &base, 0) != CURLUE_OK)
        return "its path cannot be read";
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        base[--length] = '\0';
    out->base = memory_text(base);
    return length + strlen(out->query) < HTTP_REMOTE_BYTES_MAX ? NULL : "too long";
}

bool http_remote_parse(const char *url, const char *identifier, struct http_remote *out_remote,
                       struct error *err) {
    char shown[512];
    text_mask_url(shown, sizeof shown, url);
    CLEANUP(url_free) CURLU *parts = curl_url();
    struct http_remote remote = {0};
    const char *fault = take_apart(parts, url, &remote);
    if (!fault && !strchr(url, '#')) {
        *out_remote = remote;
        return true;
    }
    http_remote_release(&remote);
    if (fault)
        return error_set(err, ERROR_CONFIG, "remote \"%s\" of source \"%s\" is no usable URL: %s",
                         shown, identifier, fault);
    error_set(err, ERROR_CONFIG, "remote \"%s\" of source \"%s\" has a fragment", shown,
              identifier);
    return error_hint(err, "Remove what follows the \"#\": no server ever sees it.");
}

const char *http_remote_fault(const char *url) {
    CLEANUP(url_free) CURLU *parts = curl_url();
    CLEANUP(http_remote_release) struct http_remote remote = {0};
    const char *fault = take_apart(parts, url, &remote);
    if (fault)
        return fault;
    return strchr(url, '#') ? "has a fragment, which no server ever sees" : NULL;
}

static bool has_part(CURLU *url, CURLUPart part) {
    CLEANUP(text_free) char *text = NULL;
    return curl_url_get(url, part, &text, 0) == CURLUE_OK && strcmp(text, "/") != 0;
}

const char *http_proxy_fault(const char *url, bool *out_named) {
    CLEANUP(url_free) CURLU *parts = curl_url();
    *out_named = false;
    if (!text_starts_folded(url, "http://") && !text_starts_folded(url, "https://"))
        return "does not begin with http:// or https://";
    CURLUcode rc = curl_url_set(parts, CURLUPART_URL, url, 0);
    if (rc != CURLUE_OK)
        return curl_url_strerror(rc);
    *out_named = has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD);
    if (!has_part(parts, CURLUPART_PORT))
        return "names no port";
    if (has_part(parts, CURLUPART_PATH) || has_part(parts, CURLUPART_QUERY) ||
        has_part(parts, CURLUPART_FRAGMENT))
        return "has something behind the port";
    return NULL;
}

void http_remote_release(struct http_remote *remote) {
    secret_free(remote->base);
    secret_free(remote->query);
    secret_free(remote->user);
    secret_free(remote->password);
    *remote = (struct http_remote){0};
}
