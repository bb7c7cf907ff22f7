// SPDX-License-Identifier: MIT
#include "base/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/line.h"
#include "base/memory.h"
#include "base/text.h"

enum { PENDING_MAX = 64 * 1024, STAMP_MAX = 24 };

struct log_file {
    char *path; /* NULL: standard error */
    enum log_level level;
    uint64_t bytes_max;
    unsigned backups_max;
    int fd;       /* -1: could not be opened */
    bool regular; /* a device or a pipe is never rotated: it would be renamed away */
    bool complained;
    bool cut; /* it ends within a line, which could not be taken back */
    counter *lost;
    uint64_t bytes; /* in the file: what could not be written is no growth */
    size_t pending; /* whole lines */
    char *text;     /* PENDING_MAX bytes */
};

/* The second that was formatted last: most lines share it with the one before. */
struct stamp {
    int64_t second;
    char text[STAMP_MAX];
};

struct log_files {
    struct stamp stamp;
    size_t count;
    struct log_file files[];
};

/* Returns how much of the text could not be written: its end. */
static size_t write_all(int fd, const char *text, size_t length) {
    while (length > 0) {
        ssize_t wrote = write(fd, text, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        text += wrote;
        length -= (size_t)wrote;
    }
    return length;
}

static void complain(struct log_file *file, const char *doing, int os) {
    if (file->complained || !file->path)
        return;
    file->complained = true;
    char reason[96];
    char line[PATH_MAX + 256];
    text_format(line, sizeof line, "symgate: could not %s log file \"%s\": %s\n", doing, file->path,
                strerror_r(os, reason, sizeof reason));
    (void)write_all(STDERR_FILENO, line, strlen(line));
}

/* A pipe that nobody reads is refused instead of waited for; once open, writing waits as ever. */
static int open_to_append(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

static bool open_file(struct log_file *file) {
    file->bytes = 0;
    if (!file->path) {
        file->fd = STDERR_FILENO;
        return true;
    }
    file->fd = open_to_append(file->path);
    struct stat found;
    file->regular = file->fd >= 0 && fstat(file->fd, &found) == 0 && S_ISREG(found.st_mode);
    if (file->regular)
        file->bytes = (uint64_t)found.st_size;
    return file->fd >= 0;
}

static void close_file(struct log_file *file) {
    if (file->path && file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static uint64_t count_lines(const char *text, size_t length) {
    uint64_t lines = 0;
    for (const char *end = text + length; (text = memchr(text, '\n', (size_t)(end - text))); text++)
        lines++;
    return lines;
}

/* Does the file end with what this descriptor wrote last? */
static bool is_at_end(int fd, off_t *out_end) {
    struct stat found;
    *out_end = lseek(fd, 0, SEEK_CUR);
    return *out_end >= 0 && fstat(fd, &found) == 0 && found.st_size == *out_end;
}

/* Nothing may go on in a line that was cut, after a restart neither: what of it was written is
   taken back. Returns how much was written of whole lines. */
static size_t take_back_cut_line(struct log_file *file, size_t written) {
    const char *end = memrchr(file->text, '\n', written);
    size_t whole = end ? (size_t)(end + 1 - file->text) : 0;
    off_t at;
    if (whole == written)
        return written;
    file->cut = !file->regular || !is_at_end(file->fd, &at) ||
                ftruncate(file->fd, at - (off_t)(written - whole)) != 0;
    return file->cut ? written : whole;
}

/* Returns how much of what is pending stands in the file now. */
static size_t write_pending(struct log_file *file) {
    if (file->cut && write_all(file->fd, "\n", 1) > 0)
        return 0;
    file->cut = false;
    size_t written = file->pending - write_all(file->fd, file->text, file->pending);
    if (written == file->pending)
        return written;
    int os = errno;
    written = take_back_cut_line(file, written);
    errno = os;
    return written;
}

static void flush(struct log_file *file) {
    size_t written = 0;
    if (file->pending == 0)
        return;
    if (file->fd < 0 && !open_file(file))
        complain(file, "open", errno);
    else if ((written = write_pending(file)) < file->pending)
        complain(file, "write", errno);
    else
        file->complained = false;
    count_many(file->lost, count_lines(file->text + written, file->pending - written));
    file->bytes += written;
    file->pending = 0;
}

/* path.1 is the newest. A rename that fails leaves the file to grow: better long than lost. */
static void rotate(struct log_file *file) {
    close_file(file);
    for (unsigned i = file->backups_max; i > 0; i--) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        bool fits = text_format(to, sizeof to, "%s.%u", file->path, i) &&
                    (i > 1 ? text_format(from, sizeof from, "%s.%u", file->path, i - 1)
                           : text_copy(from, sizeof from, file->path));
        if (fits && rename(from, to) != 0 && errno != ENOENT)
            complain(file, "rotate", errno);
    }
    if (!open_file(file))
        complain(file, "open", errno);
}

static bool would_grow_too_long(const struct log_file *file, size_t length) {
    return file->path && file->regular && file->bytes_max > 0 && file->backups_max > 0 &&
           file->bytes + file->pending > 0 &&
           file->bytes + file->pending + length > file->bytes_max;
}

static void put(struct log_file *file, const char *line, size_t length) {
    if (file->pending + length > PENDING_MAX || would_grow_too_long(file, length))
        flush(file);
    /* Once more: what a full disk did not take must not push the older files out. */
    if (would_grow_too_long(file, length))
        rotate(file);
    memcpy(file->text + file->pending, line, length);
    file->pending += length;
}

static bool could_not_open(const char *path, int os, struct error *err) {
    error_os(err, ERROR_SYSTEM, os, "could not open log file \"%s\"", path);
    return os == ENXIO ? error_hint(err, "It is a pipe that nobody reads: start its reader first.")
                       : false;
}

static bool make_folder(const char *path, struct error *err) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return true;
    char folder[PATH_MAX];
    if (!text_copy_n(folder, sizeof folder, path, (size_t)(slash - path)))
        return could_not_open(path, ENAMETOOLONG, err);
    return files_make_path(folder, 0755, err);
}

static bool open_first(struct log_file *file, struct error *err) {
    if (file->path && !make_folder(file->path, err))
        return false;
    if (!open_file(file))
        return could_not_open(file->path, errno, err);
    file->text = memory_new(PENDING_MAX);
    return true;
}

struct log_files *log_files_open(const struct log_sink *sinks, size_t count, counter *lost,
                                 struct error *err) {
    struct log_files *files = memory_new(sizeof *files + count * sizeof files->files[0]);
    files->stamp.second = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        struct log_file *file = &files->files[i];
        files->count = i + 1;
        *file = (struct log_file){.path = memory_text(sinks[i].path),
                                  .level = sinks[i].level,
                                  .bytes_max = sinks[i].bytes_max,
                                  .backups_max = sinks[i].backups_max,
                                  .fd = -1,
                                  .lost = lost};
        if (!open_first(file, err)) {
            log_files_free(files);
            return NULL;
        }
    }
    return files;
}

void log_files_free(struct log_files *files) {
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++) {
        struct log_file *file = &files->files[i];
        flush(file);
        close_file(file);
        free(file->path);
        free(file->text);
    }
    free(files);
}

static size_t make_head(char out[LOG_HEAD_MAX], struct stamp *stamp, int64_t at_ns,
                        enum log_level level) {
    int64_t second = at_ns / 1000000000;
    if (second != stamp->second) {
        time_t when = (time_t)second;
        struct tm local;
        localtime_r(&when, &local);
        strftime(stamp->text, sizeof stamp->text, "%Y-%m-%d %H:%M:%S", &local);
        stamp->second = second;
    }
    struct line head;
    line_begin(&head, out, LOG_HEAD_MAX);
    line_text(&head, stamp->text);
    unsigned ms = (unsigned)(at_ns / 1000000 % 1000);
    char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                       (char)('0' + ms % 10), ' '};
    line_bytes(&head, fraction, sizeof fraction);
    line_text(&head, log_level_name(level));
    line_bytes(&head, " ", 1);
    return head.length;
}

static size_t make_line(char out[LOG_HEAD_MAX + LOG_TEXT_MAX], struct stamp *stamp, int64_t at_ns,
                        enum log_level level, const char *text, size_t length) {
    size_t used = make_head(out, stamp, at_ns, level);
    memcpy(out + used, text, length);
    out[used + length] = '\n';
    return used + length + 1;
}

void log_files_line(struct log_files *files, int64_t at_ns, enum log_level level, const char *text,
                    size_t length) {
    char line[LOG_HEAD_MAX + LOG_TEXT_MAX];
    size_t whole = make_line(line, &files->stamp, at_ns, level, text, length);
    for (size_t i = 0; i < files->count; i++)
        if (level >= files->files[i].level)
            put(&files->files[i], line, whole);
}

bool log_files_flush(struct log_files *files) {
    bool well = true;
    for (size_t i = 0; i < files->count; i++) {
        flush(&files->files[i]);
        well = well && !files->files[i].complained;
    }
    return well;
}

void log_files_reopen(struct log_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        struct log_file *file = &files->files[i];
        if (!file->path)
            continue;
        flush(file);
        close_file(file);
        if (!open_file(file))
            complain(file, "open", errno);
    }
}

void log_files_direct(int64_t at_ns, enum log_level level, const char *text, size_t length) {
    char line[LOG_HEAD_MAX + LOG_TEXT_MAX];
    struct stamp stamp = {.second = INT64_MIN};
    size_t whole = make_line(line, &stamp, at_ns, level, text, length);
    (void)write_all(STDERR_FILENO, line, whole);
}
