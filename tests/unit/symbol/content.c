// SPDX-License-Identifier: MIT
#include "symbol/content.h"

#include <string.h>

#include "base/text.h"
#include "unit/base/check.h"

static enum content_look look(const char *text) {
    return content_look(text, strlen(text));
}

static void pages_are_seen(void **state) {
    (void)state;
    static const char *const pages[] = {
        "<!DOCTYPE html><html>",
        "<!doctype HTML>",
        "<html>",
        "<HTML lang=en>",
        " \r\n\t<html\n>",
        "\xef\xbb\xbf<html>",
        "\xef\xbb\xbf \n<Body>",
        "<!-- a comment -->\n<html>",
        "<!-- one --> <!-- two --><title>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC>",
        "<?xml version=\"1.0\"?><!-- x --><html>",
        "<script>",
        "<p>",
        "<br/>",
        "<a href=x>",
        "<meta charset=utf-8>",
        "<html",
    };
    for (size_t i = 0; i < LENGTH_OF(pages); i++)
        assert_int_equal(look(pages[i]), CONTENT_HTML);
}

static void text_is_seen(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Not found\n",
        "MODULE windows x86_64 94AD app.pdb\nFILE 0 a.c\n",
        "{\"error\": \"x\"}",
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        "<Error>",
        "<hello>",
        "<apple>",
        "a < b <html>",
        "<!-- never closed <html>",
        "caf\xc3\xa9\r\n\f\v\x1b[0m",
        "caf\xe9",
        "x",
        " ",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        assert_int_equal(look(texts[i]), CONTENT_TEXT);
}

static void binaries_are_seen(void **state) {
    (void)state;
    static const char pdb[] = "Microsoft C/C++ MSF 7.00\r\n\x1a"
                              "DS\0\0";
    static const char elf[] = "\x7f"
                              "ELF\x02";
    static const char cabinet[] = "MSCF\0\0";
    static const char nul_in_page[] = "\0<html>";
    assert_int_equal(content_look(pdb, sizeof pdb), CONTENT_BINARY);
    assert_int_equal(content_look(elf, sizeof elf - 1), CONTENT_BINARY);
    assert_int_equal(content_look(cabinet, sizeof cabinet), CONTENT_BINARY);
    assert_int_equal(content_look(nul_in_page, sizeof nul_in_page), CONTENT_BINARY);
    assert_int_equal(content_look("", 0), CONTENT_EMPTY);
    assert_int_equal(content_look(NULL, 0), CONTENT_EMPTY);
}

static void only_the_first_bytes_count(void **state) {
    (void)state;
    static char bytes[CONTENT_LOOK_BYTES + 1];
    memset(bytes, 'a', sizeof bytes);
    bytes[CONTENT_LOOK_BYTES] = '\0';
    assert_int_equal(content_look(bytes, sizeof bytes), CONTENT_TEXT);
    bytes[CONTENT_LOOK_BYTES - 1] = '\0';
    assert_int_equal(content_look(bytes, sizeof bytes), CONTENT_BINARY);
}

static struct symbol_key key_of(const char *name, const char *id) {
    struct spelling spelling = {0};
    struct symbol_key key;
    text_copy(spelling.name, sizeof spelling.name, name);
    text_copy(spelling.id, sizeof spelling.id, id);
    assert_true(symbol_key_make(&spelling, &key, NULL));
    return key;
}

static enum error_kind judge(const char *name, const char *id, const struct content *content,
                             const char *bytes, size_t length) {
    struct symbol_key key = key_of(name, id);
    struct error err = {0};
    bool good = content_acceptable(&key, content, bytes, length, &err);
    assert_int_equal(good, err.kind == ERROR_NONE);
    assert_int_equal(good, err.what[0] == '\0');
    return err.kind;
}

static enum error_kind judge_text(const char *name, const char *id, const char *text) {
    static const struct content plain = {.size = SIZE_UNKNOWN};
    return judge(name, id, &plain, text, strlen(text));
}

static void an_empty_body_is_never_the_symbol(void **state) {
    (void)state;
    assert_int_equal(judge_text("a.html", "1", ""), ERROR_EMPTY);
    assert_int_equal(judge_text("a.pdb", "1", ""), ERROR_EMPTY);
    assert_int_equal(judge_text("a.cs", "sha1-12", ""), ERROR_EMPTY);
}

static void pages_are_refused_but_where_asked_for(void **state) {
    (void)state;
    assert_int_equal(judge_text("a.pdb", "1", "<html>"), ERROR_HTML);
    assert_int_equal(judge_text("a.sym", "1", "<html>"), ERROR_HTML);
    assert_int_equal(judge_text("a.txt", "1", "<html>"), ERROR_HTML);
    assert_int_equal(judge_text("a.HTM", "1", "<html>"), ERROR_NONE);
    assert_int_equal(judge_text("a.html", "1", "<html>"), ERROR_NONE);
    assert_int_equal(judge_text("a.cs", "sha1-12", "<html>"), ERROR_NONE);
}

static void a_page_after_a_redirect_is_a_login_page(void **state) {
    (void)state;
    struct symbol_key key = key_of("a.pdb", "1");
    struct content content = {.redirected = true};
    struct error err = {0};
    assert_false(content_acceptable(&key, &content, "<html>", 6, &err));
    assert_non_null(strstr(err.what, "login page"));
    content.redirected = false;
    assert_false(content_acceptable(&key, &content, "<html>", 6, &err));
    assert_null(strstr(err.what, "login page"));
}

static void text_is_refused_for_binary_kinds(void **state) {
    (void)state;
    assert_int_equal(judge_text("a.pdb", "1", "nope"), ERROR_TEXT);
    assert_int_equal(judge_text("a.dll", "1", "nope"), ERROR_TEXT);
    assert_int_equal(judge_text("a", "elf-buildid-00", "nope"), ERROR_TEXT);
    assert_int_equal(judge_text("a", "mach-uuid-00", "nope"), ERROR_TEXT);
    assert_int_equal(judge_text("a.sym", "1", "MODULE"), ERROR_NONE);
    assert_int_equal(judge_text("a.txt", "1", "text"), ERROR_NONE);
    assert_int_equal(judge_text("a.dll", "sha1-12", "text"), ERROR_NONE);
}

static void bytes_count_more_than_announcements(void **state) {
    (void)state;
    const struct content html = {.announced_html = true, .announced_text = true};
    assert_int_equal(judge("a.pdb", "1", &html, "MZ\0", 3), ERROR_NONE);
    assert_int_equal(judge("a.txt", "1", &html, "no tag", 6), ERROR_HTML);
    assert_int_equal(judge("a.pdb", "1", &html, "no tag", 6), ERROR_HTML);
    assert_int_equal(judge("a.htm", "1", &html, "no tag", 6), ERROR_NONE);
}

static void a_file_settles_in_ten_seconds(void **state) {
    (void)state;
    const int64_t second_ns = 1000000000, now_ns = 1800000000 * second_ns;
    const int64_t day_ns = 24 * 3600 * second_ns;
    assert_true(content_settled(0, now_ns));
    assert_true(content_settled(now_ns - 10 * second_ns, now_ns));
    assert_false(content_settled(now_ns - 10 * second_ns + 1, now_ns));
    assert_false(content_settled(now_ns, now_ns));
    /* Clocks that differ, or a zone taken for another; nobody writes for longer than a day. */
    assert_false(content_settled(now_ns + day_ns, now_ns));
    assert_true(content_settled(now_ns + day_ns + 1, now_ns));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_seen),
        cmocka_unit_test(text_is_seen),
        cmocka_unit_test(binaries_are_seen),
        cmocka_unit_test(only_the_first_bytes_count),
        cmocka_unit_test(an_empty_body_is_never_the_symbol),
        cmocka_unit_test(pages_are_refused_but_where_asked_for),
        cmocka_unit_test(a_page_after_a_redirect_is_a_login_page),
        cmocka_unit_test(text_is_refused_for_binary_kinds),
        cmocka_unit_test(bytes_count_more_than_announcements),
        cmocka_unit_test(a_file_settles_in_ten_seconds),
    };
    return RUN_TESTS(tests);
}
