// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "unit/base/check.h"

enum { BLOCKS = 5000, BYTES_MAX = 300 };

static void blocks_are_zeroed_aligned_and_apart(void **state) {
    (void)state;
    struct arena arena = {0};
    static unsigned char *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t bytes = 1 + i % BYTES_MAX;
        blocks[i] = arena_take(&arena, bytes);
        assert_int_equal((uintptr_t)blocks[i] % 8, 0);
        for (size_t n = 0; n < bytes; n++)
            assert_int_equal(blocks[i][n], 0);
        memset(blocks[i], (int)(i % 255 + 1), bytes);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        for (size_t n = 0; n < 1 + i % BYTES_MAX; n++)
            assert_int_equal(blocks[i][n], i % 255 + 1);
    arena_release(&arena);
    assert_null(arena.pages);
}

static void what_is_large_has_pages_of_its_own(void **state) {
    (void)state;
    struct arena arena = {0};
    char *small = arena_take(&arena, 10);
    char *large = arena_take(&arena, 1 << 20);
    char *after = arena_take(&arena, 10);
    memset(large, 'x', 1 << 20);
    assert_int_equal(small[0] + after[0], 0);
    arena_release(&arena);
    /* It can be used again. */
    assert_non_null(arena_take(&arena, 1));
    arena_release(&arena);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(what_is_large_has_pages_of_its_own),
    };
    return RUN_TESTS(tests);
}
