// SPDX-License-Identifier: MIT
//
// A sheet into the book.
#include <string.h>

#include "base/text.h"
#include "record/archive.h"
#include "record/attempts_text.h"
#include "record/book_inside.h"
#include "record/packet.h"

enum { ATTEMPTS_BYTES_MAX = 256 * 1024 };

/* What goes on from row to row. */
struct writing {
    struct book *book;
    uint64_t new_names, new_ids;
    struct error *err;
};

static bool write_sum(struct writing *writing, enum book_statement which,
                      const struct name_sum *sum) {
    sqlite3_stmt *statement = book_statement(writing->book, which, writing->err);
    if (!statement)
        return false;
    book_bind_text(statement, 1, sum->key.first);
    book_bind_number(statement, 2, sum->requests);
    book_bind_number(statement, 3, sum->exclusions);
    book_bind_number(statement, 4, sum->success);
    book_bind_number(statement, 5, sum->hits);
    book_bind_number(statement, 6, sum->bytes);
    book_bind_number(statement, 7, sum->time_us);
    sqlite3_bind_int64(statement, 8, sum->last_ns / 1000000000);
    if (sum->key.second[0]) {
        book_bind_text(statement, 9, sum->key.second);
        book_bind_text(statement, 10, verdict_name(sum->verdict));
    }
    return book_step(writing->book, statement, writing->err);
}

/* Returns nonzero on failure, as all visitors here. */
static int write_name(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct name_sum *sum = TABLE_ENTRY(node, struct name_sum, key.node);
    bool id = sum->key.second[0] != '\0';
    if (!write_sum(writing, id ? BOOK_UPDATE_ID : BOOK_UPDATE_NAME, sum))
        return 1;
    if (sqlite3_changes(writing->book->db) > 0)
        return 0;
    if (!write_sum(writing, id ? BOOK_INSERT_ID : BOOK_INSERT_NAME, sum))
        return 1;
    if (id)
        writing->new_ids++;
    else if (sum->key.first[0]) /* "other" is no name */
        writing->new_names++;
    return 0;
}

static int write_pair(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct pair_sum *sum = TABLE_ENTRY(node, struct pair_sum, key.node);
    sqlite3_stmt *statement = book_statement(writing->book, BOOK_ADD_PAIR, writing->err);
    if (!statement)
        return 1;
    book_bind_text(statement, 1, sum->key.first);
    book_bind_text(statement, 2, sum->key.second);
    book_bind_number(statement, 3, sum->found);
    book_bind_number(statement, 4, sum->absent);
    book_bind_number(statement, 5, sum->failed);
    book_bind_number(statement, 6, sum->time_us);
    book_bind_number(statement, 7, sum->bytes);
    return !book_step(writing->book, statement, writing->err);
}

/* Counts lie there as they lie in memory: an array of numbers of eight bytes, the lowest first on
   every machine that this runs on. */
static void add_blob(sqlite3_stmt *statement, int column, uint64_t *counts, size_t count) {
    const char *blob = sqlite3_column_blob(statement, column);
    size_t there = (size_t)sqlite3_column_bytes(statement, column) / sizeof *counts;
    for (size_t i = 0; i < count && i < there; i++) {
        uint64_t number;
        memcpy(&number, blob + i * sizeof number, sizeof number);
        counts[i] += number;
    }
}

static int write_source(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct source_sum *source = TABLE_ENTRY(node, struct source_sum, all.key.node);
    const struct pair_sum *sum = &source->all;
    struct histogram times = source->times;
    sqlite3_stmt *get = book_statement(writing->book, BOOK_GET_SOURCE, writing->err);
    sqlite3_stmt *put = book_statement(writing->book, BOOK_PUT_SOURCE, writing->err);
    if (!get || !put)
        return 1;
    book_bind_text(get, 1, sum->key.first);
    if (sqlite3_step(get) == SQLITE_ROW)
        add_blob(get, 0, times.counts, HISTOGRAM_STEPS);
    sqlite3_reset(get);
    book_bind_text(put, 1, sum->key.first);
    book_bind_number(put, 2, sum->found);
    book_bind_number(put, 3, sum->absent);
    book_bind_number(put, 4, sum->failed);
    book_bind_number(put, 5, sum->time_us);
    book_bind_number(put, 6, sum->bytes);
    sqlite3_bind_blob(put, 7, times.counts, sizeof times.counts, SQLITE_STATIC);
    sqlite3_bind_int64(put, 8, source->failed_ms);
    book_bind_text(put, 9, source->failure);
    return !book_step(writing->book, put, writing->err);
}

static bool write_step(struct writing *writing, const struct minute_sum *minute, int64_t step_s) {
    struct minute_sum sum = *minute;
    int64_t at_s = minute->at_s - minute->at_s % step_s;
    sqlite3_stmt *get = book_statement(writing->book, BOOK_GET_HISTORY, writing->err);
    sqlite3_stmt *put = book_statement(writing->book, BOOK_PUT_HISTORY, writing->err);
    if (!get || !put)
        return false;
    sqlite3_bind_int64(get, 1, step_s);
    sqlite3_bind_int64(get, 2, at_s);
    if (sqlite3_step(get) == SQLITE_ROW) {
        add_blob(get, 0, sum.verdicts, VERDICT_COUNT);
        add_blob(get, 1, sum.waits.counts, HISTOGRAM_STEPS);
    }
    sqlite3_reset(get);
    sqlite3_bind_int64(put, 1, step_s);
    sqlite3_bind_int64(put, 2, at_s);
    sqlite3_bind_blob(put, 3, sum.verdicts, sizeof sum.verdicts, SQLITE_STATIC);
    book_bind_number(put, 4, minute->bytes);
    sqlite3_bind_blob(put, 5, sum.waits.counts, sizeof sum.waits.counts, SQLITE_STATIC);
    return book_step(writing->book, put, writing->err);
}

static bool write_history(struct writing *writing, const struct sheet *sheet) {
    static const int64_t steps_s[] = {60, 3600, 86400};
    for (unsigned i = 0; i < sheet->minute_count; i++)
        for (unsigned n = 0; n < sizeof steps_s / sizeof *steps_s; n++)
            if (!write_step(writing, &sheet->minutes[i], steps_s[n]))
                return false;
    return true;
}

static bool is_failure(const struct outcome *outcome) {
    return outcome->broken || (outcome->about_symbol && verdict_open(outcome->verdict));
}

static int marks_of(const struct outcome *outcome) {
    return (outcome->broken ? MARK_BROKEN : 0) | (outcome->hung_up ? MARK_HUNG_UP : 0) |
           (outcome->not_kept ? MARK_NOT_KEPT : 0) | (outcome->follow_up ? MARK_FOLLOW_UP : 0) |
           (outcome->joined ? MARK_JOINED : 0);
}

static void bind_request(sqlite3_stmt *statement, const struct outcome *outcome) {
    const struct outcome_texts *text = &outcome->text;
    char key[NAME_BYTES_MAX + ID_BYTES_MAX + 2] = "";
    if (text->name[0])
        text_format(key, sizeof key, "%s/%s", text->name, text->key_id);
    book_bind_text(statement, 2, text->id);
    sqlite3_bind_int64(statement, 3, outcome->wall_ns / 1000000);
    book_bind_text(statement, 4, text->client);
    book_bind_text(statement, 5, outcome->dialect);
    book_bind_text(statement, 6, outcome->method);
    book_bind_text(statement, 7, text->path);
    sqlite3_bind_text(statement, 8, key, -1, SQLITE_TRANSIENT);
    book_bind_text(statement, 9, verdict_name(outcome->verdict));
    book_bind_text(statement, 10, text->source);
    book_bind_text(statement, 11, text->reason);
    book_bind_text(statement, 12, text->rule);
    sqlite3_bind_int(statement, 13, outcome->status);
    book_bind_number(statement, 14, outcome->bytes);
    sqlite3_bind_int64(statement, 15, outcome->waited_us);
    sqlite3_bind_int64(statement, 16, outcome->total_us);
    sqlite3_bind_int(statement, 17, marks_of(outcome));
}

static bool write_request(struct writing *writing, const struct sheet_request *request,
                          int64_t number) {
    struct outcome outcome;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    packet_read(request->packet, &outcome, notes);
    sqlite3_stmt *statement = book_statement(
        writing->book, is_failure(&outcome) ? BOOK_PUT_FAILURE : BOOK_PUT_REQUEST, writing->err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, number);
    bind_request(statement, &outcome);
    CLEANUP(buffer_release) struct buffer attempts;
    buffer_init(&attempts, ATTEMPTS_BYTES_MAX);
    if (outcome.note_count)
        attempts_text(&attempts, notes, outcome.note_count);
    if (outcome.note_count && !attempts.failed)
        book_bind_text(statement, 18, attempts.bytes);
    else
        sqlite3_bind_null(statement, 18);
    return book_step(writing->book, statement, writing->err);
}

static bool write_requests(struct writing *writing, const struct sheet *sheet) {
    int64_t number = writing->book->next_request;
    if (sheet->trace_lost &&
        !book_cut_trace(writing->book, number + sheet->request_count, writing->err))
        return false;
    for (const struct sheet_request *request = sheet->first; request; request = request->next)
        if (!write_request(writing, request, number++))
            return false;
    return true;
}

static bool write_numbers(struct writing *writing, const struct book_numbers *numbers) {
    sqlite3_stmt *statement = book_statement(writing->book, BOOK_PUT_NUMBER, writing->err);
    for (unsigned i = 0; statement && i < numbers->count; i++) {
        book_bind_text(statement, 1, numbers->names[i]);
        book_bind_number(statement, 2, numbers->values[i]);
        if (!book_step(writing->book, statement, writing->err))
            return false;
    }
    return statement != NULL;
}

static bool run(struct writing *writing, enum book_statement which) {
    sqlite3_stmt *statement = book_statement(writing->book, which, writing->err);
    return statement && book_step(writing->book, statement, writing->err);
}

static bool write_all(struct writing *writing, const struct sheet *sheet,
                      const struct book_numbers *numbers) {
    /* table_each does not change what it walks here. */
    struct table *names = (struct table *)(uintptr_t)&sheet->names;
    struct table *ids = (struct table *)(uintptr_t)&sheet->ids;
    struct table *pairs = (struct table *)(uintptr_t)&sheet->pairs;
    struct table *sources = (struct table *)(uintptr_t)&sheet->sources;
    return run(writing, BOOK_BEGIN) && table_each(names, write_name, writing) == 0 &&
           table_each(ids, write_name, writing) == 0 &&
           table_each(pairs, write_pair, writing) == 0 &&
           table_each(sources, write_source, writing) == 0 &&
           book_write_evidence(writing->book, &sheet->evidence, writing->err) &&
           write_history(writing, sheet) && write_requests(writing, sheet) &&
           write_numbers(writing, numbers) && run(writing, BOOK_COMMIT);
}

enum book_written book_write(struct book *book, const struct sheet *sheet,
                             const struct book_numbers *numbers, struct error *err) {
    struct writing writing = {.book = book, .err = err};
    if (!write_all(&writing, sheet, numbers))
        return book_give_up(book);
    book->name_count += writing.new_names;
    book->id_count += writing.new_ids;
    book->next_request += sheet->request_count;
    return BOOK_WRITTEN;
}
