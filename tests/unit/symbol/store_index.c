// SPDX-License-Identifier: MIT
#include "symbol/store_index.h"

#include <string.h>

#include "base/line.h"
#include "unit/base/check.h"

#define ID "0123456789ABCDEF0123456789ABCDEF1"

static void where_its_files_lie(void **state) {
    (void)state;
    char path[STORE_INDEX_PATH_BYTES];
    store_index_path(26, path);
    assert_string_equal(path, "000Admin/0000000026");
    store_index_path(9999999999, path);
    assert_string_equal(path, "000Admin/9999999999");
}

static void the_last_transaction(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t number;
        bool good;
    } wanted[] = {
        {"0000000026", 26, true},
        {"0000000026\r\n", 26, true},
        {" 9999999999 ", 9999999999, true},
        {"0000000000", 0, true},
        {"000000002", 0, false},
        {"00000000026", 0, false},
        {"", 0, false},
        {"000000002x", 0, false},
        {"<html></html>", 0, false},
        {"0000000026 1", 0, false},
        {"-000000026", 0, false},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        uint64_t number = 0;
        assert_int_equal(store_index_last(wanted[i].text, strlen(wanted[i].text), &number),
                         wanted[i].good);
        assert_true(number == wanted[i].number);
    }
    uint64_t number;
    assert_false(store_index_last("00000\0000026", 11, &number));
}

static void lines_of_transactions(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum store_line says;
    } wanted[] = {
        {"0000000026,add,file,06/14/24,12:00:00,\"p, 1\",\"2\",\"\",", STORE_LINE_GOOD},
        {"0000000026,add,ptr,06/14/2024,12:00:00,\"p\",,,\r", STORE_LINE_GOOD},
        {"  0000000026,add,file,", STORE_LINE_GOOD},
        {"0000000027,del,0000000026", STORE_LINE_NONE},
        {"", STORE_LINE_NONE},
        {" \r", STORE_LINE_NONE},
        {"0000000026", STORE_LINE_BAD},
        {"0000000026,", STORE_LINE_BAD},
        {"0000000026,add", STORE_LINE_BAD},
        {"0000000026,add,file", STORE_LINE_BAD},
        {"0000000026,add,folder,", STORE_LINE_BAD},
        {"0000000026,move,file,", STORE_LINE_BAD},
        {"000000026,add,file,", STORE_LINE_BAD},
        {"00000000026,add,file,", STORE_LINE_BAD},
        {"<!DOCTYPE html>", STORE_LINE_BAD},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        uint64_t number = 0;
        assert_int_equal(store_index_transaction(wanted[i].line, strlen(wanted[i].line), &number),
                         wanted[i].says);
        assert_int_equal(number, wanted[i].says == STORE_LINE_GOOD ? 26 : 0);
    }
}

static void lines_of_files(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum store_line says;
    } wanted[] = {
        {"\"App.pdb\\" ID "\",\"\\\\build\\x\\App.pdb\"", STORE_LINE_GOOD},
        {"App.pdb\\" ID ",\\\\build\\x\\App.pdb\r", STORE_LINE_GOOD},
        {"\"app.pdb/" ID "\",", STORE_LINE_GOOD},
        {"  \"APP.PDB\\0123456789abcdef0123456789abcdef01\",\"c, d\"", STORE_LINE_GOOD},
        {"", STORE_LINE_NONE},
        /* Whoever wrote this may have meant another letter. */
        {"\"\xc3\xa4pp.pdb\\" ID "\",\"\"", STORE_LINE_NONE},
        {"\".hidden\\" ID "\",\"\"", STORE_LINE_NONE},
        {"\"a:b\\" ID "\",\"\"", STORE_LINE_NONE},
        /* Cut off, or with more than can be told apart. */
        {"\"App.pdb\\" ID, STORE_LINE_BAD},
        {"\"App.pdb\\" ID "\"", STORE_LINE_BAD},
        {"App.pdb\\" ID, STORE_LINE_BAD},
        {"App.pdb," ID, STORE_LINE_BAD},
        {"\"ap\\App.pdb\\" ID "\",\"\"", STORE_LINE_BAD},
        {"\"\\" ID "\",\"\"", STORE_LINE_BAD},
        {"\"App.pdb\\\",\"\"", STORE_LINE_BAD},
        {"\"App.pdb\",\"\"", STORE_LINE_BAD},
        {"\"App\x01.pdb\\" ID "\",\"\"", STORE_LINE_BAD},
        {"<a href=\"x\">,", STORE_LINE_BAD},
    };
    struct spelling spelling = {.name = "app.pdb", .id = ID};
    struct symbol_key expected;
    assert_true(symbol_key_make(&spelling, &expected, NULL));
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct symbol_key key;
        assert_int_equal(store_index_file(wanted[i].line, strlen(wanted[i].line), &key),
                         wanted[i].says);
        if (wanted[i].says == STORE_LINE_GOOD)
            assert_true(symbol_key_equal(&key, &expected));
    }
    struct symbol_key key;
    assert_int_equal(store_index_file("a\0b\\1,x", 7, &key), STORE_LINE_BAD);
}

static void what_it_may_be_asked_about(void **state) {
    (void)state;
    static const struct {
        struct spelling spelling;
        bool covered;
    } wanted[] = {
        {{.name = "app.pdb", .id = ID}, true},
        {{.name = "\xc3\xa4pp.pdb", .id = ID}, false},
        {{.name = "app.pdb", .id = "1\xc3\xa4"}, false},
        {{.name = "app.pdb", .id = ID, .part = PART_SYM}, false},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct symbol_key key;
        assert_true(symbol_key_make(&wanted[i].spelling, &key, NULL));
        assert_int_equal(store_index_covers(&key), wanted[i].covered);
    }
}

/* --- lines ---------------------------------------------------------------------------------- */

struct gathered {
    struct store_lines lines; /* first */
    struct line text;
    char block[4096];
    uint64_t refuse; /* the line with this number */
};

static bool gather(struct store_lines *lines, const char *line, size_t length) {
    struct gathered *gathered = (struct gathered *)(void *)lines;
    line_bytes(&gathered->text, line, length);
    line_text(&gathered->text, "|");
    return lines->number != gathered->refuse;
}

static void begin(struct gathered *gathered, uint64_t refuse) {
    *gathered = (struct gathered){.lines.take = gather, .refuse = refuse};
    line_begin(&gathered->text, gathered->block, sizeof gathered->block);
}

static void lines_are_cut_wherever_the_pieces_end(void **state) {
    (void)state;
    static const char text[] = "\xef\xbb\xbfone\r\n\ntwo\n\xef\xbb\xbfthree";
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        struct gathered gathered;
        begin(&gathered, 0);
        size_t length = strlen(text);
        for (size_t at = 0; at < length; at += piece)
            assert_true(store_lines_add(&gathered.lines, text + at,
                                        at + piece < length ? piece : length - at));
        assert_true(store_lines_end(&gathered.lines));
        assert_string_equal(gathered.block, "one\r||two|\xef\xbb\xbfthree|");
        assert_int_equal(gathered.lines.number, 4);
    }
}

static void long_lines_lose_their_ends(void **state) {
    (void)state;
    struct gathered gathered;
    begin(&gathered, 0);
    char text[2000];
    memset(text, 'x', sizeof text);
    assert_true(store_lines_add(&gathered.lines, text, sizeof text));
    assert_true(store_lines_add(&gathered.lines, "y\nz\n", 4));
    assert_true(store_lines_end(&gathered.lines));
    assert_int_equal(strlen(gathered.block), STORE_INDEX_LINE_BYTES + 1 + 2);
    assert_string_equal(gathered.block + STORE_INDEX_LINE_BYTES, "|z|");
}

static void whoever_takes_them_may_end_it(void **state) {
    (void)state;
    struct gathered gathered, at_end;
    begin(&gathered, 2);
    assert_false(store_lines_add(&gathered.lines, "a\nb\nc\n", 6));
    assert_string_equal(gathered.block, "a|b|");
    begin(&at_end, 1);
    assert_true(store_lines_add(&at_end.lines, "a", 1));
    assert_false(store_lines_end(&at_end.lines));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_its_files_lie),
        cmocka_unit_test(the_last_transaction),
        cmocka_unit_test(lines_of_transactions),
        cmocka_unit_test(lines_of_files),
        cmocka_unit_test(what_it_may_be_asked_about),
        cmocka_unit_test(lines_are_cut_wherever_the_pieces_end),
        cmocka_unit_test(long_lines_lose_their_ends),
        cmocka_unit_test(whoever_takes_them_may_end_it),
    };
    return RUN_TESTS(tests);
}
