// SPDX-License-Identifier: MIT
// Sets of names: what is kept, what is only counted, and what is certainly not there.
#include "base/name_set.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { ROOM = 100000 };

static struct name_set *read_set(const char *folder, const struct name_choice *choice) {
    struct error err = {0};
    CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct name_set *set = name_set_read(fd, choice, &err);
    assert_non_null(set);
    return set;
}

static bool begins_with_a_capital(const char *name, const void *context) {
    (void)context;
    return name[0] >= 'A' && name[0] <= 'Z';
}

static void tells_what_is_certainly_not_there(void **state) {
    scratch_write(*state, "Kept.pdb", "");
    scratch_write(*state, "counted.pdb", "");
    scratch_write(*state, "other.PDB", "");
    struct name_choice choice = {
        .wanted = begins_with_a_capital, .bytes_max = ROOM, .count_others = true};
    CLEANUP(name_set_unref_at) struct name_set *set = read_set(*state, &choice);
    assert_int_equal(set->count, 1);
    assert_false(name_set_lacks(set, "kept.PDB"));
    assert_false(name_set_lacks(set, "counted.pdb"));
    assert_false(name_set_lacks(set, "Counted.pdb"));
    assert_false(name_set_lacks(set, "other.pdb"));
    assert_null(name_set_find(set, "counted.pdb", 0));
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "none%u.pdb", i);
        assert_true(name_set_lacks(set, name));
    }
}

static void lacks_everything_when_it_is_empty(void **state) {
    struct name_choice choice = {
        .wanted = begins_with_a_capital, .bytes_max = ROOM, .count_others = true};
    CLEANUP(name_set_unref_at) struct name_set *set = read_set(*state, &choice);
    assert_true(name_set_lacks(set, "any.pdb"));
}

/* Neither a set that counts no others nor one that had no room for all says that a name is not
 * there. */
static void is_not_sure_of_what_it_has_not_seen(void **state) {
    for (unsigned i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof name, "counted%u.pdb", i);
        scratch_write(*state, name, "");
    }
    struct name_choice uncounted = {.wanted = begins_with_a_capital, .bytes_max = ROOM};
    CLEANUP(name_set_unref_at) struct name_set *set = read_set(*state, &uncounted);
    assert_false(name_set_lacks(set, "none.pdb"));
    struct name_choice small = {
        .wanted = begins_with_a_capital, .bytes_max = 100, .count_others = true};
    CLEANUP(name_set_unref_at) struct name_set *part = read_set(*state, &small);
    assert_false(name_set_lacks(part, "none.pdb"));
    struct name_choice kept = {.bytes_max = 100, .count_others = true};
    CLEANUP(name_set_unref_at) struct name_set *cut = read_set(*state, &kept);
    assert_true(cut->cut);
    assert_false(name_set_lacks(cut, "none.pdb"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_is_certainly_not_there, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(lacks_everything_when_it_is_empty, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(is_not_sure_of_what_it_has_not_seen, scratch_setup,
                                        scratch_teardown),
    };
    return RUN_TESTS(tests);
}
