// SPDX-License-Identifier: MIT
#include "proxy/dialect.h"

#include "unit/base/check.h"

static void test_recognise(void **state) {
    (void)state;
    assert_int_equal(dialect_recognise(""), DIALECT_DOTNET);
    assert_int_equal(dialect_recognise("Microsoft-Symbol-Server/10.0.10036.206"), DIALECT_SYMSRV);
    assert_int_equal(dialect_recognise("microsoft-symbol-server/6.3"), DIALECT_SYMSRV);
    assert_int_equal(dialect_recognise("elfutils/0.188,Linux/x86_64,debian/12"), DIALECT_ELFUTILS);
    assert_int_equal(dialect_recognise("Ghidra_HttpSymbolServer_client"), DIALECT_GHIDRA);
    assert_int_equal(dialect_recognise("symbolicator/24.1"), DIALECT_SYMBOLICATOR);
    assert_int_equal(dialect_recognise("Mozilla/5.0 (X11)"), DIALECT_BROWSER);
    assert_int_equal(dialect_recognise("curl/7.88.1"), DIALECT_OTHER);
    assert_string_equal(dialect_name(DIALECT_SYMSRV), "symsrv");
}

static void test_every_dialect_has_a_name(void **state) {
    (void)state;
    for (int dialect = 0; dialect < DIALECT_COUNT; dialect++)
        assert_non_null(dialect_name((enum dialect)dialect));
}

static void test_limit(void **state) {
    (void)state;
    static const struct {
        const char *announced;
        int64_t limit_ms;
    } rows[] = {
        {"", 7000},
        {"30000", 27000},
        {"0x7530", 27000},
        {"0X7530", 27000},
        {"2000", 1500}, /* 10 % would be less than half a second */
        {"5000", 4500},
        {"400", 1},
        {"0", 7000},
        {"soon", 7000},
        {"-5", 7000},
        {"0x", 7000},
        {"4294967295", 3600000 / 10 * 9},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_int_equal(dialect_limit_ms(rows[i].announced, 7000), rows[i].limit_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recognise),
        cmocka_unit_test(test_every_dialect_has_a_name),
        cmocka_unit_test(test_limit),
    };
    return RUN_TESTS(tests);
}
