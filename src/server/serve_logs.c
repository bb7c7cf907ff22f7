// SPDX-License-Identifier: MIT
//
// Log files and the configuration, for administrators. Files are numbered as pySymProxy numbers
// them: from 1 in the sorted list of those that exist, rotated ones included; 0 is the last.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "server/api.h"

enum { FILES_MAX = 4096, BACKUPS_MAX = 1000 };

struct files {
    unsigned count;
    char *paths[FILES_MAX];
};

static void files_free_at(struct files **files) {
    for (unsigned i = 0; i < (*files)->count; i++)
        free((*files)->paths[i]);
    free(*files);
}

static bool add(struct files *files, const char *path) {
    struct stat file;
    if (files->count == FILES_MAX || stat(path, &file) != 0 || !S_ISREG(file.st_mode))
        return false;
    for (unsigned i = 0; i < files->count; i++)
        if (strcmp(files->paths[i], path) == 0)
            return true;
    files->paths[files->count++] = memory_text(path);
    return true;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct files *find_files(const struct settings *settings) {
    struct files *files = NEW(struct files);
    for (unsigned i = 0; i < settings->log_count; i++) {
        char rotated[PATH_MAX];
        const char *path = settings->log_paths[i];
        add(files, path);
        for (unsigned n = 1; n <= BACKUPS_MAX; n++)
            if (!text_format(rotated, sizeof rotated, "%s.%u", path, n) || !add(files, rotated))
                break;
    }
    qsort(files->paths, files->count, sizeof *files->paths, compare);
    return files;
}

static void logs(struct exchange *exchange) {
    struct buffer *out = &exchange->text;
    CLEANUP(files_free_at) struct files *files = find_files(exchange->settings);
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < files->count; i++) {
        struct stat file = {0};
        (void)!stat(files->paths[i], &file);
        buffer_format(out, "%s\n{\"number\": %u, ", i ? "," : "", i + 1);
        api_text(out, "path", files->paths[i]);
        buffer_format(out, ", \"bytes\": %lld}", (long long)file.st_size);
    }
    buffer_append_text(out, "\n]\n");
}

void serve_logs(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, logs);
}

static void open_file(struct exchange *exchange, const char *path, uint64_t from) {
    struct api_call *call = exchange->call;
    struct error err = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_os(&err, ERROR_SYSTEM, errno, "could not open the log \"%s\"", path);
        api_fail(exchange, 404, err.what);
        return;
    }
    if (!spool_take(&call->spool, fd, &err)) {
        spool_release(&call->spool);
        api_fail(exchange, 503, err.what);
        return;
    }
    /* One that is shorter than what was read of it already was rotated, and is another. */
    call->spool.at = from <= call->spool.end ? from : 0;
    call->tells_begin = true;
    call->type = "text/plain; charset=utf-8";
}

/* The number stands in front of the query that was given. */
static void log_file(struct exchange *exchange) {
    const char *asked = exchange->call->query;
    uint64_t number = 0, from;
    struct error err = {0};
    if (!query_number(asked, "number", 0, FILES_MAX, &number, &err) ||
        !query_number(asked, "from", 0, INT64_MAX, &from, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(files_free_at) struct files *files = find_files(exchange->settings);
    if (number == 0)
        number = files->count;
    if (number == 0 || number > files->count)
        api_fail(exchange, 404, "there is no log file of this number");
    else
        open_file(exchange, files->paths[number - 1], from);
}

void serve_log(struct exchange *exchange, const char *number, size_t length, const char *query,
               const char *bytes) {
    char asked[1200];
    text_format(asked, sizeof asked, "number=%.*s&%s", (int)length, number, query);
    api_work(exchange, asked, bytes, log_file);
}

void serve_configuration(struct exchange *exchange, const char *query, const char *bytes) {
    (void)query, (void)bytes;
    const char *text = exchange->settings->configuration;
    answer_text(exchange, 200, "application/json", text ? text : "{}");
}
