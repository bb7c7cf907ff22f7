// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/lock.h"
#include "base/log_files.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "base/utf8.h"

enum {
    QUEUE_BYTES = 4 * 1024 * 1024,
    NAP_MS = 10, /* between two looks while lines are coming: nobody needs to wake the writer */
    SLEEP_MS = 60000,    /* while none come: the first line wakes it */
    STOP_WAIT_MS = 5000, /* for a log disk that hangs */
    PACE_MS = 60000,     /* of log_due */
};

/* Lines lie in the queue one behind the other, each with this before it, rounded up to 8 bytes. */
struct record {
    int64_t at_ns;
    uint32_t length;
    uint32_t level;
};

static struct {
    pthread_mutex_t lock; /* guards all below but `level`, `dropped` and `files` */
    pthread_cond_t wake;
    pthread_cond_t end;
    bool running;
    bool stopping;
    bool ended; /* the writer has written its last */
    bool reopen;
    bool asleep;      /* the writer wants to be woken by the next line */
    bool left_behind; /* a writer hung at the last log_stop and may still be there */
    char *filling;    /* QUEUE_BYTES; the writer takes it whole and leaves `spare` in its place */
    char *spare;
    size_t filled;
    struct log_files *next;  /* the sinks to use from now on */
    struct log_files *files; /* owned by the writer while it runs */
    uint64_t told; /* how many dropped lines the log speaks of; the writer's, as `files` */
    pthread_t writer;
    counter dropped;
    atomic_int level;
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_DEBUG] = "DEBUG",
    [LOG_INFO] = "INFO",
    [LOG_WARNING] = "WARNING",
    [LOG_ERROR] = "ERROR",
};

const char *log_level_name(enum log_level level) {
    return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *out_level) {
    static const struct {
        const char *name;
        enum log_level level;
    } known[] = {
        {"DEBUG", LOG_DEBUG},  {"INFO", LOG_INFO},   {"WARNING", LOG_WARNING},
        {"WARN", LOG_WARNING}, {"ERROR", LOG_ERROR}, {"CRITICAL", LOG_ERROR},
        {"FATAL", LOG_ERROR},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (text_same(name, known[i].name)) {
            *out_level = known[i].level;
            return true;
        }
    return false;
}

bool log_due(_Atomic int64_t *pace) {
    int64_t now_ms = clock_ms(), due_ms = atomic_load_explicit(pace, memory_order_relaxed);
    return now_ms >= due_ms && atomic_compare_exchange_strong(pace, &due_ms, now_ms + PACE_MS);
}

uint64_t log_dropped(void) {
    return counted(&the_log.dropped);
}

static size_t record_size(size_t length) {
    return sizeof(struct record) + ((length + 7) & ~(size_t)7);
}

/* Puts a line into the queue or counts it as lost; false when there is no log that would write it.
 */
static bool enqueue(int64_t at_ns, enum log_level level, const char *text, size_t length) {
    size_t size = record_size(length);
    bool wake = false;
    {
        SCOPED_LOCK(&the_log.lock);
        if (!the_log.running)
            return false;
        if (the_log.filled + size > QUEUE_BYTES) {
            count(&the_log.dropped);
            return true;
        }
        char *at = the_log.filling + the_log.filled;
        struct record record = {at_ns, (uint32_t)length, (uint32_t)level};
        memcpy(at, &record, sizeof record);
        memcpy(at + sizeof record, text, length);
        bool below_half = the_log.filled < QUEUE_BYTES / 2;
        the_log.filled += size;
        wake = the_log.asleep || (below_half && the_log.filled >= QUEUE_BYTES / 2);
        the_log.asleep = false;
    }
    if (wake)
        pthread_cond_signal(&the_log.wake);
    return true;
}

/* Of the C0 or the C1 set. */
static bool is_control(const char *character, size_t length) {
    unsigned char first = (unsigned char)character[0];
    bool c1 = length == 2 && first == 0xC2 && (unsigned char)character[1] < 0xA0;
    return first < 0x20 || first == 0x7F || c1;
}

static bool may_stand(const char *text, size_t length) {
    if (text_is_plain(text, length))
        return true;
    for (size_t at = 0, character; at < length; at += character) {
        character = utf8_length(text + at, length - at);
        if (character == 0 || is_control(text + at, character))
            return false;
    }
    return true;
}

/* Escapes control characters, so that nobody forges a line or drives a terminal through a name, and
   bytes that are no UTF-8, which would spoil the file for its readers. */
static size_t escape(char out[LOG_TEXT_MAX], const char *text, size_t length) {
    size_t used = 0;
    for (size_t at = 0; at < length && used + 5 < LOG_TEXT_MAX;) {
        size_t character = utf8_length(text + at, length - at);
        size_t taken = character > 0 ? character : 1;
        if (character > 0 && !is_control(text + at, character)) {
            memcpy(out + used, text + at, character);
            used += character;
        } else {
            used += (size_t)snprintf(out + used, 5, "\\x%02x", (unsigned char)text[at + taken - 1]);
        }
        at += taken;
    }
    return used;
}

/* A cut must not leave half a UTF-8 character behind. */
static size_t whole_characters(const char *text, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return length;
    start--;
    unsigned char first = (unsigned char)text[start];
    size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    return length - start < wanted ? start : length;
}

static bool is_wanted(enum log_level level) {
    return (int)level >= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

void log_text(enum log_level level, int64_t at_ns, const char *text, size_t length) {
    if (!is_wanted(level))
        return;
    if (length >= LOG_TEXT_MAX)
        length = whole_characters(text, LOG_TEXT_MAX - 1);
    char escaped[LOG_TEXT_MAX];
    if (!may_stand(text, length)) {
        length = escape(escaped, text, length);
        text = escaped;
    }
    if (!enqueue(at_ns, level, text, length))
        log_files_direct(at_ns, level, text, length);
}

void log_line(enum log_level level, const char *format, ...) {
    if (!is_wanted(level))
        return;
    char text[LOG_TEXT_MAX];
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (wanted >= 0)
        log_text(level, clock_wall_ns(), text, (size_t)wanted);
}

void log_failure(enum log_level level, const char *doing, const struct error *err) {
    if (err->hint[0])
        log_line(level, "%s: %s (%s)", doing, err->what, err->hint);
    else
        log_line(level, "%s: %s", doing, err->what);
}

static void write_batch(const char *batch, size_t length) {
    for (size_t at = 0; at < length;) {
        struct record record;
        memcpy(&record, batch + at, sizeof record);
        log_files_line(the_log.files, record.at_ns, (enum log_level)record.level,
                       batch + at + sizeof record, record.length);
        at += record_size(record.length);
    }
}

static void tell_dropped(void) {
    uint64_t dropped = log_dropped();
    if (dropped == the_log.told)
        return;
    char text[96];
    text_format(text, sizeof text,
                "%llu log lines were lost: the log could not be written, or not fast enough",
                (unsigned long long)(dropped - the_log.told));
    log_files_line(the_log.files, clock_wall_ns(), LOG_WARNING, text, strlen(text));
    (void)log_files_flush(the_log.files);
    the_log.told = dropped;
}

struct turn {
    char *batch; /* what is to be written, `length` bytes */
    size_t length;
    struct log_files *next;
    bool reopen;
    bool last;
};

static bool nothing_to_do(void) {
    return the_log.filled == 0 && !the_log.stopping && !the_log.reopen && !the_log.next;
}

/* Waits for work and takes it, leaving the other half of the queue to be filled. */
static struct turn take_turn(bool after_lines) {
    SCOPED_LOCK(&the_log.lock);
    if (after_lines && !the_log.stopping && !the_log.reopen && !the_log.next)
        (void)condition_wait(&the_log.wake, &the_log.lock, clock_ms() + NAP_MS);
    while (nothing_to_do()) {
        the_log.asleep = true;
        (void)condition_wait(&the_log.wake, &the_log.lock, clock_ms() + SLEEP_MS);
    }
    the_log.asleep = false;
    struct turn turn = {.batch = the_log.filling,
                        .length = the_log.filled,
                        .next = TAKE(the_log.next),
                        .reopen = the_log.reopen,
                        .last = the_log.stopping && the_log.filled == 0};
    the_log.filling = the_log.spare;
    the_log.spare = turn.batch;
    the_log.filled = 0;
    the_log.reopen = false;
    if (turn.last)
        the_log.running = false;
    return turn;
}

static void *write_log(void *context) {
    (void)context;
    bool after_lines = false;
    for (;;) {
        struct turn turn = take_turn(after_lines);
        /* Before the lines: none that came after the call may still go to the old file. */
        if (turn.next) {
            log_files_free(the_log.files);
            the_log.files = turn.next;
        }
        if (turn.reopen)
            log_files_reopen(the_log.files);
        write_batch(turn.batch, turn.length);
        if (log_files_flush(the_log.files))
            tell_dropped();
        if (turn.last)
            break;
        after_lines = turn.length > 0;
    }
    SCOPED_LOCK(&the_log.lock);
    the_log.ended = true;
    pthread_cond_signal(&the_log.end);
    return NULL;
}

static void init_conditions(void) {
    condition_init(&the_log.wake);
    condition_init(&the_log.end);
}

bool log_start(const struct log_sink *sinks, size_t count, enum log_level level,
               struct error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_conditions);
    if (the_log.left_behind)
        return error_set(err, ERROR_SYSTEM, "the last log is still being written");
    the_log.files = log_files_open(sinks, count, &the_log.dropped, err);
    if (!the_log.files)
        return false;
    the_log.filling = memory_new(QUEUE_BYTES);
    the_log.spare = memory_new(QUEUE_BYTES);
    the_log.filled = 0;
    the_log.told = log_dropped();
    the_log.stopping = false;
    the_log.ended = false;
    atomic_store(&the_log.level, (int)level);
    if (!thread_start(&the_log.writer, "log", write_log, NULL, err)) {
        log_files_free(TAKE(the_log.files));
        free(TAKE(the_log.filling));
        free(TAKE(the_log.spare));
        return false;
    }
    SCOPED_LOCK(&the_log.lock);
    the_log.running = true;
    return true;
}

bool log_use(const struct log_sink *sinks, size_t count, enum log_level level, struct error *err) {
    struct log_files *files = log_files_open(sinks, count, &the_log.dropped, err);
    if (!files)
        return false;
    {
        SCOPED_LOCK(&the_log.lock);
        assert(the_log.running);
        struct log_files *unused = the_log.next;
        the_log.next = files;
        files = unused;
    }
    log_files_free(files);
    atomic_store(&the_log.level, (int)level);
    pthread_cond_signal(&the_log.wake);
    return true;
}

void log_reopen(void) {
    SCOPED_LOCK(&the_log.lock);
    if (!the_log.running)
        return;
    the_log.reopen = true;
    pthread_cond_signal(&the_log.wake);
}

/* False when the writer does not come to its end in time. */
static bool wait_for_end(void) {
    SCOPED_LOCK(&the_log.lock);
    int64_t deadline_ms = clock_ms() + STOP_WAIT_MS;
    while (!the_log.ended && condition_wait(&the_log.end, &the_log.lock, deadline_ms))
        continue;
    the_log.left_behind = !the_log.ended;
    the_log.running = false;
    return the_log.ended;
}

void log_stop(void) {
    {
        SCOPED_LOCK(&the_log.lock);
        if (!the_log.running)
            return;
        the_log.stopping = true;
        pthread_cond_signal(&the_log.wake);
    }
    if (!wait_for_end()) {
        pthread_detach(the_log.writer);
        return;
    }
    pthread_join(the_log.writer, NULL);
    log_files_free(TAKE(the_log.files));
    free(TAKE(the_log.filling));
    free(TAKE(the_log.spare));
}
