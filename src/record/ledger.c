// SPDX-License-Identifier: MIT
#include "record/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "record/seal.h"

enum { WRITE_EVERY_MS = 1000, PATH_BYTES = 4096 };

static const char *const total_names[TOTAL_COUNT] = {
    [TOTAL_SINCE_MS] = "since_ms", [TOTAL_REQUESTS] = "requests",     [TOTAL_INVALID] = "invalid",
    [TOTAL_EXCLUDED] = "excluded", [TOTAL_SUCCESS] = "success",       [TOTAL_HITS] = "hits",
    [TOTAL_BYTES] = "bytes",       [TOTAL_HIT_BYTES] = "hit_bytes",   [TOTAL_HIT_US] = "hit_us",
    [TOTAL_FETCHED] = "fetched",   [TOTAL_FETCHED_US] = "fetched_us", [TOTAL_LOST] = "lost",
};

struct ledger {
    struct ledger_options options;
    char *path;
    struct ledger_counters counters;
    counter totals[TOTAL_COUNT];
    counter names_seen;
    counter begun_ms;     /* the book's, 0 when an earlier version made it */
    atomic_bool doubted;  /* by a reader */
    pthread_mutex_t lock; /* guards all down to the thread */
    pthread_cond_t wake;  /* the thread: a settle, or the end */
    pthread_cond_t wrote; /* who settles */
    struct sheet *sheet;  /* being filled */
    uint64_t settle_wanted, settle_done;
    bool stop;
    struct error trouble;
    pthread_t thread;
    bool running; /* set at creation */
    /* The thread's own: */
    struct book *book;     /* NULL: could not be opened, tried again */
    struct sheet *waiting; /* could not be written yet */
    bool totals_read;
    uint64_t seal;       /* of the book as it was closed last; 0: it was not, or was opened since */
    bool evidence_due;   /* is to be begun anew before anything is written */
    bool untrimmed_told; /* that ceilings and retention cannot be kept */
};

static void count_total(struct ledger *ledger, enum ledger_total total, uint64_t amount) {
    count_many(&ledger->totals[total], amount);
}

/* --- taking --- */

static void count_lookup(struct ledger *ledger, const struct outcome *outcome,
                         const struct lookup *lookup) {
    uint64_t waited_us = outcome->waited_us > 0 ? (uint64_t)outcome->waited_us : 0;
    count_total(ledger, TOTAL_REQUESTS, 1);
    count_total(ledger, TOTAL_BYTES, outcome->bytes);
    if (lookup->verdict == VERDICT_EXCLUDED)
        count_total(ledger, TOTAL_EXCLUDED, 1);
    if (lookup->success)
        count_total(ledger, TOTAL_SUCCESS, 1);
    if (lookup->verdict == VERDICT_HIT) {
        count_total(ledger, TOTAL_HITS, 1);
        count_total(ledger, TOTAL_HIT_BYTES, outcome->bytes);
        count_total(ledger, TOTAL_HIT_US, waited_us);
    }
    if (lookup->verdict == VERDICT_FETCHED) {
        count_total(ledger, TOTAL_FETCHED, 1);
        count_total(ledger, TOTAL_FETCHED_US, waited_us);
    }
}

static void count_spread(struct ledger *ledger, const struct outcome *outcome) {
    struct ledger_counters *counters = &ledger->counters;
    uint64_t waited_us = outcome->waited_us > 0 ? (uint64_t)outcome->waited_us : 0;
    count(&counters->waits[histogram_step(SCALE_TIME, waited_us)]);
    count_many(&counters->wait_us, waited_us);
    if (outcome->bytes == 0)
        return;
    count(&counters->sizes[histogram_step(SCALE_SIZE, outcome->bytes)]);
    count_many(&counters->size_bytes, outcome->bytes);
}

void ledger_take(struct ledger *ledger, const struct outcome *outcome,
                 const struct attempt_note *notes) {
    struct lookup lookup;
    if (!sheet_judge(outcome, &lookup))
        return;
    if (lookup.counts)
        count_spread(ledger, outcome);
    if (!ledger->options.enabled)
        return;
    if (lookup.counts)
        count_lookup(ledger, outcome, &lookup);
    else
        count_total(ledger, TOTAL_INVALID, 1);
    SCOPED_LOCK(&ledger->lock);
    sheet_add(ledger->sheet, outcome, notes, &lookup);
}

void ledger_take_answer(struct ledger *ledger, const struct reply *reply) {
    if (!ledger->options.enabled)
        return;
    int64_t wall_ms = clock_wall_ns() / 1000000;
    SCOPED_LOCK(&ledger->lock);
    sheet_add_answer(ledger->sheet, reply, wall_ms);
}

/* --- writing --- */

/* What an earlier run has counted; once, whenever the file can be read for the first time. */
static void read_totals(struct ledger *ledger) {
    if (ledger->totals_read)
        return;
    ledger->totals_read = true;
    for (unsigned i = TOTAL_SINCE_MS + 1; i < TOTAL_COUNT; i++)
        count_total(ledger, i, book_number(ledger->book, total_names[i]));
    uint64_t since_ms = book_number(ledger->book, total_names[TOTAL_SINCE_MS]);
    if (since_ms)
        atomic_store(&ledger->totals[TOTAL_SINCE_MS], since_ms);
}

static bool set_aside(struct ledger *ledger, const struct error *why, struct error *err) {
    char to[PATH_BYTES];
    if (!book_set_aside(ledger->path, to, sizeof to, err))
        return false;
    log_failure(LOG_ERROR, "statistics are damaged", why);
    log_warning("the damaged statistics are kept as \"%s\", new ones begin", to);
    return true;
}

/* A new file goes on with the totals that there are. */
static enum book_open open_book(struct ledger *ledger, struct error *err) {
    enum book_open opened = book_open(&ledger->options.book, &ledger->book, err);
    if (opened == BOOK_BROKEN) {
        struct error why = *err;
        if (!set_aside(ledger, &why, err))
            return BOOK_FAILED;
        opened = book_open(&ledger->options.book, &ledger->book, err);
    }
    if (opened != BOOK_OPEN)
        return opened;
    read_totals(ledger);
    atomic_store(&ledger->begun_ms, book_number(ledger->book, "begun_ms"));
    ledger->evidence_due = ledger->seal == 0 || ledger->seal != book_number(ledger->book, "seal");
    ledger->seal = 0;
    return opened;
}

/* Told when it begins and when it is over. */
static void note_trouble(struct ledger *ledger, const struct error *err) {
    bool news;
    {
        SCOPED_LOCK(&ledger->lock);
        news = (ledger->trouble.kind == ERROR_NONE) != (err == NULL);
        if (err)
            ledger->trouble = *err;
        else
            error_clear(&ledger->trouble);
    }
    if (err)
        count(&ledger->counters.unwritten);
    if (news && err)
        log_failure(LOG_ERROR, "statistics cannot be written, details may be lost", err);
    else if (news)
        log_info("statistics are written again");
}

static struct sheet *take_sheet(struct ledger *ledger) {
    SCOPED_LOCK(&ledger->lock);
    struct sheet *sheet = ledger->sheet;
    ledger->sheet = sheet_new();
    count_many(&ledger->counters.lost, sheet->lost);
    count_total(ledger, TOTAL_LOST, sheet->lost);
    return sheet;
}

static void close_book(struct ledger *ledger) {
    book_close(TAKE(ledger->book));
}

/* Reads much of the file, and finds most of what may be wrong with it; not before the start. */
static bool count_book(struct ledger *ledger, struct error *err) {
    if (book_count(ledger->book, err)) {
        atomic_store(&ledger->names_seen, book_names_seen(ledger->book));
        return true;
    }
    struct error why = *err;
    close_book(ledger);
    (void)set_aside(ledger, &why, err);
    return false;
}

static bool write_book(struct ledger *ledger, const struct sheet *sheet, struct error *err) {
    uint64_t values[TOTAL_COUNT];
    for (unsigned i = 0; i < TOTAL_COUNT; i++)
        values[i] = counted(&ledger->totals[i]);
    struct book_numbers numbers = {total_names, values, TOTAL_COUNT};
    enum book_written written = book_write(ledger->book, sheet, &numbers, err);
    struct error why = *err;
    enum book_written trimmed = BOOK_WRITTEN;
    if (written != BOOK_WRITE_BROKEN) /* a full one too: it is what makes room */
        trimmed = book_trim(ledger->book, clock_wall_s(), &why);
    if (written == BOOK_WRITE_BROKEN || trimmed == BOOK_WRITE_BROKEN) {
        close_book(ledger);
        (void)set_aside(ledger, &why, err);
    }
    if (written == BOOK_WRITTEN && trimmed == BOOK_WRITE_FAILED && !ledger->untrimmed_told)
        log_failure(LOG_WARNING, "statistics cannot be kept within their bounds", &why);
    ledger->untrimmed_told = written == BOOK_WRITTEN && trimmed == BOOK_WRITE_FAILED;
    return written == BOOK_WRITTEN;
}

/* The book, open and in its place. */
static bool have_book(struct ledger *ledger, struct error *err) {
    bool doubted = atomic_exchange(&ledger->doubted, false);
    if (ledger->book && (doubted || !book_in_place(ledger->book))) {
        log_warning("the file \"%s\" %s; it is opened anew", ledger->path,
                    doubted ? "cannot be read any more" : "is gone or was replaced");
        close_book(ledger);
    }
    return ledger->book || (open_book(ledger, err) == BOOK_OPEN && count_book(ledger, err));
}

/* Of a book that was not closed in order, or is another one, nobody knows what is missing. */
static bool begin_evidence(struct ledger *ledger, struct error *err) {
    if (ledger->evidence_due && book_begin_evidence(ledger->book, err) != BOOK_WRITTEN)
        return false;
    ledger->evidence_due = false;
    return true;
}

static bool write_sheet(struct ledger *ledger) {
    struct error err = {0};
    if (!ledger->waiting)
        ledger->waiting = take_sheet(ledger);
    struct sheet *sheet = ledger->waiting;
    if (sheet_empty(sheet) && ledger->book && ledger->trouble.kind == ERROR_NONE &&
        !ledger->evidence_due && !atomic_load(&ledger->doubted)) {
        sheet_free(TAKE(ledger->waiting));
        return true;
    }
    if (!have_book(ledger, &err) || !begin_evidence(ledger, &err) ||
        !write_book(ledger, sheet, &err)) {
        note_trouble(ledger, &err);
        return false;
    }
    count(&ledger->counters.written);
    if (ledger->book)
        atomic_store(&ledger->names_seen, book_names_seen(ledger->book));
    note_trouble(ledger, NULL);
    sheet_free(TAKE(ledger->waiting));
    return true;
}

/* Until the next second, or until somebody wants it now. False: the end. */
static bool wait_for_work(struct ledger *ledger, uint64_t *out_wanted) {
    SCOPED_LOCK(&ledger->lock);
    int64_t deadline_ms = clock_ms() + WRITE_EVERY_MS;
    while (!ledger->stop && ledger->settle_wanted == ledger->settle_done &&
           condition_wait(&ledger->wake, &ledger->lock, deadline_ms))
        ;
    *out_wanted = ledger->settle_wanted;
    return !ledger->stop;
}

static void tell_settled(struct ledger *ledger, uint64_t wanted) {
    SCOPED_LOCK(&ledger->lock);
    ledger->settle_done = wanted;
    pthread_cond_broadcast(&ledger->wrote);
}

/* Only with all that was taken is it sealed. */
static void close_in_order(struct ledger *ledger) {
    struct error ignored;
    if (!ledger->book || ledger->waiting || ledger->evidence_due)
        return;
    uint64_t seal = book_seal(ledger->book, &ignored);
    close_book(ledger); /* which is the last to write into it */
    if (seal && !seal_put(ledger->path, seal))
        log_warning("statistics could not be sealed: what the adviser knows begins anew");
}

static void *run(void *context) {
    struct ledger *ledger = context;
    bool goes_on = true;
    struct error err = {0};
    thread_stand_back();
    if (ledger->book)
        (void)count_book(ledger, &err);
    while (goes_on) {
        uint64_t wanted;
        goes_on = wait_for_work(ledger, &wanted);
        /* One that had to wait is written first, then what came meanwhile. */
        if (ledger->waiting)
            write_sheet(ledger);
        if (!ledger->waiting)
            write_sheet(ledger);
        tell_settled(ledger, wanted);
    }
    close_in_order(ledger);
    return NULL;
}

bool ledger_settle(struct ledger *ledger, int64_t wait_ms) {
    if (!ledger->running)
        return true;
    int64_t deadline_ms = clock_ms() + wait_ms;
    SCOPED_LOCK(&ledger->lock);
    uint64_t wanted = ++ledger->settle_wanted;
    pthread_cond_signal(&ledger->wake);
    while (ledger->settle_done < wanted)
        if (!condition_wait(&ledger->wrote, &ledger->lock, deadline_ms))
            return false;
    return ledger->trouble.kind == ERROR_NONE;
}

/* --- life --- */

static bool begin(struct ledger *ledger, struct error *err) {
    count_total(ledger, TOTAL_SINCE_MS, (uint64_t)(clock_wall_ns() / 1000000));
    enum book_open opened = open_book(ledger, err);
    if (opened == BOOK_NEWER)
        return false;
    if (opened != BOOK_OPEN)
        note_trouble(ledger, err);
    ledger->running = thread_start(&ledger->thread, "ledger", run, ledger, err);
    return ledger->running;
}

struct ledger *ledger_new(const struct ledger_options *options, struct error *err) {
    struct ledger *ledger = NEW(struct ledger);
    ledger->options = *options;
    ledger->path = memory_text(options->path);
    ledger->options.book.path = ledger->path;
    pthread_mutex_init(&ledger->lock, NULL);
    condition_init(&ledger->wake);
    condition_init(&ledger->wrote);
    ledger->sheet = sheet_new();
    count_many(&ledger->counters.enabled, options->enabled);
    ledger->seal =
        seal_break(ledger->path); /* without statistics too: what comes is not recorded */
    if (!options->enabled || begin(ledger, err))
        return ledger;
    ledger_free(ledger);
    return NULL;
}

void ledger_free(struct ledger *ledger) {
    if (!ledger)
        return;
    if (ledger->running) {
        lock_take(&ledger->lock);
        ledger->stop = true;
        pthread_cond_signal(&ledger->wake);
        lock_give(&ledger->lock);
        pthread_join(ledger->thread, NULL);
    }
    close_book(ledger);
    sheet_free(ledger->waiting);
    sheet_free(ledger->sheet);
    pthread_cond_destroy(&ledger->wake);
    pthread_cond_destroy(&ledger->wrote);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger->path);
    free(ledger);
}

bool ledger_enabled(const struct ledger *ledger) {
    return ledger->options.enabled;
}

uint64_t ledger_total(const struct ledger *ledger, enum ledger_total total) {
    return counted(&ledger->totals[total]);
}

uint64_t ledger_details_since_ms(const struct ledger *ledger) {
    uint64_t begun_ms = counted(&ledger->begun_ms);
    return begun_ms ? begun_ms : ledger_total(ledger, TOTAL_SINCE_MS);
}

uint64_t ledger_names_seen(const struct ledger *ledger) {
    return counted(&ledger->names_seen);
}

double ledger_seconds_saved(const struct ledger *ledger) {
    uint64_t fetched = ledger_total(ledger, TOTAL_FETCHED);
    if (fetched == 0)
        return 0;
    double each_us = (double)ledger_total(ledger, TOTAL_FETCHED_US) / (double)fetched;
    double saved_us = each_us * (double)ledger_total(ledger, TOTAL_HITS) -
                      (double)ledger_total(ledger, TOTAL_HIT_US);
    return saved_us > 0 ? saved_us / 1e6 : 0;
}

bool ledger_trouble(struct ledger *ledger, struct error *out_why) {
    SCOPED_LOCK(&ledger->lock);
    *out_why = ledger->trouble;
    return ledger->trouble.kind != ERROR_NONE;
}

const char *ledger_path(const struct ledger *ledger) {
    return ledger->options.enabled ? ledger->path : NULL;
}

atomic_bool *ledger_doubt(struct ledger *ledger) {
    return &ledger->doubted;
}

const struct ledger_counters *ledger_counters(const struct ledger *ledger) {
    return &ledger->counters;
}
