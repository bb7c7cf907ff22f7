// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/text.h"
#include "http/hop.h"
#include "server/api.h"
#include "server/exchange.h"
#include "server/internal.h"

static const char plain[] = "text/plain; charset=utf-8";

struct route {
    const char *path;
    bool whole; /* the path must end there */
    bool post;  /* POST is for the route to judge */
    void (*serve)(struct exchange *exchange, const char *rest, size_t length, const char *query,
                  const char *bytes);
};

/* Has one of this symgate's servers led its question back to it? */
static bool came_back(const struct exchange *exchange, const char *bytes) {
    char mark[HOP_BYTES + 1];
    if (!request_has(&exchange->request, FIELD_HOP))
        return false;
    request_field(&exchange->request, bytes, FIELD_HOP, mark, sizeof mark);
    return hop_is_own(mark);
}

static void symbols(struct exchange *exchange, const char *rest, size_t length, const char *query,
                    const char *bytes) {
    (void)query;
    if (!came_back(exchange, bytes)) {
        serve_symbol(exchange, rest, length);
        return;
    }
    text_copy(exchange->reason, sizeof exchange->reason,
              "this symgate asks itself: one of its servers leads back to it");
    answer_text(exchange, 508, plain, exchange->reason);
}

static void health(struct exchange *exchange, const char *rest, size_t length, const char *query,
                   const char *bytes) {
    (void)rest, (void)length, (void)query, (void)bytes;
    answer_text(exchange, 200, plain, "ok");
}

static void page(struct exchange *exchange, const char *rest, size_t length, const char *query,
                 const char *bytes) {
    (void)rest, (void)length, (void)query;
    serve_page(exchange, bytes);
}

static void web(struct exchange *exchange, const char *rest, size_t length, const char *query,
                const char *bytes) {
    (void)query, (void)bytes;
    serve_web(exchange, rest, length);
}

static void metrics(struct exchange *exchange, const char *rest, size_t length, const char *query,
                    const char *bytes) {
    (void)rest, (void)length, (void)query, (void)bytes;
    serve_metrics(exchange);
}

static void statistics(struct exchange *exchange, const char *rest, size_t length,
                       const char *query, const char *bytes) {
    (void)rest, (void)length;
    if (trust_host(exchange, bytes))
        serve_statistics(exchange, query, bytes);
}

static void symbol_table(struct exchange *exchange, const char *rest, size_t length,
                         const char *query, const char *bytes) {
    (void)rest, (void)length;
    if (trust_host(exchange, bytes))
        serve_symbol_table(exchange, query, bytes);
}

static void configuration(struct exchange *exchange, const char *rest, size_t length,
                          const char *query, const char *bytes) {
    (void)rest, (void)length;
    if (trust_allows_change(exchange, bytes))
        serve_configuration(exchange, query, bytes);
}

static const struct route routes[] = {
    {"/symbols/", false, false, symbols},
    {"/symbols", true, false, symbols},
    {"/api/v1/", false, true, serve_api},
    {"/healthz", true, false, health},
    {"/metrics", true, false, metrics},
    {"/", true, false, page},
    {"/web/", false, false, web},
    {"/pysymproxy.json", true, false, configuration},
    {"/statistics.json", true, false, statistics},
    {"/symbols.json", true, false, symbol_table},
};

/* SymSrv asks for "//index2.txt": doubled slashes at the front count once. */
static void skip_slashes(const char **path, size_t *length) {
    while (*length >= 2 && (*path)[0] == '/' && (*path)[1] == '/') {
        (*path)++;
        (*length)--;
    }
}

static const struct route *find_route(const char *path, size_t length) {
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t own = strlen(routes[i].path);
        bool fits = routes[i].whole ? length == own : length >= own;
        if (fits && memcmp(path, routes[i].path, own) == 0)
            return &routes[i];
    }
    return NULL;
}

/* "/12.log": how many digits; 0: it is no such path. */
static size_t log_number(const char *path, size_t length) {
    static const char end[] = ".log";
    size_t digits = length > 1 ? strspn(path + 1, "0123456789") : 0;
    bool fits = digits > 0 && digits <= 9 && 1 + digits + sizeof end - 1 == length &&
                memcmp(path + 1 + digits, end, sizeof end - 1) == 0;
    return fits ? digits : 0;
}

void router_serve(struct exchange *exchange, const char *path, size_t length, const char *query,
                  const char *bytes) {
    skip_slashes(&path, &length);
    const struct route *route = find_route(path, length);
    enum method method = exchange->request.method;
    bool allowed = method == METHOD_GET || method == METHOD_HEAD ||
                   (method == METHOD_POST && route && route->post);
    if (!allowed) {
        exchange->about_symbol = route && route->serve == symbols;
        text_copy(exchange->reason, sizeof exchange->reason, "only GET and HEAD are answered here");
        answer_text(exchange, 405, plain, exchange->reason);
        return;
    }
    size_t digits = log_number(path, length);
    if (!route && digits > 0) {
        if (trust_allows_change(exchange, bytes))
            serve_log(exchange, path + 1, digits, query, bytes);
        return;
    }
    if (!route) {
        text_copy(exchange->reason, sizeof exchange->reason,
                  "there is nothing here; symbols are below /symbols/");
        answer_text(exchange, 404, plain, exchange->reason);
        return;
    }
    size_t own = strlen(route->path);
    route->serve(exchange, path + own, length - own, query, bytes);
}
