// SPDX-License-Identifier: MIT
//
// Evidence in the book: written with its sheet, forgotten with what nobody needs, and begun anew
// where it would not be whole any more.
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "record/book_inside.h"

enum { STRAYS_EVERY_S = 3600 };

struct writing {
    struct book *book;
    const struct evidence *evidence;
    struct error *err;
};

/* Runs a statement about a server and, where it has one, a text. */
static bool run_about(struct book *book, enum book_statement which, const char *source,
                      const char *text, struct error *err) {
    sqlite3_stmt *statement = book_statement(book, which, err);
    if (!statement)
        return false;
    book_bind_text(statement, 1, source);
    if (text)
        book_bind_text(statement, 2, text);
    return book_step(book, statement, err);
}

/* Forgets what a server, or "" every one, said; what speaks for a file stays. */
static bool forget_said(struct book *book, const char *source, struct error *err) {
    static const enum book_statement steps[] = {BOOK_DROP_SAID, BOOK_KEEP_HAD, BOOK_DROP_QUESTIONS};
    bool good = true;
    for (unsigned i = 0; good && i < sizeof steps / sizeof *steps; i++)
        good = run_about(book, steps[i], source, NULL, err);
    return good;
}

static bool put_mark(struct writing *writing, const struct evidence_mark *mark) {
    sqlite3_stmt *put = book_statement(writing->book, BOOK_PUT_MARK, writing->err);
    if (!put)
        return false;
    book_bind_text(put, 1, mark->key.first);
    book_bind_number(put, 2, mark->place);
    book_bind_number(put, 3, mark->mark);
    sqlite3_bind_int64(put, 4, mark->since_ms);
    sqlite3_bind_int(put, 5, mark->moved);
    return book_step(writing->book, put, writing->err);
}

/* A server that is asked in another way has said nothing yet; but what it had it may have still.
   Mark 0, not known yet, is every way. Nonzero on failure, as all visitors here. */
static int write_mark(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct evidence_mark *mark = TABLE_ENTRY(node, struct evidence_mark, key.node);
    sqlite3_stmt *get = book_statement(writing->book, BOOK_GET_MARK, writing->err);
    if (!get)
        return 1;
    book_bind_text(get, 1, mark->key.first);
    bool there = sqlite3_step(get) == SQLITE_ROW;
    uint64_t known = there ? (uint64_t)sqlite3_column_int64(get, 0) : 0;
    sqlite3_reset(get);
    if (there && !mark->moved && (mark->mark == known || mark->mark == 0))
        return 0;
    return !((known == 0 || forget_said(writing->book, mark->key.first, writing->err)) &&
             put_mark(writing, mark));
}

/* Is it about the server as it is asked now? */
static bool is_current(const struct writing *writing, const char *source, uint64_t mark) {
    const struct evidence_mark *last = sum_there(&writing->evidence->marks, source, "", 0);
    return mark == 0 || (last && last->mark == mark);
}

static int write_sum(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct evidence_sum *sum = TABLE_ENTRY(node, struct evidence_sum, key.node);
    if (!is_current(writing, sum->key.first, sum->key.mark))
        return 0;
    sqlite3_stmt *add = book_statement(writing->book, BOOK_ADD_EVIDENCE, writing->err);
    if (!add)
        return 1;
    book_bind_text(add, 1, sum->key.first);
    book_bind_text(add, 2, sum->key.second);
    book_bind_number(add, 3, sum->found);
    book_bind_number(add, 4, sum->absent);
    book_bind_number(add, 5, sum->failed);
    book_bind_number(add, 6, sum->time_us);
    book_bind_number(add, 7, sum->kept);
    return !book_step(writing->book, add, writing->err);
}

/* What was not known of all is told of each server by itself once it is searched for. */
static bool close_for_all(struct writing *writing, const char *text) {
    char folded[NAME_BYTES_MAX + ID_BYTES_MAX + 2];
    text_copy(folded, sizeof folded, text);
    text_fold(folded);
    return run_about(writing->book, BOOK_CLOSE_QUESTION, "", folded, writing->err);
}

static int close_questions(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct evidence_question *question =
        TABLE_ENTRY(node, struct evidence_question, key.node);
    const char *source = question->key.first, *text = question->key.second;
    if (!is_current(writing, source, question->mark))
        return 0;
    if (source[0] && !close_for_all(writing, text))
        return 1;
    return !question->open &&
           !run_about(writing->book, BOOK_CLOSE_QUESTION, source, text, writing->err);
}

static int open_question(struct table_node *node, void *context) {
    struct writing *writing = context;
    const struct evidence_question *question =
        TABLE_ENTRY(node, struct evidence_question, key.node);
    return question->open && is_current(writing, question->key.first, question->mark) &&
           !run_about(writing->book, BOOK_OPEN_QUESTION, question->key.first, question->key.second,
                      writing->err);
}

static bool begin_anew(struct book *book, struct error *err) {
    return forget_said(book, "", err) &&
           book_run_with(book, "UPDATE marks SET since_ms = ?1", clock_wall_ns() / 1000000, err);
}

enum book_written book_begin_evidence(struct book *book, struct error *err) {
    bool good = book_run(book, "BEGIN IMMEDIATE", err) && begin_anew(book, err) &&
                book_cut_trace(book, book->next_request, err) && book_run(book, "COMMIT", err);
    return good ? BOOK_WRITTEN : book_give_up(book);
}

bool book_write_evidence(struct book *book, const struct evidence *evidence, struct error *err) {
    struct writing writing = {book, evidence, err};
    /* table_each does not change what it walks here. */
    struct evidence *all = (struct evidence *)(uintptr_t)evidence;
    if (evidence->gap)
        return table_each(&all->marks, write_mark, &writing) == 0 && begin_anew(book, err);
    return table_each(&all->marks, write_mark, &writing) == 0 &&
           table_each(&all->sums, write_sum, &writing) == 0 &&
           table_each(&all->questions, close_questions, &writing) == 0 &&
           table_each(&all->questions, open_question, &writing) == 0;
}

bool book_cut_trace(struct book *book, int64_t from, struct error *err) {
    sqlite3_stmt *put = book_statement(book, BOOK_PUT_NUMBER, err);
    if (!put || from <= book->trace_from)
        return put != NULL;
    book_bind_text(put, 1, "trace_from");
    sqlite3_bind_int64(put, 2, from);
    if (!book_step(book, put, err))
        return false;
    book->trace_from = from;
    return true;
}

uint64_t book_seal(struct book *book, struct error *err) {
    uint64_t seal = hash_new_key().words[0] | 1;
    sqlite3_stmt *put = book_statement(book, BOOK_PUT_NUMBER, err);
    if (!put)
        return 0;
    book_bind_text(put, 1, "seal");
    book_bind_number(put, 2, seal);
    return book_step(book, put, err) && book_run(book, "PRAGMA wal_checkpoint(TRUNCATE)", err)
               ? seal
               : 0;
}

/* --- bounds --- */

/* The server with the most rows of a table, which has too many, has said nothing from now on. What
   is not known of any server is among the rows of "": without them nothing is whole. */
static bool begin_largest_anew(struct book *book, const char *choose, struct error *err) {
    static const char drop[] = "DELETE FROM evidence WHERE source IN (SELECT source FROM anew);"
                               "DELETE FROM questions WHERE source IN (SELECT source FROM anew);";
    static const char all[] = "INSERT INTO anew SELECT source FROM marks"
                              " WHERE EXISTS (SELECT 1 FROM anew WHERE source = '')";
    return book_run(book, "BEGIN IMMEDIATE; DROP TABLE IF EXISTS temp.anew", err) &&
           book_run(book, choose, err) && book_run(book, all, err) && book_run(book, drop, err) &&
           book_run_with(book,
                         "UPDATE marks SET since_ms = ?1 WHERE source IN (SELECT source FROM anew)",
                         clock_wall_ns() / 1000000, err) &&
           book_run(book, "DROP TABLE temp.anew; COMMIT", err);
}

/* To count them much is read. */
static bool bound_strays(struct book *book, int64_t now_s, struct error *err) {
    if (book->folded_names == 0 ||
        (now_s >= book->strays_s && now_s < book->strays_s + STRAYS_EVERY_S))
        return true;
    book->strays_s = now_s;
    uint64_t strays = (uint64_t)book_ask(
        book, "SELECT count(*) FROM evidence WHERE name NOT IN (SELECT name FROM names)");
    return strays <= book->options.names_max ||
           begin_largest_anew(book,
                              "CREATE TEMP TABLE anew AS SELECT source FROM main.evidence"
                              " WHERE name NOT IN (SELECT name FROM main.names)"
                              " GROUP BY source ORDER BY count(*) DESC LIMIT 1",
                              err);
}

static bool bound_questions(struct book *book, struct error *err) {
    uint64_t open = (uint64_t)book_ask(book, "SELECT count(*) FROM questions");
    return open <= book->options.ids_max / QUESTION_SHARE ||
           begin_largest_anew(book,
                              "CREATE TEMP TABLE anew AS SELECT source FROM main.questions"
                              " GROUP BY source ORDER BY count(*) DESC LIMIT 1",
                              err);
}

bool book_bound_evidence(struct book *book, int64_t now_s, struct error *err) {
    return bound_questions(book, err) && bound_strays(book, now_s, err);
}
