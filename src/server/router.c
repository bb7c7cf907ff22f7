// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/text.h"
#include "server/api.h"
#include "server/exchange.h"
#include "server/internal.h"

static const char plain[] = "text/plain; charset=utf-8";

struct route {
    const char *path;
    bool whole; /* the path must end there */
    bool post;  /* POST is for the route to judge */
    void (*serve)(struct exchange *exchange, const char *rest, size_t length, const char *query,
                  const char *bytes, const struct buffer *body);
};

static void symbols(struct exchange *exchange, const char *rest, size_t length, const char *query,
                    const char *bytes, const struct buffer *body) {
    (void)query, (void)bytes, (void)body;
    serve_symbol(exchange, rest, length);
}

static void health(struct exchange *exchange, const char *rest, size_t length, const char *query,
                   const char *bytes, const struct buffer *body) {
    (void)rest, (void)length, (void)query, (void)bytes, (void)body;
    answer_text(exchange, 200, plain, "ok");
}

static void page(struct exchange *exchange, const char *rest, size_t length, const char *query,
                 const char *bytes, const struct buffer *body) {
    (void)rest, (void)length, (void)query, (void)body;
    serve_page(exchange, bytes);
}

static void metrics(struct exchange *exchange, const char *rest, size_t length, const char *query,
                    const char *bytes, const struct buffer *body) {
    (void)rest, (void)length, (void)query, (void)bytes, (void)body;
    serve_metrics(exchange);
}

static void statistics(struct exchange *exchange, const char *rest, size_t length,
                       const char *query, const char *bytes, const struct buffer *body) {
    (void)rest, (void)length, (void)body;
    if (trust_host(exchange, bytes))
        serve_statistics(exchange, query, bytes);
}

static void symbol_table(struct exchange *exchange, const char *rest, size_t length,
                         const char *query, const char *bytes, const struct buffer *body) {
    (void)rest, (void)length, (void)body;
    if (trust_host(exchange, bytes))
        serve_symbol_table(exchange, query, bytes);
}

static const struct route routes[] = {
    {"/symbols/", false, false, symbols},
    {"/symbols", true, false, symbols},
    {"/api/v1/", false, true, serve_api},
    {"/healthz", true, false, health},
    {"/metrics", true, false, metrics},
    {"/", true, false, page},
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

void router_serve(struct exchange *exchange, const char *path, size_t length, const char *query,
                  const char *bytes, const struct buffer *body) {
    skip_slashes(&path, &length);
    const struct route *route = find_route(path, length);
    enum method method = exchange->request.method;
    bool allowed = method == METHOD_GET || method == METHOD_HEAD ||
                   (method == METHOD_POST && route && route->post);
    if (!allowed) {
        text_copy(exchange->reason, sizeof exchange->reason, "only GET and HEAD are answered here");
        answer_text(exchange, 405, plain, exchange->reason);
        return;
    }
    if (!route) {
        text_copy(exchange->reason, sizeof exchange->reason,
                  "there is nothing here; symbols are below /symbols/");
        answer_text(exchange, 404, plain, exchange->reason);
        return;
    }
    size_t own = strlen(route->path);
    route->serve(exchange, path + own, length - own, query, bytes, body);
}
