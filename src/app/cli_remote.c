// SPDX-License-Identifier: MIT
#include "app/cli_remote.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "app/data_folder.h"
#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"
#include "symbol/key.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, URL_BYTES_MAX = 32 * 1024, TIMEOUT_S = 60 };

static size_t gather(char *bytes, size_t size, size_t count, void *context) {
    return buffer_append(context, bytes, size * count) ? size * count : 0;
}

/* "http://0.0.0.0:8080/" is where it listens; from here it is reached on loopback. */
static void reachable(const char *url, char *out, size_t size) {
    static const char any4[] = "http://0.0.0.0:", any6[] = "http://[::]:";
    if (text_starts(url, any4))
        text_format(out, size, "http://127.0.0.1:%s", url + sizeof any4 - 1);
    else if (text_starts(url, any6))
        text_format(out, size, "http://[::1]:%s", url + sizeof any6 - 1);
    else
        text_format(out, size, "%s%s", url, text_ends_folded(url, "/") ? "" : "/");
}

static bool find_server(const struct remote *remote, char *out, size_t size, struct error *err) {
    char announced[256];
    if (remote->url) {
        reachable(remote->url, out, size);
        return true;
    }
    CLEANUP(free_block) char *standard = path_default_data();
    if (!data_folder_find_server(remote->data ? remote->data : standard, announced,
                                 sizeof announced, err))
        return false;
    reachable(announced, out, size);
    return true;
}

/* The whole URL of a path at the server that is meant. */
static bool make_url(const struct remote *remote, const char *path, struct buffer *out,
                     struct error *err) {
    char base[512];
    buffer_init(out, URL_BYTES_MAX);
    if (!find_server(remote, base, sizeof base, err))
        return false;
    if (!buffer_format(out, "%s%s", base, path))
        return error_set(err, ERROR_INVALID, "that is too long to be asked");
    return true;
}

bool remote_symbol_path(const char *route, const char *symbol, char out[REMOTE_PATH_BYTES]) {
    struct spelling spelling;
    char name[3 * NAME_BYTES_MAX + 1], id[3 * ID_BYTES_MAX + 1];
    return spelling_read(symbol, &spelling) &&
           text_encode_percent(name, sizeof name, spelling.name, "") &&
           text_encode_percent(id, sizeof id, spelling.id, "") &&
           text_format(out, REMOTE_PATH_BYTES, "api/v1/%s?name=%s&id=%s", route, name, id);
}

struct header_wanted {
    char *out;
    size_t size;
};

static size_t look_for_id(char *bytes, size_t size, size_t count, void *context) {
    static const char name[] = "X-Request-Id: ";
    const struct header_wanted *wanted = context;
    size_t length = size * count;
    char line[256];
    if (text_copy_n(line, sizeof line, bytes, length) && text_starts_folded(line, name))
        text_copy_n(wanted->out, wanted->size, line + sizeof name - 1,
                    strcspn(line + sizeof name - 1, "\r\n"));
    return length;
}

/* Every answer of symgate has a request id. */
static bool refuse_stranger(CURL *curl, const char *url, struct error *err) {
    char shown[160];
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    text_mask_url(shown, sizeof shown, url);
    error_set(err, ERROR_INVALID, "what answers at %s is no symgate (status %ld)", shown, status);
    return error_hint(err, "Name the server by --url http://HOST:PORT/; one that was killed leaves "
                           "its address behind in its data folder.");
}

static bool perform(CURL *curl, const char *url, const char *token, bool post,
                    struct buffer *answer, struct header_wanted *id, struct error *err) {
    char authorization[600];
    struct curl_slist *headers = NULL;
    if (token) {
        text_format(authorization, sizeof authorization, "Authorization: Bearer %s", token);
        headers = curl_slist_append(headers, authorization);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "symgate/" SYMGATE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, look_for_id);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, id);
    id->out[0] = '\0';
    if (post) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (code == CURLE_OK)
        return id->out[0] || refuse_stranger(curl, url, err);
    char shown[256];
    text_mask_url(shown, sizeof shown, url);
    error_set(err, ERROR_CONNECT, "no answer from %s: %s", shown, curl_easy_strerror(code));
    return error_hint(err, "Is symgate running there? Name it by --url http://HOST:PORT/.");
}

bool remote_ask(const struct remote *remote, const char *path, bool post, struct buffer *answer,
                long *out_status, struct error *err) {
    CLEANUP(buffer_release) struct buffer url;
    if (!make_url(remote, path, &url, err))
        return false;
    char id[64];
    struct header_wanted wanted = {id, sizeof id};
    CURL *curl = curl_easy_init();
    bool answered = curl && perform(curl, url.bytes, remote->token, post, answer, &wanted, err);
    if (answered)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, out_status);
    curl_easy_cleanup(curl);
    return answered;
}

bool remote_try(const struct remote *remote, const char *path, char *out_id, size_t size,
                struct error *err) {
    CLEANUP(buffer_release) struct buffer url, none;
    buffer_init(&none, ANSWER_BYTES_MAX);
    if (!make_url(remote, path, &url, err))
        return false;
    CURL *curl = curl_easy_init();
    struct header_wanted wanted = {out_id, size};
    if (curl)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    bool answered = curl && perform(curl, url.bytes, NULL, false, &none, &wanted, err);
    curl_easy_cleanup(curl);
    return answered;
}

static void show_refusal(const struct buffer *answer, long status) {
    if (answer->length > 0)
        fputs(answer->bytes, stderr);
    else
        fprintf(stderr, "symgate: the server answered with status %ld, and not why\n", status);
}

int remote_print(const struct remote *remote, const char *path, bool post) {
    CLEANUP(buffer_release) struct buffer answer;
    struct error err = {0};
    long status = 0;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    if (!remote_ask(remote, path, post, &answer, &status, &err))
        return cli_failed(&err);
    if (status == 200)
        fputs(answer.bytes ? answer.bytes : "", stdout);
    else
        show_refusal(&answer, status);
    return status == 200 ? 0 : 1;
}

/* Names in it are what clients made of them: they are shown on a terminal. */
static void make_presentable(json_t *json) {
    const char *key;
    size_t index;
    json_t *value;
    json_object_foreach(json, key, value) {
        make_presentable(value);
    }
    json_array_foreach(json, index, value) {
        make_presentable(value);
    }
    if (!json_is_string(json))
        return;
    enum { ESCAPED_MAX = 6 }; /* bytes that one becomes */
    size_t size = ESCAPED_MAX * json_string_length(json) + 1;
    CLEANUP(free_block) char *shown = memory_new(size);
    text_escape_terminal(shown, size, json_string_value(json));
    json_string_set_nocheck(json, shown);
}

json_t *remote_json(const struct remote *remote, const char *path, bool post) {
    CLEANUP(buffer_release) struct buffer answer;
    struct error err = {0};
    json_t *json = NULL;
    long status = 0;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    if (!remote_ask(remote, path, post, &answer, &status, &err)) {
        cli_failed(&err);
        return NULL;
    }
    if (status != 200)
        show_refusal(&answer, status);
    else if (!json_parse(answer.bytes ? answer.bytes : "", answer.length, &json, NULL, NULL, &err))
        cli_failed(&err);
    make_presentable(json);
    return json;
}

static bool read_remote(int argc, char **argv, struct remote *remote, const char **operand) {
    unsigned operands = 0;
    const struct cli_option options[] = {
        REMOTE_OPTIONS(remote),
        {0},
    };
    return cli_options(argc, argv, options, operand, operand ? 1 : 0, &operands);
}

/* A command without operands that shows something. */
static int show(int argc, char **argv, const char *path) {
    struct remote remote = {0};
    if (!read_remote(argc, argv, &remote, NULL))
        return 2;
    return remote_print(&remote, path, false);
}

int cli_copies(int argc, char **argv) {
    return show(argc, argv, "api/v1/copies");
}

int cli_quarantine(int argc, char **argv) {
    return show(argc, argv, "api/v1/quarantine?limit=1000");
}

int cli_forget(int argc, char **argv) {
    struct remote remote = {0};
    const char *what = NULL;
    if (!read_remote(argc, argv, &remote, &what))
        return 2;
    char path[REMOTE_PATH_BYTES];
    if (!what || !remote_symbol_path("forget", what, path)) {
        fputs("symgate: say what to forget: symgate forget NAME/ID\n", stderr);
        return 2;
    }
    return remote_print(&remote, path, true);
}
