// SPDX-License-Identifier: MIT
#include "source/http_setup.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "http/hop.h"
#include "symbol/content.h"

enum { CURL_BUFFER_BYTES = 512 * 1024 };

static void set_manners(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* http_redirect does */
    curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)CURL_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Without it the end of a transfer waits for a name server that does not answer. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static long methods_of(enum authentication authentication) {
    switch (authentication) {
    case AUTHENTICATION_NONE:
        break;
    case AUTHENTICATION_BASIC:
        return (long)CURLAUTH_BASIC;
    case AUTHENTICATION_DIGEST:
        return (long)CURLAUTH_DIGEST;
    case AUTHENTICATION_NTLM:
        return (long)CURLAUTH_NTLM;
    case AUTHENTICATION_NEGOTIATE:
        return (long)CURLAUTH_NEGOTIATE;
    case AUTHENTICATION_BEARER:
        return (long)CURLAUTH_BEARER;
    }
    return (long)CURLAUTH_BASIC; /* for the user-info of a redirect's own URL */
}

/* Without a name, be it an empty one, libcurl does not authenticate at all. */
static const char *name_or_empty(enum authentication how, const char *text, const char *other) {
    return !text && (other || how == AUTHENTICATION_NEGOTIATE) ? "" : text;
}

static void set_access(CURL *easy, const struct source_access *access) {
    enum authentication how = access->authentication;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, methods_of(how));
    curl_easy_setopt(easy, CURLOPT_USERNAME, name_or_empty(how, access->user, access->password));
    curl_easy_setopt(easy, CURLOPT_PASSWORD, name_or_empty(how, access->password, access->user));
    curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, access->token);
    const char *file = access->client_certificate;
    bool packed = file && (text_ends_folded(file, ".p12") || text_ends_folded(file, ".pfx"));
    curl_easy_setopt(easy, CURLOPT_SSLCERT, file);
    curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, packed ? "P12" : "PEM");
    curl_easy_setopt(easy, CURLOPT_SSLKEY, access->client_key);
    const char *key_password = access->client_key_password;
    /* With none at all OpenSSL would ask the terminal. */
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, file && !key_password ? "" : key_password);
}

/* What the process was told counts where nothing was configured. */
static void set_proxy(CURL *easy, const struct source_route *route) {
    enum authentication how = route->proxy_authentication;
    const char *direct = route->proxy && !route->no_proxy ? "" : route->no_proxy;
    curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, direct);
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, methods_of(how));
    curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME,
                     name_or_empty(how, route->proxy_user, route->proxy_password));
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
                     name_or_empty(how, route->proxy_password, route->proxy_user));
}

static long versions_of(enum tls_version version) {
    switch (version) {
    case TLS_VERSION_ANY:
        break;
    case TLS_VERSION_1_2:
        return (long)CURL_SSLVERSION_TLSv1_2 | (long)CURL_SSLVERSION_MAX_TLSv1_2;
    case TLS_VERSION_1_3:
        return (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3;
    }
    return (long)CURL_SSLVERSION_TLSv1_2;
}

/* The source's own server has to be known to the authorities of ca_file; where it redirects to, and
   a proxy, may be known to the system's as well. */
static void set_tls(CURL *easy, const struct source_route *route, bool at_home) {
    char *system_file = NULL, *system_folder = NULL;
    curl_easy_getinfo(easy, CURLINFO_CAINFO, &system_file);
    curl_easy_getinfo(easy, CURLINFO_CAPATH, &system_folder);
    const char *file = route->ca_file ? route->ca_file : system_file;
    bool bad = at_home && route->accept_bad_certificate;
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    /* An own file is small, and may be another by now; the system's is read once a day. */
    if (route->ca_file)
        curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_CAPATH, at_home && route->ca_file ? NULL : system_folder);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, bad ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, bad ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                     versions_of(at_home ? route->tls_version : TLS_VERSION_ANY));
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, file);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, system_folder);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, versions_of(TLS_VERSION_ANY));
}

static void append_field(struct curl_slist **fields, const char *name, const char *value) {
    size_t size = strlen(name) + strlen(value) + 4;
    char *line = memory_new(size);
    /* An empty value is written with a semicolon: a colon would take the header out. */
    if (value[0])
        text_format(line, size, "%s: %s", name, value);
    else
        text_format(line, size, "%s;", name);
    *fields = curl_slist_append(*fields, line);
    secret_free(line);
}

static struct curl_slist *fields_of(const struct http_request *request) {
    struct curl_slist *fields = NULL;
    if (request->if_range)
        append_field(&fields, "If-Range", request->if_range);
    if (request->if_none_match)
        append_field(&fields, "If-None-Match", request->if_none_match);
    if (request->if_modified_since)
        append_field(&fields, "If-Modified-Since", request->if_modified_since);
    /* Undone here and not by libcurl, which cannot be held up in the middle of what a small piece
     * unfolds to. */
    append_field(&fields, "Accept-Encoding", request->range ? "identity" : "gzip");
    char hop[HOP_BYTES];
    hop_write(hop);
    append_field(&fields, HOP_HEADER, hop);
    if (request->at_home && request->checksums)
        append_field(&fields, "SymbolChecksum", request->checksums);
    const struct source_access *access = request->access;
    for (unsigned i = 0; request->at_home && i < access->header_names.count; i++)
        append_field(&fields, access->header_names.texts[i], access->header_values.texts[i]);
    return fields;
}

void http_setup(CURL *easy, const struct http_request *request, struct curl_slist **out_fields) {
    static const struct source_access nothing;
    set_manners(easy);
    set_access(easy, request->at_home ? request->access : &nothing);
    set_proxy(easy, request->route);
    set_tls(easy, request->route, request->at_home);
    *out_fields = fields_of(request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *out_fields);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, request->user_agent);
    curl_easy_setopt(easy, CURLOPT_RANGE, request->range);
}

void http_fields_free(struct curl_slist *fields) {
    for (struct curl_slist *field = fields; field; field = field->next)
        explicit_bzero(field->data, strlen(field->data));
    curl_slist_free_all(fields);
}

bool http_shakes_hands(const struct http_request *request) {
    return authentication_shakes_hands(request->route->proxy_authentication) ||
           (request->at_home && authentication_shakes_hands(request->access->authentication));
}

bool http_handle_learns(const struct http_request *request) {
    return request->at_home && (request->access->authentication == AUTHENTICATION_DIGEST ||
                                request->route->proxy_authentication == AUTHENTICATION_DIGEST);
}
