// SPDX-License-Identifier: MIT
#include "proxy/provenance.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/text.h"
#include "format/identity.h"

enum {
    WAITING_MAX = 256, /* each holds a copy, and so a descriptor */
    FILE_BYTES_MAX = 32 << 20,
    LINE_BYTES_MAX = 16 << 10,
    FOUND_MAX = 100,
    PATH_BYTES = 4096,
    SUM_PART_BYTES = 256 << 10,
    SUM_DIGITS = 64,
    IDENTITY_BYTES = 128,
};

static const char file_name[] = "provenance";
static const char old_name[] = "provenance.old";
static const char head[] = "{\"format\": \"symgate provenance\", \"version\": 1}\n";

struct provenance {
    struct shelf *const *shelves; /* set at creation, then read-only */
    unsigned shelf_count;
    struct pool *pool; /* of one thread, which alone writes */
    atomic_bool closing;
    atomic_bool complained;
    counter lost;
};

struct record {
    struct pool_job job;
    struct provenance *provenance;
    struct copy *copy; /* a reference */
    int64_t wall_s;
    char server[64];
    char url[256];
};

struct provenance *provenance_new(struct shelf *const *shelves, unsigned shelf_count) {
    struct provenance *provenance = NEW(struct provenance);
    provenance->shelves = shelves;
    provenance->shelf_count = shelf_count;
    provenance->pool = pool_new(file_name, 1, WAITING_MAX);
    return provenance;
}

void provenance_free(struct provenance *provenance) {
    if (!provenance)
        return;
    atomic_store(&provenance->closing, true);
    pool_free(provenance->pool);
    free(provenance);
}

uint64_t provenance_lost(const struct provenance *provenance) {
    return provenance ? counted(&provenance->lost) : 0;
}

static bool path_of(const char *shelf, const char *name, char out[PATH_BYTES]) {
    return text_format(out, PATH_BYTES, "%s/.symgate/%s", shelf, name);
}

/* --- what is told of a file ----------------------------------------------------------------- */

static void digits_of(const unsigned char *sum, unsigned length, char *out) {
    for (unsigned i = 0; i < length; i++)
        text_format(out + 2 * i, 3, "%02x", (unsigned)sum[i]);
}

static bool add_file(EVP_MD_CTX *context, const struct record *record, int fd, uint64_t size) {
    CLEANUP(free_block) char *part = memory_new(SUM_PART_BYTES);
    for (uint64_t at = 0; at < size;) {
        ssize_t got = files_read_at(fd, part, SUM_PART_BYTES, at, NULL);
        if (got <= 0 || atomic_load(&record->provenance->closing) ||
            EVP_DigestUpdate(context, part, (size_t)got) != 1)
            return false;
        at += (uint64_t)got;
    }
    return true;
}

/* The SHA-256 of the file; empty when there was no time for it, or it cannot be read. */
static void sum_file(const struct record *record, int fd, uint64_t size, char out[SUM_DIGITS + 1]) {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    out[0] = '\0';
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
        add_file(context, record, fd, size) && EVP_DigestFinal_ex(context, sum, &length) == 1)
        digits_of(sum, length, out);
    EVP_MD_CTX_free(context);
}

static void name_identity(int fd, uint64_t size, char out[IDENTITY_BYTES]) {
    struct file_view file = file_view_of(fd, size);
    struct identity found;
    char id[96];
    out[0] = '\0';
    if (identify(&file.view, &found, NULL) != IDENTIFY_READ)
        return;
    identity_format(&found, id, sizeof id);
    text_format(out, IDENTITY_BYTES, "%s%s%s", format_name(found.format), id[0] ? " " : "", id);
}

static void append_pair(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, ", \"%s\": ", name);
    if (!value[0]) {
        buffer_append_text(out, "null");
        return;
    }
    buffer_append_text(out, "\"");
    buffer_append_json(out, value);
    buffer_append_text(out, "\"");
}

/* How every line of a key begins. */
static void append_key(struct buffer *out, const struct symbol_key *key) {
    buffer_append_text(out, "{\"key\": \"");
    buffer_append_json(out, key->name);
    buffer_append_text(out, "/");
    buffer_append_json(out, key->id);
    buffer_append_text(out, "\", \"part\": ");
    buffer_append_text(out, key->part == PART_SYM ? "\"sym\"" : "null");
}

static void append_line(struct buffer *out, const struct record *record) {
    struct copy_state state;
    int fd;
    uint64_t at, bytes;
    char sum[SUM_DIGITS + 1] = "", identity[IDENTITY_BYTES] = "";
    copy_look(record->copy, &state);
    copy_file(record->copy, 0, &fd, &at, &bytes);
    sum_file(record, fd, state.size, sum);
    name_identity(fd, state.size, identity);
    append_key(out, copy_key(record->copy));
    append_pair(out, "server", record->server);
    append_pair(out, "url", record->url);
    buffer_format(out, ", \"time\": %lld, \"size\": %llu", (long long)record->wall_s,
                  (unsigned long long)state.size);
    append_pair(out, "sha256", sum);
    append_pair(out, "identity", identity);
    buffer_append_text(out, "}\n");
}

/* --- writing -------------------------------------------------------------------------------- */

static bool begins_as_it_should(int fd) {
    char first[sizeof head];
    ssize_t got = files_read_at(fd, first, sizeof head - 1, 0, NULL);
    return got == sizeof head - 1 && memcmp(first, head, sizeof head - 1) == 0;
}

/* Opens the file that is appended to; one that is full, or not of this version, is put aside. */
static bool open_file(const char *shelf, int *out_fd, uint64_t *out_size, struct error *err) {
    char path[PATH_BYTES], aside[PATH_BYTES];
    if (!path_of(shelf, file_name, path) || !path_of(shelf, old_name, aside))
        return error_set(err, ERROR_DISK, "the path of \"%s\" is too long", shelf);
    for (int tries = 0; tries < 2; tries++) {
        CLEANUP(close_fd)
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        struct stat file;
        if (fd < 0 || fstat(fd, &file) != 0)
            return error_os(err, ERROR_DISK, errno, "could not open \"%s\"", path);
        bool good = file.st_size == 0 || begins_as_it_should(fd);
        if (tries > 0 || (good && file.st_size < FILE_BYTES_MAX)) {
            *out_fd = TAKE_FD(fd);
            *out_size = (uint64_t)file.st_size;
            return true;
        }
        if (rename(path, aside) != 0)
            return error_os(err, ERROR_DISK, errno, "could not put \"%s\" aside", path);
    }
    return false;
}

/* What a kill left of a line is ended, so that the next one stands for itself. */
static bool ends_torn(int fd, uint64_t size) {
    char last;
    return size > 0 && files_read_at(fd, &last, 1, size - 1, NULL) == 1 && last != '\n';
}

static bool write_line(const char *shelf, const struct buffer *line, struct error *err) {
    CLEANUP(close_fd) int fd = -1;
    uint64_t size = 0;
    CLEANUP(buffer_release) struct buffer whole;
    buffer_init(&whole, LINE_BYTES_MAX + sizeof head);
    if (line->failed)
        return error_set(err, ERROR_DISK, "a line for \"%s\" is too long", shelf);
    if (!open_file(shelf, &fd, &size, err))
        return false;
    buffer_append_text(&whole, size == 0 ? head : "");
    buffer_append_text(&whole, ends_torn(fd, size) ? "\n" : "");
    buffer_append(&whole, line->bytes, line->length);
    ssize_t written = write(fd, whole.bytes, whole.length);
    return written == (ssize_t)whole.length ||
           error_os(err, ERROR_DISK, written < 0 ? errno : ENOSPC,
                    "could not write to the provenance of \"%s\"", shelf);
}

static void lose(struct provenance *provenance, const struct error *why) {
    count(&provenance->lost);
    if (!atomic_exchange(&provenance->complained, true))
        log_failure(LOG_WARNING, "it is not written down where kept files came from", why);
}

static void run(struct pool_job *job) {
    struct record *record = LIST_ENTRY(job, struct record, job);
    struct provenance *provenance = record->provenance;
    CLEANUP(buffer_release) struct buffer line;
    struct error why = {0};
    buffer_init(&line, LINE_BYTES_MAX);
    append_line(&line, record);
    if (write_line(copy_shelf(record->copy), &line, &why))
        atomic_store(&provenance->complained, false);
    else
        lose(provenance, &why);
    copy_unref(record->copy);
    free(record);
}

void provenance_add(struct provenance *provenance, struct copy *copy,
                    const struct attempt_note *note) {
    if (!provenance || !copy_shelf(copy))
        return;
    struct record *record = NEW(struct record);
    record->job.run = run;
    record->provenance = provenance;
    record->copy = copy_ref(copy);
    record->wall_s = clock_wall_s();
    text_copy(record->server, sizeof record->server, note->source);
    text_copy(record->url, sizeof record->url, note->url);
    if (pool_post(provenance->pool, &record->job))
        return;
    count(&provenance->lost);
    copy_unref(record->copy);
    free(record);
}

/* --- finding -------------------------------------------------------------------------------- */

static void close_stream(FILE **stream) {
    if (*stream)
        fclose(*stream);
}

struct finding {
    const char *beginning; /* of the lines wanted */
    struct buffer *out;
    unsigned count;
};

/* Is it whole, so that it may be shown as it stands? */
static bool is_whole(const char *line) {
    size_t length = strlen(line);
    return length > 2 && strcmp(line + length - 2, "}\n") == 0;
}

static void find_in(struct finding *finding, const char *shelf, const char *name) {
    char path[PATH_BYTES];
    if (!path_of(shelf, name, path))
        return;
    CLEANUP(close_stream) FILE *stream = fopen(path, "re");
    CLEANUP(free_block) char *line = memory_new(LINE_BYTES_MAX);
    while (stream && finding->count < FOUND_MAX && fgets(line, LINE_BYTES_MAX, stream)) {
        if (!text_starts(line, finding->beginning) || !is_whole(line))
            continue;
        line[strlen(line) - 1] = '\0';
        buffer_append_text(finding->out, finding->count++ ? ",\n " : "\n ");
        buffer_append_text(finding->out, line);
    }
}

static bool is_first_of_its_path(const struct provenance *provenance, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (provenance->shelves[i] == provenance->shelves[n])
            return false;
    return true;
}

void provenance_find(struct provenance *provenance, const struct symbol_key *key,
                     struct buffer *out) {
    CLEANUP(buffer_release) struct buffer beginning;
    buffer_init(&beginning, LINE_BYTES_MAX);
    append_key(&beginning, key);
    buffer_append(&beginning, "", 1);
    struct finding finding = {.beginning = beginning.bytes, .out = out};
    buffer_append_text(out, "[");
    for (unsigned i = 0; provenance && i < provenance->shelf_count; i++) {
        struct shelf *shelf = provenance->shelves[i];
        if (!shelf || shelf_hangs(shelf) || !is_first_of_its_path(provenance, i))
            continue;
        find_in(&finding, shelf_path(shelf), old_name);
        find_in(&finding, shelf_path(shelf), file_name);
    }
    buffer_append_text(out, "\n]\n");
}
