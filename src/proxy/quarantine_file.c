// SPDX-License-Identifier: MIT
#include "proxy/quarantine_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { FILE_BYTES_MAX = 8 << 20, LINE_BYTES_MAX = 16 << 10, FORMAT_VERSION = 1 };

static const char file_name[] = "quarantine";
static const char format[] = "symgate quarantine";

/* --- writing -------------------------------------------------------------------------------- */

static void append_pair(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, ", \"%s\": \"", name);
    buffer_append_json(out, value);
    buffer_append_text(out, "\"");
}

static void append_first(struct buffer *out, const struct quarantined *record) {
    buffer_append_text(out, ", \"first_bytes\": \"");
    for (size_t i = 0; i < record->first_length; i++)
        buffer_format(out, "%02x", (unsigned)record->first[i]);
    buffer_append_text(out, "\"}");
}

void quarantine_append(struct buffer *out, const struct quarantined *record, bool with_first) {
    buffer_append_text(out, "{\"key\": \"");
    buffer_append_json(out, record->name);
    buffer_append_text(out, "/");
    buffer_append_json(out, record->id);
    buffer_append_text(out, "\", \"part\": ");
    buffer_append_text(out, record->part == PART_SYM ? "\"sym\"" : "null");
    append_pair(out, "server", record->server);
    append_pair(out, "url", record->url);
    append_pair(out, "cause", record->cause);
    append_pair(out, "reason", record->reason);
    buffer_format(out, ", \"first_time\": %lld, \"time\": %lld, \"times\": %llu, \"size\": %llu",
                  (long long)record->first_s, (long long)record->last_s,
                  (unsigned long long)record->times, (unsigned long long)record->size);
    if (with_first)
        append_first(out, record);
    else
        buffer_append_text(out, ", \"first_bytes\": null}");
}

void quarantine_file_begin(struct buffer *file) {
    buffer_init(file, 2 * (size_t)FILE_BYTES_MAX);
    buffer_format(file, "{\"format\": \"%s\", \"version\": %d}\n", format, FORMAT_VERSION);
}

void quarantine_file_add(struct buffer *file, const struct quarantined *record) {
    quarantine_append(file, record, true);
    buffer_append_text(file, "\n");
}

bool quarantine_file_replace(int directory_fd, const struct buffer *file, struct error *err) {
    if (file->failed)
        return error_set(err, ERROR_DISK, "the quarantine is too long to be written");
    return files_replace(directory_fd, file_name, file->bytes, file->length, 0600, err);
}

/* What a kill left of a line is ended, so that the next one stands for itself. */
static bool ends_torn(int fd, uint64_t size) {
    char last;
    return size > 0 && files_read_at(fd, &last, 1, size - 1, NULL) == 1 && last != '\n';
}

bool quarantine_file_append(int directory_fd, const struct quarantined *record, bool *out_replace,
                            struct error *err) {
    CLEANUP(close_fd)
    int fd = openat(directory_fd, file_name,
                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0)
        return error_os(err, ERROR_DISK, errno, "could not open \"%s\"", file_name);
    CLEANUP(buffer_release) struct buffer line;
    if (file.st_size == 0)
        quarantine_file_begin(&line);
    else
        buffer_init(&line, LINE_BYTES_MAX);
    if (ends_torn(fd, (uint64_t)file.st_size))
        buffer_append_text(&line, "\n");
    quarantine_file_add(&line, record);
    ssize_t written = line.failed ? 0 : write(fd, line.bytes, line.length);
    if (written != (ssize_t)line.length)
        return error_os(err, ERROR_DISK, written < 0 ? errno : ENOSPC, "could not write to \"%s\"",
                        file_name);
    *out_replace = file.st_size + written > FILE_BYTES_MAX;
    return true;
}

/* --- reading -------------------------------------------------------------------------------- */

static bool read_text(const json_t *line, const char *name, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(line, name));
    return text && text_copy(out, size, text);
}

static uint64_t read_number(const json_t *line, const char *name) {
    json_int_t number = json_integer_value(json_object_get(line, name));
    return number > 0 ? (uint64_t)number : 0;
}

static bool read_key(const json_t *line, struct quarantined *out) {
    struct spelling spelling;
    if (!spelling_read(json_text_of(line, "key"), &spelling))
        return false;
    out->part = json_is_string(json_object_get(line, "part")) ? PART_SYM : PART_ITSELF;
    return text_copy(out->name, sizeof out->name, spelling.name) &&
           text_copy(out->id, sizeof out->id, spelling.id);
}

static unsigned digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static bool read_first(const json_t *line, struct quarantined *out) {
    char digits[2 * QUARANTINE_FIRST_BYTES + 1];
    if (!read_text(line, "first_bytes", digits, sizeof digits))
        return false;
    size_t length = strlen(digits);
    if (length % 2 != 0 || (length > 0 && !text_is_hex(digits, length)))
        return false;
    out->first_length = length / 2;
    for (size_t i = 0; i < out->first_length; i++)
        out->first[i] = (unsigned char)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
    return true;
}

static bool read_record(const json_t *line, struct quarantined *out) {
    *out = (struct quarantined){
        .first_s = (int64_t)read_number(line, "first_time"),
        .last_s = (int64_t)read_number(line, "time"),
        .times = read_number(line, "times"),
        .size = read_number(line, "size"),
    };
    return read_key(line, out) && read_text(line, "server", out->server, sizeof out->server) &&
           read_text(line, "url", out->url, sizeof out->url) &&
           read_text(line, "cause", out->cause, sizeof out->cause) &&
           read_text(line, "reason", out->reason, sizeof out->reason) && read_first(line, out);
}

/* One line of a text, which is stepped over; NULL where it is no JSON. */
static json_t *next_line(const char **at, const char *end) {
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *begin = *at;
    *at = newline ? newline + 1 : end;
    return json_loadb(begin, (size_t)((newline ? newline : end) - begin), 0, NULL);
}

/* The file's text, of which what is too long to be its own is left out; NULL: there is none. */
static char *read_file(int directory_fd, size_t *out_length) {
    CLEANUP(close_fd)
    int fd = openat(directory_fd, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size == 0)
        return NULL;
    size_t most = 2 * (size_t)FILE_BYTES_MAX;
    size_t length = (uint64_t)file.st_size < most ? (size_t)file.st_size : most;
    char *text = memory_new(length);
    ssize_t got = files_read_at(fd, text, length, 0, NULL);
    *out_length = got > 0 ? (size_t)got : 0;
    return text;
}

static bool refuse_newer(json_int_t version, struct error *err) {
    error_set(err, ERROR_CONFIG,
              "the file \"%s\" of the data folder was written by a newer symgate (format %lld, "
              "this one knows %d)",
              file_name, (long long)version, FORMAT_VERSION);
    return error_hint(err, "Use that version, or remove the file.");
}

bool quarantine_file_read(int directory_fd,
                          void (*take)(const struct quarantined *record, void *context),
                          void *context, bool *out_replace, struct error *err) {
    size_t length = 0;
    CLEANUP(free_block) char *text = read_file(directory_fd, &length);
    *out_replace = false;
    if (!text)
        return true;
    const char *at = text, *end = text + length;
    CLEANUP(json_unref) json_t *head = next_line(&at, end);
    const char *says = json_string_value(json_object_get(head, "format"));
    json_int_t version = json_integer_value(json_object_get(head, "version"));
    *out_replace = !says || strcmp(says, format) != 0 || version < 1;
    if (*out_replace)
        return true;
    if (version > FORMAT_VERSION)
        return refuse_newer(version, err);
    while (at < end) {
        CLEANUP(json_unref) json_t *line = next_line(&at, end);
        struct quarantined record;
        if (line && read_record(line, &record))
            take(&record, context);
    }
    return true;
}
