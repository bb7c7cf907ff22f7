// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <string.h>

#include "unit/base/check.h"

static void copies_are_bounded(void **state) {
    (void)state;
    char out[4];
    assert_true(text_copy(out, sizeof out, "abc"));
    assert_string_equal(out, "abc");
    assert_false(text_copy(out, sizeof out, "abcd"));
    assert_string_equal(out, "abc");
    assert_true(text_copy_n(out, sizeof out, "xyz", 2));
    assert_string_equal(out, "xy");
    assert_true(text_copy(out, sizeof out, ""));
    assert_string_equal(out, "");
    assert_false(text_copy(out, 0, ""));
    assert_true(text_format(out, sizeof out, "%d", 123));
    assert_false(text_format(out, sizeof out, "%d", 1234));
    assert_string_equal(out, "123");
}

static void only_ascii_letters_are_folded(void **state) {
    (void)state;
    char text[] = "AZ@[\xC3\x84\x61z";
    text_fold(text);
    assert_string_equal(text, "az@[\xC3\x84\x61z");
    text_raise(text);
    assert_string_equal(text, "AZ@[\xC3\x84\x41Z");
    assert_true(text_same("Kernel32.PDB", "kERNEL32.pdb"));
    assert_false(text_same("a", "ab"));
    assert_false(text_same("ab", "a"));
    assert_false(text_same("@", "`"));
    assert_true(text_same("", ""));
}

static void beginnings_and_ends(void **state) {
    (void)state;
    assert_true(text_starts("http://x", "http"));
    assert_false(text_starts("HTTP://x", "http"));
    assert_false(text_starts("ht", "http"));
    assert_true(text_starts_folded("HTTP://x", "http"));
    assert_false(text_starts_folded("HT", "http"));
    assert_true(text_starts_folded("x", ""));
    assert_true(text_ends_folded("a.PDB", ".pdb"));
    assert_false(text_ends_folded("pdb", ".pdb"));
    assert_true(text_ends_folded("x", ""));
}

/* Every byte at every place of a text longer than the blocks that are looked at. */
static void plain_is_printing_ascii(void **state) {
    (void)state;
    char text[20];
    for (size_t length = 0; length <= sizeof text; length++) {
        memset(text, '~', sizeof text);
        memset(text, ' ', length / 2);
        assert_true(text_is_plain(text, length));
        for (size_t at = 0; at < length; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char kept = text[at];
                text[at] = (char)byte;
                assert_int_equal(text_is_plain(text, length), byte >= ' ' && byte < 0x7f);
                text[at] = kept;
            }
    }
}

static void hexadecimal(void **state) {
    (void)state;
    assert_true(text_is_hex("09afAF", 0));
    assert_true(text_is_hex("09afAF", 6));
    assert_false(text_is_hex("09afAF", 5));
    assert_false(text_is_hex("", 0));
    assert_false(text_is_hex("0g", 0));
    assert_false(text_is_hex("0 ", 1));
}

static void decodes(const char *text, const char *expected, bool expected_ok) {
    char out[64];
    memset(out, 'X', sizeof out);
    bool ok = !expected_ok;
    size_t length = text_decode_percent(out, text, strlen(text), &ok);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(out, expected, length);
    assert_int_equal(out[length], 'X');
    assert_int_equal(ok, expected_ok);
}

static void percent_coding_is_undone(void **state) {
    (void)state;
    decodes("a%2Fb%2fc", "a/b/c", true);
    decodes("%C3%A4+", "\xC3\xA4+", true);
    decodes("%", "%", false);
    decodes("%2", "%2", false);
    decodes("x%zz%41", "x%zzA", false);
    decodes("%4%41", "%4A", false);
    decodes("%%41", "%A", false);
    decodes("", "", true);
    /* Once, not twice; and a NUL is a byte like others. */
    decodes("%2541", "%41", true);
    char same[] = "%00%41";
    bool ok = false;
    assert_int_equal(text_decode_percent(same, same, 6, &ok), 2);
    assert_memory_equal(same, "\0A", 2);
    assert_true(ok);
    /* An escape that the length cuts is broken, whatever lies behind it. */
    assert_int_equal(text_decode_percent(same, "%41", 2, &ok), 2);
    assert_false(ok);
}

static void percent_coding_is_made(void **state) {
    (void)state;
    char out[32];
    assert_true(text_encode_percent(out, sizeof out, "a b/c~%\xC3", NULL));
    assert_string_equal(out, "a%20b%2Fc~%25%C3");
    assert_true(text_encode_percent(out, sizeof out, "a b/c+", "/+"));
    assert_string_equal(out, "a%20b/c+");
    assert_true(text_encode_percent(out, 4, "a", NULL));
    assert_true(text_encode_percent(out, 4, " ", NULL));
    assert_false(text_encode_percent(out, 4, "a ", NULL));
    assert_string_equal(out, "a");
    assert_false(text_encode_percent(out, 3, " ", NULL));
}

static void escapes_json(const char *text, const char *expected) {
    char out[128];
    text_escape_json(out, sizeof out, text, strlen(text));
    assert_string_equal(out, expected);
}

static void json_is_escaped(void **state) {
    (void)state;
    escapes_json("say \"a\\b\"", "say \\\"a\\\\b\\\"");
    escapes_json("\r\n\t\x1b\x7f", "\\u000d\\u000a\\u0009\\u001b\\u007f");
    escapes_json("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80",
                 "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
    escapes_json("\xC2\x9B", "\\u009b");
    escapes_json("a\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\xA9z", "a\\u202e\\u2066\xE2\x80\xA9z");
    char out[16];
    text_escape_json(out, sizeof out, "a\0b", 3);
    assert_string_equal(out, "a\\u0000b");
}

static void bytes_that_are_no_utf8_are_replaced(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xFF",
        "\xC0\xAF",
        "\xC3",
        "\xE0\x80\xAF",
        "\xED\xA0\x80",
        "\xE2\x82",
        "\xF5",
        "\xF4\x90\x80\x80",
        "\xF0\x80\x80\xAF",
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        char out[64];
        text_escape_json(out, sizeof out, bad[i], strlen(bad[i]));
        assert_int_equal(strlen(out), 3 * strlen(bad[i]));
        assert_memory_equal(out, "\xEF\xBF\xBD", 3);
    }
    /* The good byte behind a broken character is not swallowed. */
    escapes_json("\xE2\x82\"", "\xEF\xBF\xBD\xEF\xBF\xBD\\\"");
}

static void escapes_are_cut_between_characters(void **state) {
    (void)state;
    char out[8];
    text_escape_json(out, 4, "ab\"c", 4);
    assert_string_equal(out, "ab");
    text_escape_json(out, 4, "ab\xC3\xA4", 4);
    assert_string_equal(out, "ab");
    text_escape_json(out, 1, "a", 1);
    assert_string_equal(out, "");
    text_escape_html(out, 7, "ab&c");
    assert_string_equal(out, "ab");
    memset(out, 'X', sizeof out);
    text_escape_json(out, 0, "a", 1);
    assert_int_equal(out[0], 'X');
}

static void html_is_escaped(void **state) {
    (void)state;
    char out[128];
    text_escape_html(out, sizeof out, "<a href=\"x\">'&'\xC3\xA4\n\xFF");
    assert_string_equal(out,
                        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\xC3\xA4\\u000a\xEF\xBF\xBD");
}

static void terminals_are_spared(void **state) {
    (void)state;
    char out[64];
    text_escape_terminal(out, sizeof out,
                         "say \"a\\b\"\n\t\x1b[1m\xC2\x9B\xE2\x80\xAE\xC3\xA4\xFF");
    assert_string_equal(out, "say \"a\\b\"\n\t\\u001b[1m\\u009b\\u202e\xC3\xA4\xEF\xBF\xBD");
}

static void arguments_are_quoted(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"app.pdb/94AD1", "app.pdb/94AD1"},
        {"a b", "'a b'"},
        {"$(x)", "'$(x)'"},
        {"it's", "'it'\\''s'"},
        {"-h/1", "-- '-h/1'"},
        {"", "''"},
        {"~x", "'~x'"},
    };
    char out[64];
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        assert_true(text_quote_shell(out, sizeof out, cases[i][0]));
        assert_string_equal(out, cases[i][1]);
    }
    assert_false(text_quote_shell(out, 6, "a bcd"));
    assert_true(text_quote_shell(out, 6, "a b"));
}

static void urls_are_masked(void **state) {
    (void)state;
    static const struct {
        const char *url;
        const char *masked;
    } cases[] = {
        {"https://host/a/b.pdb", "https://host/a/b.pdb"},
        {"https://user:secret@host:81/a", "https://***@host:81/a"},
        {"https://secret@host", "https://***@host"},
        {"https://a@b:c@host/x", "https://***@host/x"},
        {"https://host/a?sig=secret", "https://host/a?***"},
        {"https://host?secret", "https://host?***"},
        {"https://u:s@host/a?b#c", "https://***@host/a?***"},
        {"https://host/a#frag?secret", "https://host/a#frag?***"},
        {"https://host/@scope/a@b", "https://host/@scope/a@b"},
        {"svn+ssh://u@host/", "svn+ssh://***@host/"},
        {"/srv/sym@bols?x", "/srv/sym@bols?x"},
        {"\\\\server\\share", "\\\\server\\share"},
        {"\\\\u:p@server\\share", "\\\\***@server\\share"},
        {"//u:p@server/share/x@y?z", "//***@server/share/x@y?***"},
        {"\\\\?\\UNC\\server\\share", "\\\\?\\UNC\\server\\share"},
        {"//?/UNC/u:p@server/share", "//?/UNC/***@server/share"},
        {"\\\\?\\C:\\x", "\\\\?\\C:\\x"},
        {"https://[::1]:80/a", "https://[::1]:80/a"},
        {"https://u:p;w*d@host/a;b", "https://***@host/a;b"},
        {"https://user:cut", "https://***"},
        {"://u@x", "://u@x"},
        {"", ""},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char out[128];
        text_mask_url(out, sizeof out, cases[i].url);
        assert_string_equal(out, cases[i].masked);
    }
    char small[14];
    text_mask_url(small, sizeof small, "https://u:p@host/path");
    assert_string_equal(small, "https://***@h");
}

static void secrets_in_running_text_are_masked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *masked;
        bool cut;
    } cases[] = {
        {"see https://u:p@h/a?b=c, or not?", "see https://***@h/a?*** or not?", false},
        {"see https://h/a?b=c or not?", "see https://h/a?*** or not?", false},
        {"srv*c:\\x*http://u:p;q@h/x;srv*//v:w@s/t", "srv*c:\\x*http://***@h/x;srv*//***@s/t",
         false},
        {"\"https:\\/\\/u:p@h\\/x\"", "\"https:\\/\\/***@h\\/x\"", false},
        {"a//b:c@d", "a//b:c@d", false},
        {"to //?/UNC/u:p@s/t or", "to //?/UNC/***@s/t or", false},
        {"http://h/ http://us", "http://h/ http://***", true},
        {"http://h/ http://us", "http://h/ http://us", false},
        {"<?xml?>", "<?xml?>", false},
        {"", "", true},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char out[128];
        const char *text = cases[i].text;
        size_t length = text_mask_secrets(out, sizeof out, text, strlen(text), cases[i].cut);
        assert_string_equal(out, cases[i].masked);
        assert_int_equal(length, strlen(out));
    }
    char small[10];
    assert_int_equal(text_mask_secrets(small, sizeof small, "http://h/x", 10, false), 9);
    assert_string_equal(small, "http://h/");
}

static void a_kept_secret_is_masked_everywhere(void **state) {
    (void)state;
    char out[64];
    text_keep_secret("short");
    text_keep_secret("a-token-of-a-feed");
    text_mask_url(out, sizeof out, "https://h/auth/a-token-of-a-feed/short");
    assert_string_equal(out, "https://h/auth/***/short");
    const char text[] = "it is a-token-of-a-feed.";
    text_mask_secrets(out, sizeof out, text, strlen(text), false);
    assert_string_equal(out, "it is ***.");
}

static void distances(void **state) {
    (void)state;
    assert_int_equal(text_distance("retryTimout", "retryTimeout"), 1);
    assert_int_equal(text_distance("abcd", "acbd"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("same", "same"), 0);
    char longest[66];
    memset(longest, 'a', sizeof longest);
    longest[64] = '\0';
    assert_int_equal(text_distance(longest, longest), 0);
    longest[64] = 'a';
    longest[65] = '\0';
    assert_true(text_distance(longest, "a") == SIZE_MAX);
    assert_true(text_distance("a", longest) == SIZE_MAX);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_bounded),
        cmocka_unit_test(only_ascii_letters_are_folded),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(plain_is_printing_ascii),
        cmocka_unit_test(hexadecimal),
        cmocka_unit_test(percent_coding_is_undone),
        cmocka_unit_test(percent_coding_is_made),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(escapes_are_cut_between_characters),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(terminals_are_spared),
        cmocka_unit_test(arguments_are_quoted),
        cmocka_unit_test(urls_are_masked),
        cmocka_unit_test(secrets_in_running_text_are_masked),
        cmocka_unit_test(a_kept_secret_is_masked_everywhere),
        cmocka_unit_test(distances),
    };
    return RUN_TESTS(tests);
}
