// SPDX-License-Identifier: MIT
#include "store/absence_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/files.h"
#include "base/lock.h"
#include "base/memory.h"

enum { RECORDS_AT_ONCE = 32 * 1024, BLOAT_ALLOWED = 20000 };

enum record_kind { RECORD_ABSENCE = 1, RECORD_FORGOTTEN = 2 };

struct record {
    uint64_t key;
    uint64_t rest;
    uint32_t when_s;
    uint32_t retry_s;
    uint32_t kind;
    uint32_t check;
};

struct file_head {
    char magic[16];
    uint32_t version;
    uint32_t unused[3];
};

_Static_assert(sizeof(struct record) == 32 && sizeof(struct file_head) == 32,
               "the file's format has no padding");

static const char magic[] = "symgate absences";
static const char name[] = "absences";
static const char next_name[] = "absences.next";

static uint32_t check_sum(const struct record *record) {
    return (uint32_t)crc32(0, (const unsigned char *)record, offsetof(struct record, check));
}

static struct record make_record(const struct absence_slot *entry, enum record_kind kind) {
    struct record record = {.key = entry->key,
                            .rest = entry->rest,
                            .when_s = entry->when_s,
                            .retry_s = entry->retry_s,
                            .kind = kind};
    record.check = check_sum(&record);
    return record;
}

static bool write_all(int fd, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        length -= (size_t)written;
    }
    return true;
}

/* A file of our own in the place of whatever stands there, a link included. */
static int create(int directory_fd, const char *file) {
    struct file_head head = {.version = ABSENCE_LOG_VERSION};
    memcpy(head.magic, magic, sizeof head.magic);
    unlinkat(directory_fd, file, 0);
    CLEANUP(close_fd)
    int fd = openat(directory_fd, file, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, &head, sizeof head))
        return -1;
    return TAKE_FD(fd);
}

/* Whose file is it? An unreadable or foreign head is not ours to keep: absences are only a memory.
 */
enum head_says { HEAD_GOOD, HEAD_NEWER, HEAD_NONE };

static enum head_says read_head(int fd) {
    struct file_head head;
    if (pread(fd, &head, sizeof head, 0) != sizeof head ||
        memcmp(head.magic, magic, sizeof head.magic) != 0)
        return HEAD_NONE;
    return head.version > ABSENCE_LOG_VERSION ? HEAD_NEWER : HEAD_GOOD;
}

void absence_log_close(struct absence_log *log) {
    close_fd(&log->fd);
    close_fd(&log->next_fd);
    close_fd(&log->directory_fd);
    pthread_mutex_destroy(&log->lock);
}

static void apply(struct absence_table *table, const struct record *record, uint32_t now_s) {
    struct absence_slot entry = {record->key, record->rest, record->when_s, record->retry_s};
    if (record->kind == RECORD_FORGOTTEN)
        absence_table_forget(table, record->key);
    else if (record->kind == RECORD_ABSENCE && (uint64_t)entry.when_s + entry.retry_s >= now_s)
        absence_table_put(table, &entry, now_s);
}

/* A record that was damaged on the disk says nothing of those after it: all are of one size. */
static void apply_all(struct absence_table *table, const struct record *records, size_t count,
                      uint32_t now_s) {
    for (size_t i = 0; i < count; i++)
        if (records[i].check == check_sum(&records[i]))
            apply(table, &records[i], now_s);
}

/* Cuts off what is no whole record, before anything is appended behind it. */
static bool cut_tail(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    off_t over = (status.st_size - (off_t)sizeof(struct file_head)) % (off_t)sizeof(struct record);
    return over == 0 || ftruncate(fd, status.st_size - over) == 0;
}

bool absence_log_open(struct absence_log *log, const char *directory, struct error *err) {
    *log = (struct absence_log){.directory_fd = -1, .fd = -1, .next_fd = -1};
    if (!files_open_root(&log->directory_fd, directory, true, err))
        return false;
    unlinkat(log->directory_fd, next_name, 0);
    log->fd = openat(log->directory_fd, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    /* A link is nothing of ours; a file that cannot be opened is not to be thrown away. */
    if (log->fd < 0 && errno != ENOENT && errno != ELOOP) {
        error_os(err, ERROR_SYSTEM, errno, "could not open \"%s/%s\"", directory, name);
        close_fd(&log->directory_fd);
        return error_hint(err, "See that the user who serves may read and write it.");
    }
    enum head_says head = log->fd >= 0 ? read_head(log->fd) : HEAD_NONE;
    if (head == HEAD_NEWER) {
        close_fd(&log->fd);
        close_fd(&log->directory_fd);
        error_set(err, ERROR_CONFIG, "\"%s/%s\" was written by a newer symgate", directory, name);
        return error_hint(err, "Use that version, or delete the file.");
    }
    if (head == HEAD_NONE || !cut_tail(log->fd)) {
        close_fd(&log->fd);
        log->fd = create(log->directory_fd, name);
    }
    pthread_mutex_init(&log->lock, NULL);
    return true;
}

void absence_log_replay(struct absence_log *log, struct absence_table *table, uint32_t now_s) {
    CLEANUP(free_block) struct record *records = NEW_ARRAY(struct record, RECORDS_AT_ONCE);
    uint64_t seen = 0;
    lock_take(&log->lock);
    int fd = log->fd < 0 ? -1 : fcntl(log->fd, F_DUPFD_CLOEXEC, 0);
    lock_give(&log->lock);
    for (size_t count = 1; fd >= 0 && count > 0; seen += count) {
        ssize_t got = files_read_at(fd, records, RECORDS_AT_ONCE * sizeof *records,
                                    sizeof(struct file_head) + seen * sizeof *records, NULL);
        count = got > 0 ? (size_t)got / sizeof *records : 0;
        apply_all(table, records, count, now_s);
    }
    close_fd(&fd);
    SCOPED_LOCK(&log->lock);
    if (seen > log->records)
        log->records = seen;
}

static bool append(struct absence_log *log, const struct record *record) {
    SCOPED_LOCK(&log->lock);
    if (log->next_fd >= 0 && !write_all(log->next_fd, record, sizeof *record))
        log->next_failed = true; /* the thread that makes it closes it */
    if (log->fd < 0)
        return false;
    off_t end = lseek(log->fd, 0, SEEK_END);
    if (write_all(log->fd, record, sizeof *record)) {
        log->records++;
        return true;
    }
    if (end < 0 || ftruncate(log->fd, end) != 0) {
        close_fd(&log->fd);
        log->fd = -1;
    }
    return false;
}

bool absence_log_add(struct absence_log *log, const struct absence_slot *entry) {
    struct record record = make_record(entry, RECORD_ABSENCE);
    return append(log, &record);
}

bool absence_log_forget(struct absence_log *log, uint64_t key) {
    struct absence_slot entry = {.key = key};
    struct record record = make_record(&entry, RECORD_FORGOTTEN);
    return append(log, &record);
}

bool absence_log_bloated(struct absence_log *log, uint64_t entries) {
    SCOPED_LOCK(&log->lock);
    /* A log that cannot be written is tried anew by making a new one. */
    return log->fd < 0 || log->records > 2 * entries + BLOAT_ALLOWED;
}

static bool write_shard(int fd, struct absence_table *table, unsigned shard, uint64_t *records) {
    size_t count = 0;
    CLEANUP(free_block) struct absence_slot *entries = absence_table_copy(table, shard, &count);
    CLEANUP(free_block) struct record *block = NEW_ARRAY(struct record, count);
    for (size_t i = 0; i < count; i++)
        block[i] = make_record(&entries[i], RECORD_ABSENCE);
    *records += count;
    return write_all(fd, block, count * sizeof *block);
}

static bool give_up(struct absence_log *log, struct error *err) {
    int os = errno;
    SCOPED_LOCK(&log->lock);
    close_fd(&log->next_fd);
    log->next_fd = -1;
    unlinkat(log->directory_fd, next_name, 0);
    return error_os(err, ERROR_DISK, os, "could not write the file of absences anew");
}

bool absence_log_compact(struct absence_log *log, struct absence_table *table,
                         pthread_mutex_t *adding, pthread_mutex_t *pause, struct error *err) {
    uint64_t records = 0;
    int fd = create(log->directory_fd, next_name);
    lock_take(&log->lock);
    log->next_fd = fd;
    log->next_failed = false;
    lock_give(&log->lock);
    if (fd < 0)
        return give_up(log, err);
    lock_take(adding);
    lock_give(adding);
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++) {
        SCOPED_LOCK(pause);
        if (!write_shard(fd, table, i, &records))
            return give_up(log, err);
    }
    fdatasync(fd);
    lock_take(&log->lock);
    bool taken =
        !log->next_failed && renameat(log->directory_fd, next_name, log->directory_fd, name) == 0;
    if (taken) {
        close_fd(&log->fd);
        log->fd = log->next_fd;
        log->next_fd = -1;
        log->records = records;
    }
    lock_give(&log->lock);
    return taken || give_up(log, err);
}
