// SPDX-License-Identifier: MIT
//
// Evidence: whole since a moment that is known, or begun anew.
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "record/book.h"
#include "record/reading.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { OLD = 1, NEW = 2, AT_S = 1800000000 };

#define SERVERS "[\"one\", \"two\"]"

/* A book in a scratch folder, the sheet that will be written into it, and the clock. */
struct desk {
    char path[4096];
    struct book_options options;
    struct book *book;
    struct sheet *sheet;
    int64_t now_s;
};

static void open_book(struct desk *desk) {
    struct error err = {0};
    if (book_open(&desk->options, &desk->book, &err) != BOOK_OPEN)
        fail_msg("%s", err.what);
    assert_true(book_count(desk->book, &err));
    desk->sheet = sheet_new();
}

static void close_book(struct desk *desk) {
    sheet_free(desk->sheet);
    book_close(desk->book);
}

static void begin(struct desk *desk, void **state) {
    *desk = (struct desk){.options = {.names_max = 1000,
                                      .ids_max = 1000,
                                      .bytes_max = 64 << 20,
                                      .requests_max = 1000,
                                      .failures_max = 1000},
                          .now_s = AT_S};
    text_format(desk->path, sizeof desk->path, "%s/statistics.db", (const char *)*state);
    desk->options.path = desk->path;
    open_book(desk);
}

/* Writes what was gathered, an hour later, and trims. */
static void settle(struct desk *desk) {
    struct error err = {0};
    const struct book_numbers none = {0};
    desk->now_s += 3600;
    if (book_write(desk->book, desk->sheet, &none, &err) != BOOK_WRITTEN ||
        book_trim(desk->book, desk->now_s, &err) != BOOK_WRITTEN)
        fail_msg("%s", err.what);
    sheet_free(desk->sheet);
    desk->sheet = sheet_new();
}

static void tell(struct desk *desk, struct reply reply, const char *source, const char *name,
                 const char *id, enum attempt_result result) {
    struct symbol_key key = {0};
    struct spelling spelling = {0};
    struct attempt_note note = {.result = result, .total_ms = 2};
    text_copy(key.name, sizeof key.name, name);
    text_fold(key.name);
    text_copy(key.id, sizeof key.id, id);
    text_copy(spelling.name, sizeof spelling.name, name);
    text_copy(spelling.id, sizeof spelling.id, id);
    text_copy(note.source, sizeof note.source, source);
    reply.key = &key;
    reply.spelling = &spelling;
    reply.note = &note;
    sheet_add_answer(desk->sheet, &reply, desk->now_s * 1000);
}

static void answer(struct desk *desk, const char *source, uint64_t mark, const char *name,
                   const char *id, enum attempt_result result) {
    const struct reply reply = {
        .place = mark * 1000 + (uint64_t)source[0], .mark = mark, .certain = true};
    tell(desk, reply, source, name, id, result);
}

/* A lookup without attempts; `source`: whose file it was. */
static void look_up(struct desk *desk, const char *name, const char *id, enum verdict verdict,
                    const char *source) {
    struct outcome outcome = {
        .wall_ns = desk->now_s * 1000000000,
        .dialect = "symsrv",
        .method = "GET",
        .verdict = verdict,
        .about_symbol = true,
        .text = {"request", "", "/symbols/x", name, id, "", source, ""},
    };
    struct lookup lookup;
    assert_true(sheet_judge(&outcome, &lookup));
    sheet_add(desk->sheet, &outcome, NULL, &lookup);
}

static struct reading *read_book(struct desk *desk) {
    struct error err = {0};
    settle(desk);
    struct reading *reading = reading_open(desk->path, NULL, &err);
    if (!reading)
        fail_msg("%s", err.what);
    return reading;
}

static struct evidence_total total_of(struct desk *desk, const char *source, uint64_t mark) {
    const struct evidence_server server = {source, mark, false, SERVERS};
    struct evidence_total total;
    struct error err = {0};
    struct reading *reading = read_book(desk);
    if (!reading_evidence(reading, &server, &total, &err))
        fail_msg("%s", err.what);
    reading_close(reading);
    return total;
}

/* One name among those that are shown. */
struct wanted {
    const char *name;
    unsigned shown;
    uint64_t absent, may_have;
};

static bool look(const struct evidence_row *row, void *context) {
    struct wanted *wanted = context;
    if (strcmp(row->name, wanted->name) != 0)
        return true;
    wanted->shown++;
    wanted->absent = row->absent;
    wanted->may_have = row->may_have;
    return true;
}

static struct wanted name_at(struct desk *desk, const char *source, bool own_shelf,
                             const char *name) {
    const struct evidence_server server = {source, OLD, own_shelf, SERVERS};
    struct wanted wanted = {.name = name};
    struct error err = {0};
    struct reading *reading = read_book(desk);
    if (!reading_evidence_names(reading, &server, look, &wanted, &err))
        fail_msg("%s", err.what);
    reading_close(reading);
    assert_true(wanted.shown <= 1);
    return wanted;
}

/* --- whom it is about --- */

static void a_server_that_is_asked_otherwise_has_said_nothing(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "one", OLD, "b.pdb", "1", ATTEMPT_FAILED);
    answer(&desk, "two", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    look_up(&desk, "c.pdb", "1", VERDICT_HIT, "one");
    struct evidence_total total = total_of(&desk, "one", OLD);
    assert_int_equal(total.absent, 1);
    assert_int_equal(total.failed, 1);
    assert_int_equal(total.open, 1);
    assert_int_equal(total.kept, 1);
    assert_int_equal(total.time_us, 4000);
    assert_int_equal(total_of(&desk, "one", NEW).since_ms, 0);
    answer(&desk, "one", NEW, "d.pdb", "1", ATTEMPT_ABSENT);
    struct evidence_total later = total_of(&desk, "one", NEW);
    assert_int_equal(later.absent, 1);
    assert_int_equal(later.failed + later.open, 0);
    assert_int_equal(later.kept, 1); /* the files that are here are its own still */
    assert_true(later.since_ms > total.since_ms);
    assert_int_equal(total_of(&desk, "one", OLD).since_ms, 0);
    assert_int_equal(total_of(&desk, "two", OLD).absent, 1);
    close_book(&desk);
}

/* A search of before a reload ends after it. */
static void within_one_sheet_the_last_one_counts(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "one", OLD, "a.pdb", "2", ATTEMPT_FAILED);
    answer(&desk, "one", NEW, "a.pdb", "1", ATTEMPT_FOUND);
    struct evidence_total total = total_of(&desk, "one", NEW);
    assert_int_equal(total.found, 1);
    assert_int_equal(total.absent + total.failed + total.open, 0);
    close_book(&desk);
}

/* While it is asked, its layout is found out. */
static void an_answer_closes_what_was_asked_before_the_way_was_known(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", 0, "a.pdb", "1", ATTEMPT_UNASKED);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", OLD).open, 0);
    answer(&desk, "one", NEW, "a.pdb", "2", ATTEMPT_FAILED);
    answer(&desk, "one", OLD, "a.pdb", "2", ATTEMPT_ABSENT); /* of before a reload */
    answer(&desk, "one", NEW, "a.pdb", "3", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", NEW).open, 1);
    close_book(&desk);
}

static void a_way_that_is_not_known_yet_is_every_way(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", 0, "a.pdb", "1", ATTEMPT_FAILED); /* its layout could not be found out */
    struct evidence_total total = total_of(&desk, "one", 0);
    assert_int_equal(total.failed, 1);
    assert_int_equal(total.open, 1);
    answer(&desk, "one", OLD, "b.pdb", "1", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", OLD).open, 1);
    answer(&desk, "one", 0, "c.pdb", "1", ATTEMPT_UNASKED); /* after a restart */
    total = total_of(&desk, "one", OLD);
    assert_int_equal(total.absent, 1);
    assert_int_equal(total.open, 2);
    assert_int_equal(total_of(&desk, "one", 0).absent, 1);
    close_book(&desk);
}

/* --- open questions --- */

static void only_its_own_answer_closes_a_question(void **state) {
    static const enum attempt_result open[] = {ATTEMPT_FAILED, ATTEMPT_LOST, ATTEMPT_UNASKED};
    struct desk desk;
    begin(&desk, state);
    for (unsigned i = 0; i < 3; i++) {
        char id[] = {(char)('1' + i), '\0'};
        answer(&desk, "one", OLD, "a.pdb", id, open[i]);
    }
    assert_int_equal(total_of(&desk, "one", OLD).open, 3);
    answer(&desk, "one", OLD, "a.pdb", "4", ATTEMPT_ABSENT);
    answer(&desk, "one", OLD, "b.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "two", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", OLD).open, 3);
    assert_int_equal(name_at(&desk, "one", false, "a.pdb").may_have, 3);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "one", OLD, "a.pdb", "2", ATTEMPT_ABSENT);
    answer(&desk, "one", OLD, "a.pdb", "2", ATTEMPT_FAILED); /* open again */
    assert_int_equal(total_of(&desk, "one", OLD).open, 2);
    close_book(&desk);
}

static void whoever_was_not_asked_at_all_may_have_it(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "two", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    look_up(&desk, "a.pdb", "2F", VERDICT_FAILED, "");
    look_up(&desk, "a.pdb", "3", VERDICT_BUSY, "");
    assert_int_equal(total_of(&desk, "one", OLD).open, 2);
    assert_int_equal(total_of(&desk, "two", OLD).open, 2);
    answer(&desk, "one", OLD, "A.pdb", "2F", ATTEMPT_ABSENT);
    answer(&desk, "two", OLD, "A.pdb", "2F", ATTEMPT_UNASKED);
    assert_int_equal(total_of(&desk, "one", OLD).open, 1);
    assert_int_equal(total_of(&desk, "two", OLD).open, 2);
    close_book(&desk);
}

/* --- files that are here --- */

static void files_whose_origin_is_not_known_may_be_anybodys(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "z.pdb", "1", ATTEMPT_ABSENT);
    answer(&desk, "two", OLD, "z.pdb", "1", ATTEMPT_ABSENT);
    look_up(&desk, "a.pdb", "1", VERDICT_HIT, "");
    look_up(&desk, "b.pdb", "1", VERDICT_HIT, "two");
    look_up(&desk, "b.pdb", "2", VERDICT_HIT, "two");
    assert_int_equal(name_at(&desk, "one", false, "a.pdb").may_have, 1);
    assert_int_equal(name_at(&desk, "two", false, "a.pdb").may_have, 1);
    assert_int_equal(name_at(&desk, "one", false, "b.pdb").may_have, 0);
    assert_int_equal(name_at(&desk, "two", false, "b.pdb").may_have, 2);
    assert_int_equal(total_of(&desk, "one", OLD).kept, 0);
    assert_int_equal(total_of(&desk, "two", OLD).kept, 2);
    /* On a shelf of its own may be what it was never asked for. */
    assert_true(name_at(&desk, "one", true, "b.pdb").may_have > 0);
    close_book(&desk);
}

/* --- bounds --- */

static void what_was_found_outlives_its_name(void **state) {
    struct desk desk;
    begin(&desk, state);
    desk.options.names_max = 10;
    close_book(&desk);
    open_book(&desk);
    const char *const rare[] = {"had.pdb", "denied.pdb"};
    for (unsigned i = 0; i < 2; i++) {
        answer(&desk, "one", OLD, rare[i], "1", i == 0 ? ATTEMPT_FOUND : ATTEMPT_ABSENT);
        look_up(&desk, rare[i], "1", i == 0 ? VERDICT_FETCHED : VERDICT_ABSENT, "one");
    }
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.pdb", i % 20);
        look_up(&desk, name, "1", VERDICT_ABSENT, "");
    }
    assert_int_equal(name_at(&desk, "one", false, "had.pdb").may_have, 1);
    assert_int_equal(name_at(&desk, "one", false, "denied.pdb").shown, 0);
    close_book(&desk);
}

static void too_many_strays_begin_anew(void **state) {
    struct desk desk;
    begin(&desk, state);
    desk.options.names_max = 10;
    close_book(&desk);
    open_book(&desk);
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.pdb", i);
        answer(&desk, "one", OLD, name, "1", ATTEMPT_FOUND);
        look_up(&desk, name, "1", VERDICT_FETCHED, "one");
    }
    struct evidence_total before = total_of(&desk, "one", OLD); /* most names are folded … */
    assert_int_equal(before.found, 40);
    struct evidence_total total = total_of(&desk, "one", OLD); /* … what they leave is counted in
                                                                  the next hour */
    assert_int_equal(total.found, 0);
    assert_true(total.since_ms > 0 && total.since_ms != before.since_ms);
    close_book(&desk);
}

static void too_many_open_questions_begin_anew(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "two", OLD, "a.pdb", "1", ATTEMPT_FAILED);
    answer(&desk, "one", OLD, "had.pdb", "1", ATTEMPT_FOUND);
    for (unsigned i = 0; i < 101; i++) {
        char id[32];
        snprintf(id, sizeof id, "%u", i);
        answer(&desk, "one", OLD, "a.pdb", id, ATTEMPT_FAILED);
    }
    settle(&desk); /* a tenth of a thousand ids may be open */
    struct evidence_total total = total_of(&desk, "one", OLD);
    assert_int_equal(total.open + total.found + total.failed, 0);
    assert_true(total.since_ms > 0);
    assert_int_equal(total_of(&desk, "two", OLD).open, 1);
    close_book(&desk);
}

static void too_many_lookups_without_an_answer_have_all_begin_anew(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "a.pdb", "x", ATTEMPT_ABSENT);
    answer(&desk, "two", OLD, "a.pdb", "x", ATTEMPT_ABSENT);
    for (unsigned i = 0; i < 101; i++) {
        char id[32];
        snprintf(id, sizeof id, "%u", i);
        look_up(&desk, "a.pdb", id, VERDICT_FAILED, "");
    }
    settle(&desk);
    assert_int_equal(total_of(&desk, "one", OLD).absent, 0);
    assert_int_equal(total_of(&desk, "two", OLD).absent + total_of(&desk, "two", OLD).open, 0);
    close_book(&desk);
}

static void a_gap_has_all_begin_anew(void **state) {
    struct desk desk;
    begin(&desk, state);
    answer(&desk, "one", OLD, "had.pdb", "1", ATTEMPT_FOUND);
    answer(&desk, "two", OLD, "had.pdb", "1", ATTEMPT_FOUND);
    settle(&desk);
    for (unsigned i = 0; i <= EVIDENCE_SUMS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.pdb", i);
        answer(&desk, "one", OLD, name, "1", ATTEMPT_ABSENT);
    }
    assert_int_equal(total_of(&desk, "one", OLD).absent, 0);
    assert_int_equal(total_of(&desk, "two", OLD).found, 0);
    answer(&desk, "one", OLD, "a.pdb", "1", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", OLD).absent, 1);
    close_book(&desk);
}

/* --- the file --- */

static void a_book_of_the_first_format_gets_it(void **state) {
    struct desk desk;
    begin(&desk, state);
    look_up(&desk, "a.pdb", "1", VERDICT_HIT, "");
    settle(&desk);
    close_book(&desk);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(desk.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TABLE marks; DROP TABLE evidence; DROP TABLE questions;"
                                  "PRAGMA user_version = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    open_book(&desk);
    answer(&desk, "one", OLD, "b.pdb", "1", ATTEMPT_ABSENT);
    assert_int_equal(total_of(&desk, "one", OLD).absent, 1);
    /* A hit of before tells that it may be anybody's. */
    assert_int_equal(name_at(&desk, "one", false, "a.pdb").may_have, 1);
    close_book(&desk);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_server_that_is_asked_otherwise_has_said_nothing),
        WITH_FOLDER(within_one_sheet_the_last_one_counts),
        WITH_FOLDER(an_answer_closes_what_was_asked_before_the_way_was_known),
        WITH_FOLDER(a_way_that_is_not_known_yet_is_every_way),
        WITH_FOLDER(only_its_own_answer_closes_a_question),
        WITH_FOLDER(whoever_was_not_asked_at_all_may_have_it),
        WITH_FOLDER(files_whose_origin_is_not_known_may_be_anybodys),
        WITH_FOLDER(what_was_found_outlives_its_name),
        WITH_FOLDER(too_many_strays_begin_anew),
        WITH_FOLDER(too_many_open_questions_begin_anew),
        WITH_FOLDER(too_many_lookups_without_an_answer_have_all_begin_anew),
        WITH_FOLDER(a_gap_has_all_begin_anew),
        WITH_FOLDER(a_book_of_the_first_format_gets_it),
    };
    return RUN_TESTS(tests);
}
