// SPDX-License-Identifier: MIT
//
// An index is read step by step from a source that is a table of texts. Time is the test's.
#include "source/source_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"

enum { FILES_MAX = 16, REFRESH_MS = 3600 * 1000, OLD_S = 1000 };

/* A file of the index, as the source has it. */
struct held_file {
    char path[64];
    char text[1024];
    char etag[16];
    int64_t last_modified;
    unsigned asked;
};

static struct table {
    struct source source; /* first */
    struct held_file files[FILES_MAX];
    unsigned count;
    unsigned asked;
    unsigned same;     /* answers that it is still the same */
    bool tells;        /* it compares with the mark itself, as HTTP does */
    const char *fails; /* this path cannot be asked for */
} table;

struct text_reader {
    struct reader reader; /* first */
    const char *at;
};

static ssize_t text_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    (void)err;
    struct text_reader *text = (struct text_reader *)(void *)reader;
    size_t part = strlen(text->at) < length ? strlen(text->at) : length;
    part = part < 7 ? part : 7;
    memcpy(bytes, text->at, part);
    text->at += part;
    return (ssize_t)part;
}

static bool text_ready(struct reader *reader) {
    (void)reader;
    return true;
}

static void text_close(struct reader *reader) {
    free(reader);
}

static const struct reader_ops text_ops = {
    .read = text_read, .ready = text_ready, .close = text_close};

static struct held_file *held(const char *path) {
    for (unsigned i = 0; i < table.count; i++)
        if (strcmp(table.files[i].path, path) == 0)
            return &table.files[i];
    return NULL;
}

static enum source_answer ask(struct source *source, void *worker, struct source_call *call,
                              bool in_place, struct content *out_content,
                              struct reader **out_reader, struct source_local *out_local,
                              struct error *err) {
    (void)source;
    (void)worker;
    (void)out_local;
    assert_false(in_place);
    table.asked++;
    if (table.fails && strcmp(call->path, table.fails) == 0) {
        error_set(err, ERROR_STATUS, "\"%s\" fails", call->path);
        return SOURCE_FAILED;
    }
    struct held_file *file = held(call->path);
    if (!file)
        return SOURCE_ABSENT;
    file->asked++;
    *out_content =
        (struct content){.size = strlen(file->text), .last_modified = file->last_modified};
    text_copy(out_content->validator, sizeof out_content->validator, file->etag);
    if (table.tells && file_mark_fits(call->unless, out_content)) {
        table.same++;
        return SOURCE_SAME;
    }
    struct text_reader *reader = NEW(struct text_reader);
    reader->reader.ops = &text_ops;
    reader->at = file->text;
    *out_reader = &reader->reader;
    return SOURCE_FOUND;
}

static const struct source_ops ops = {.type = "table", .ask = ask};

/* Puts a file there, or another text into it. */
static void hold(const char *path, const char *text) {
    struct held_file *file = held(path);
    if (!file)
        file = &table.files[table.count++];
    text_copy(file->path, sizeof file->path, path);
    text_copy(file->text, sizeof file->text, text);
    text_format(file->etag, sizeof file->etag, "\"%zu\"", strlen(text));
    file->last_modified = CLOCK_FAKE_START_WALL_S - OLD_S;
}

static void take_away(const char *path) {
    struct held_file *file = held(path);
    assert_non_null(file);
    file->path[0] = '\0';
}

#define ADDED(number) "00000000" #number ",add,file,06/14/24,12:00:00,\"p\",\"\",\"\",\r\n"
#define FILE_OF(name) "\"" name "\\5E0F1B2C12000\",\"c:\\" name "\"\r\n"

static void hold_two_transactions(void) {
    hold("000Admin/lastid.txt", "0000000002");
    hold("000Admin/server.txt", ADDED(01) ADDED(02));
    hold("000Admin/0000000001", FILE_OF("One.dll") FILE_OF("both.dll"));
    hold("000Admin/0000000002", FILE_OF("two.dll") FILE_OF("both.dll"));
}

static int begin(void **state) {
    (void)state;
    static const struct hash_key key = {{1, 2}};
    clock_fake_set(CLOCK_FAKE_START_MS);
    struct source_options options = {
        .identifier = "table",
        .name = "table",
        .remote = "/table",
        .published_index = true,
        .index_refresh_ms = REFRESH_MS,
    };
    table = (struct table){0};
    source_init(&table.source, &ops, &options, &key);
    return 0;
}

static int finish(void **state) {
    (void)state;
    source_release(&table.source);
    return 0;
}

static enum index_progress step(struct error *err) {
    struct attempt_note note = {0};
    struct source_call call = {.note = &note};
    enum source_answer answer;
    return source_index_step(&table.source, NULL, &call, &answer, err);
}

/* Reads it if it is time to; how that ended. */
static enum index_progress read_index(struct error *err) {
    assert_true(source_index_claim(&table.source));
    assert_false(source_index_claim(&table.source));
    enum index_progress progress;
    *err = (struct error){0};
    while ((progress = step(err)) == INDEX_MORE)
        continue;
    return progress;
}

static void assert_read(void) {
    struct error err;
    assert_int_equal(read_index(&err), INDEX_WHOLE);
}

static void assert_refused(const char *why) {
    struct error err;
    assert_int_equal(read_index(&err), INDEX_FAILED);
    assert_string_equal(err.what, why);
    /* The same again is not told again. */
    clock_fake_advance(REFRESH_MS);
    assert_int_equal(read_index(&err), INDEX_FAILED_AGAIN);
    clock_fake_advance(REFRESH_MS);
}

static bool lacks(const char *name) {
    struct spelling spelling = {.id = "5E0F1B2C12000"};
    struct symbol_key key;
    text_copy(spelling.name, sizeof spelling.name, name);
    assert_true(symbol_key_make(&spelling, &key, NULL));
    return source_index_lacks(&table.source, &key);
}

/* --- what it says --- */

static void only_what_is_listed_is_not_lacked(void **state) {
    (void)state;
    hold_two_transactions();
    assert_false(lacks("three.dll"));
    assert_read();
    assert_int_equal(counted(&table.source.index->files), 3);
    assert_int_equal(table.asked, 4);
    assert_false(lacks("one.dll"));
    assert_false(lacks("TWO.DLL"));
    assert_false(lacks("both.dll"));
    assert_true(lacks("three.dll"));
    assert_false(lacks("dr\xc3\xb6i.dll"));
}

static void it_counts_for_its_time_only(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    clock_fake_advance(REFRESH_MS - 1);
    assert_true(lacks("three.dll"));
    assert_false(source_index_claim(&table.source));
    clock_fake_advance(1);
    assert_false(lacks("three.dll"));
    assert_read();
    assert_true(lacks("three.dll"));
}

static void without_a_list_all_are_live(void **state) {
    (void)state;
    hold_two_transactions();
    take_away("000Admin/server.txt");
    assert_read();
    assert_true(lacks("three.dll"));
    assert_false(lacks("one.dll"));
    /* One that is not there may be lost or deleted: who knows? */
    hold("000Admin/lastid.txt", "0000000003");
    clock_fake_advance(REFRESH_MS);
    assert_refused("\"000Admin/0000000003\" is not there");
    assert_false(lacks("three.dll"));
}

static void the_casing_of_a_store_counts(void **state) {
    (void)state;
    table.source.options.casing = CASING_LOWER;
    hold("000admin/lastid.txt", "0000000001");
    hold("000admin/server.txt", ADDED(01));
    hold("000admin/0000000001", FILE_OF("One.dll"));
    assert_read();
    assert_true(lacks("two.dll"));
}

/* --- reading it again --- */

static void only_what_is_new_is_read(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    hold("000Admin/lastid.txt", "0000000003");
    hold("000Admin/server.txt", ADDED(01) ADDED(02) ADDED(03));
    hold("000Admin/0000000003", FILE_OF("three.dll"));
    clock_fake_advance(REFRESH_MS);
    assert_read();
    assert_int_equal(held("000Admin/0000000001")->asked, 1);
    assert_int_equal(held("000Admin/0000000002")->asked, 1);
    assert_false(lacks("three.dll"));
    assert_false(lacks("one.dll"));
    assert_true(lacks("four.dll"));
}

static void unchanged_files_are_not_read(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        bool tells = i == 1;
        table.tells = tells;
        hold_two_transactions();
        clock_fake_advance(REFRESH_MS);
        assert_read();
        clock_fake_advance(REFRESH_MS);
        unsigned before = table.asked, same = table.same;
        assert_read();
        /* The number, the list, the newest. */
        assert_int_equal(table.asked - before, 3);
        assert_int_equal(table.same - same, tells ? 2 : 0);
        assert_true(lacks("three.dll"));
        assert_false(lacks("two.dll"));
    }
}

static void the_newest_may_still_have_been_written(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    hold("000Admin/0000000002", FILE_OF("two.dll") FILE_OF("both.dll") FILE_OF("late.dll"));
    assert_true(lacks("late.dll"));
    clock_fake_advance(REFRESH_MS);
    assert_read();
    assert_false(lacks("late.dll"));
}

static void what_has_just_changed_is_not_known_again(void **state) {
    (void)state;
    table.tells = true;
    hold_two_transactions();
    held("000Admin/server.txt")->last_modified = CLOCK_FAKE_START_WALL_S - 9;
    assert_read();
    clock_fake_advance(REFRESH_MS);
    assert_read();
    assert_int_equal(table.same, 1); /* the newest */
}

static void deleted_transactions_are_forgotten(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    hold("000Admin/lastid.txt", "0000000003");
    hold("000Admin/server.txt", ADDED(02));
    take_away("000Admin/0000000001");
    clock_fake_advance(REFRESH_MS);
    assert_read();
    assert_true(lacks("one.dll"));
    assert_false(lacks("both.dll"));
    assert_int_equal(counted(&table.source.index->files), 2);
}

static void a_list_that_shrinks_by_itself_was_read_too_early(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    hold("000Admin/server.txt", ADDED(02));
    clock_fake_advance(REFRESH_MS);
    assert_refused("\"000Admin/server.txt\" has become shorter without a transaction");
    hold_two_transactions();
    assert_read();
    assert_false(lacks("one.dll"));
    assert_true(lacks("three.dll"));
}

static void what_was_read_before_a_failure_is_kept(void **state) {
    (void)state;
    hold_two_transactions();
    table.fails = "000Admin/0000000002";
    struct error err;
    assert_int_equal(read_index(&err), INDEX_FAILED);
    assert_false(lacks("three.dll"));
    assert_int_equal(counted(&table.source.index->failures), 1);
    /* Not before its time. */
    clock_fake_advance(INDEX_RETRY_MS - 1);
    assert_false(source_index_claim(&table.source));
    clock_fake_advance(1);
    table.fails = NULL;
    assert_read();
    assert_int_equal(held("000Admin/0000000001")->asked, 1);
    assert_false(lacks("one.dll"));
    assert_true(lacks("three.dll"));
}

static void a_bad_list_is_read_again(void **state) {
    (void)state;
    hold_two_transactions();
    assert_read();
    hold("000Admin/server.txt", ADDED(01) ADDED(02) "0000000003,ad");
    clock_fake_advance(REFRESH_MS);
    assert_refused("line 3 of \"000Admin/server.txt\" is not understood");
    hold("000Admin/0000000003", FILE_OF("three.dll"));
    hold("000Admin/server.txt", ADDED(01) ADDED(02) ADDED(03));
    assert_read();
    assert_false(lacks("three.dll"));
}

/* --- what is none --- */

static void what_is_no_index_is_refused(void **state) {
    (void)state;
    assert_refused("\"000Admin/lastid.txt\" is not there");
    hold_two_transactions();
    hold("000Admin/lastid.txt", "<html>a page</html>");
    assert_refused("\"000Admin/lastid.txt\" is no number of a transaction");
    hold_two_transactions();
    hold("000Admin/server.txt", "<html>\n");
    assert_refused("line 1 of \"000Admin/server.txt\" is not understood");
    hold_two_transactions();
    hold("000Admin/0000000002", FILE_OF("two.dll") "\"cut.dll\\5E0F");
    assert_refused("line 2 of \"000Admin/0000000002\" is not understood");
    assert_false(lacks("three.dll"));
}

static void an_index_that_lists_nothing_counts_for_nothing(void **state) {
    (void)state;
    hold_two_transactions();
    hold("000Admin/server.txt", "");
    assert_refused("it lists no file");
    assert_false(lacks("three.dll"));
}

static void transactions_that_list_nothing_count_for_nothing(void **state) {
    (void)state;
    hold_two_transactions();
    hold("000Admin/0000000001", "\r\n");
    hold("000Admin/0000000002", "");
    assert_refused("it lists no file");
    assert_false(lacks("three.dll"));
}

static void there_may_be_too_many(void **state) {
    (void)state;
    hold_two_transactions();
    hold("000Admin/lastid.txt", "0000010001");
    take_away("000Admin/server.txt");
    assert_refused("it has more than 10000 transactions");
    assert_false(lacks("three.dll"));
}

static void a_source_without_one_lacks_nothing(void **state) {
    (void)state;
    source_index_unref(TAKE(table.source.index));
    assert_false(lacks("one.dll"));
    assert_false(source_index_claim(&table.source));
}

static void a_reload_keeps_it(void **state) {
    (void)state;
    static const struct hash_key key = {{1, 2}};
    hold_two_transactions();
    assert_read();
    struct source fresh, without;
    struct source_options options = table.source.options;
    source_init(&fresh, &ops, &options, &key);
    source_take_over(&fresh, &table.source);
    assert_ptr_equal(fresh.index, table.source.index);
    options.published_index = false;
    source_init(&without, &ops, &options, &key);
    source_take_over(&without, &table.source);
    assert_null(without.index);
    source_release(&fresh);
    source_release(&without);
    assert_true(lacks("three.dll"));
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void) {
    static const struct CMUnitTest tests[] = {
        WITH_TABLE(only_what_is_listed_is_not_lacked),
        WITH_TABLE(it_counts_for_its_time_only),
        WITH_TABLE(without_a_list_all_are_live),
        WITH_TABLE(the_casing_of_a_store_counts),
        WITH_TABLE(only_what_is_new_is_read),
        WITH_TABLE(unchanged_files_are_not_read),
        WITH_TABLE(the_newest_may_still_have_been_written),
        WITH_TABLE(what_has_just_changed_is_not_known_again),
        WITH_TABLE(deleted_transactions_are_forgotten),
        WITH_TABLE(a_list_that_shrinks_by_itself_was_read_too_early),
        WITH_TABLE(what_was_read_before_a_failure_is_kept),
        WITH_TABLE(a_bad_list_is_read_again),
        WITH_TABLE(what_is_no_index_is_refused),
        WITH_TABLE(an_index_that_lists_nothing_counts_for_nothing),
        WITH_TABLE(transactions_that_list_nothing_count_for_nothing),
        WITH_TABLE(there_may_be_too_many),
        WITH_TABLE(a_source_without_one_lacks_nothing),
        WITH_TABLE(a_reload_keeps_it),
    };
    return RUN_TESTS(tests);
}
