// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "source/source_directory.h"
#include "unit/base/scratch.h"

#define ID "0123456789ABCDEF0123456789ABCDEF1"

static const struct hash_key key = {{1, 2}};

static struct {
    char *scratch;
    char *root;
    char *state_directory;
    struct source *source;
    char path[LAYOUT_PATH_BYTES];
    struct cancel cancel;
    struct attempt_note note;
    struct source_call call;
    struct content content;
    struct source_local local;
    struct reader *reader;
    struct error err;
} it;

static void make_directory(const char *name) {
    CLEANUP(free_block) char *path = scratch_path(it.scratch, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_source(const char *root, bool follow_links) {
    source_free(it.source);
    struct source_options options = {.identifier = "local",
                                     .name = "Local",
                                     .remote = root,
                                     .enabled = true,
                                     .follow_links = follow_links,
                                     .state_directory = it.state_directory};
    it.source = source_directory_new(&options, &key, &it.err);
    assert_non_null(it.source);
}

static void question_for(const char *name, const char *id) {
    snprintf(it.path, sizeof it.path, "%s/%s/%s", name, id, name);
}

static int setup(void **state) {
    (void)state;
    memset(&it, 0, sizeof it);
    it.scratch = scratch_new();
    it.root = scratch_path(it.scratch, "root");
    it.state_directory = scratch_path(it.scratch, "state");
    it.local.fd = -1;
    cancel_init(&it.cancel);
    make_directory("root");
    make_directory("root/App.pdb");
    make_directory("root/App.pdb/" ID);
    scratch_write(it.scratch, "root/App.pdb/" ID "/App.pdb", "hello");
    scratch_write(it.scratch, "secret", "secret");
    question_for("App.pdb", ID);
    make_source(it.root, false);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    reader_close(it.reader);
    close_fd(&it.local.fd);
    source_free(it.source);
    cancel_release(&it.cancel);
    free(it.root);
    free(it.state_directory);
    scratch_free(it.scratch);
    return 0;
}

static enum source_answer ask_with(bool in_place, const struct resume *resume) {
    reader_close(it.reader);
    it.reader = NULL;
    close_fd(&it.local.fd);
    it.local.fd = -1;
    error_clear(&it.err);
    it.note = (struct attempt_note){0};
    it.call = (struct source_call){
        .path = it.path, .resume = resume, .cancel = &it.cancel, .note = &it.note};
    return it.source->ops->ask(it.source, NULL, &it.call, in_place, &it.content, &it.reader,
                               &it.local, &it.err);
}

static enum source_answer ask(void) {
    return ask_with(false, NULL);
}

static void assert_body(const char *expected) {
    char bytes[64];
    size_t used = 0;
    ssize_t got;
    while ((got = reader_read(it.reader, bytes + used, 2, &it.err)) > 0)
        used += (size_t)got;
    assert_int_equal(got, 0);
    assert_int_equal(used, strlen(expected));
    assert_memory_equal(bytes, expected, used);
}

static void assert_unmounted(void) {
    assert_int_equal(ask(), SOURCE_FAILED);
    assert_string_equal(error_kind_name(it.err.kind), error_kind_name(ERROR_UNMOUNTED));
}

static void set_time(const char *name, time_t when) {
    CLEANUP(free_block) char *path = scratch_path(it.scratch, name);
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void a_file_is_read(void **state) {
    (void)state;
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(it.content.size, 5);
    assert_int_equal(it.content.start, 0);
    assert_true(it.content.unsettled);
    assert_true(reader_ready(it.reader));
    assert_non_null(strstr(it.note.url, "/root/App.pdb/" ID "/App.pdb"));
    assert_body("hello");
    set_time("root/App.pdb/" ID "/App.pdb", 1000000000);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_false(it.content.unsettled);
    assert_int_equal(it.content.last_modified, 1000000000);
}

static void a_file_is_served_in_place(void **state) {
    (void)state;
    char bytes[8];
    set_time("root/App.pdb/" ID "/App.pdb", 1000000000);
    assert_int_equal(ask_with(true, NULL), SOURCE_LOCAL);
    assert_int_equal(it.local.size, 5);
    assert_true(it.local.settled);
    assert_true(it.local.modified_ns == INT64_C(1000000000) * 1000000000);
    assert_int_equal(read(it.local.fd, bytes, sizeof bytes), 5);
    set_time("root/App.pdb/" ID "/App.pdb", time(NULL));
    assert_int_equal(ask_with(true, NULL), SOURCE_LOCAL);
    assert_false(it.local.settled);
}

static void what_is_not_there_is_absent(void **state) {
    (void)state;
    question_for("App.pdb", "0");
    assert_int_equal(ask(), SOURCE_ABSENT);
    question_for("None.pdb", ID);
    assert_int_equal(ask(), SOURCE_ABSENT);
    /* A directory is no file. */
    make_directory("root/Dir.pdb");
    make_directory("root/Dir.pdb/" ID);
    make_directory("root/Dir.pdb/" ID "/Dir.pdb");
    question_for("Dir.pdb", ID);
    assert_int_equal(ask(), SOURCE_ABSENT);
}

static void a_pipe_holds_nobody_up(void **state) {
    (void)state;
    make_directory("root/Pipe.pdb");
    make_directory("root/Pipe.pdb/" ID);
    CLEANUP(free_block) char *path = scratch_path(it.root, "Pipe.pdb/" ID "/Pipe.pdb");
    assert_int_equal(mkfifo(path, 0600), 0);
    question_for("Pipe.pdb", ID);
    assert_int_equal(ask(), SOURCE_ABSENT);
}

static void case_does_not_matter_where_the_exact_name_is_missing(void **state) {
    (void)state;
    question_for("app.PDB", "0123456789abcdef0123456789abcdef1");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello");
    /* The exact spelling comes first. */
    make_directory("root/app.PDB");
    make_directory("root/app.PDB/0123456789abcdef0123456789abcdef1");
    scratch_write(it.scratch, "root/app.PDB/0123456789abcdef0123456789abcdef1/app.PDB", "exact");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("exact");
    /* Several spellings of a directory: each is looked into. */
    question_for("APP.pdb", ID);
    assert_int_equal(ask(), SOURCE_FOUND);
    make_directory("root/aPP.pdb");
    question_for("APp.pdb", "0123456789abcdef0123456789abcdef1");
    assert_int_equal(ask(), SOURCE_FOUND);
}

static void a_symbol_dropped_in_is_seen_at_once(void **state) {
    (void)state;
    question_for("new.pdb", ID);
    set_time("root", 1000000000);
    assert_int_equal(ask(), SOURCE_ABSENT);
    make_directory("root/New.pdb");
    make_directory("root/New.pdb/" ID);
    assert_int_equal(ask(), SOURCE_ABSENT);
    scratch_write(it.scratch, "root/New.pdb/" ID "/New.pdb", "new");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("new");
}

static void make_link(const char *to, const char *name) {
    CLEANUP(free_block) char *path = scratch_path(it.scratch, name);
    assert_int_equal(symlink(to, path), 0);
}

static void links_are_followed_only_where_allowed_and_below_the_root(void **state) {
    (void)state;
    make_directory("root/Link.pdb");
    make_directory("root/Link.pdb/" ID);
    make_link("../../App.pdb/" ID "/App.pdb", "root/Link.pdb/" ID "/Link.pdb");
    make_directory("root/Out.pdb");
    make_directory("root/Out.pdb/" ID);
    make_link("../../../secret", "root/Out.pdb/" ID "/Out.pdb");
    for (unsigned follow = 0; follow < 2; follow++) {
        make_source(it.root, follow);
        question_for("Link.pdb", ID);
        assert_int_equal(ask(), follow ? SOURCE_FOUND : SOURCE_ABSENT);
        question_for("Out.pdb", ID);
        assert_int_equal(ask(), SOURCE_ABSENT);
        question_for("out.pdb", ID);
        assert_int_equal(ask(), SOURCE_ABSENT);
    }
    /* Found without regard to case, a link may still lead across the store. */
    make_directory("root/Far.pdb");
    make_directory("root/Far.pdb/" ID);
    make_link("../../App.pdb/" ID "/App.pdb", "root/Far.pdb/" ID "/Far.pdb");
    question_for("FAR.pdb", ID);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello");
}

static void nothing_outside_the_root_is_opened(void **state) {
    (void)state;
    question_for("..", "..");
    assert_int_equal(ask(), SOURCE_ABSENT);
    question_for("secret", "../../");
    assert_int_equal(ask(), SOURCE_ABSENT);
    question_for("App.pdb/../../secret", ID);
    assert_int_equal(ask(), SOURCE_ABSENT);
}

static void a_missing_root_is_a_failure(void **state) {
    (void)state;
    CLEANUP(free_block) char *missing = scratch_path(it.scratch, "missing");
    make_source(missing, false);
    assert_unmounted();
    assert_true(it.err.hint[0]);
    CLEANUP(free_block) char *file = scratch_path(it.scratch, "secret");
    make_source(file, false);
    assert_unmounted();
}

static void an_unreadable_root_is_a_failure(void **state) {
    (void)state;
    assert_int_equal(chmod(it.root, 0), 0);
    /* Root may read everything; as nobody it may not. */
    if (geteuid() == 0)
        setfsuid(65534);
    assert_unmounted();
    setfsuid(geteuid());
    assert_int_equal(chmod(it.root, 0755), 0);
}

/* A root that is a link: it leads to a mount point first, then to a plain directory. */
static void a_mount_point_that_is_none_any_more_is_a_failure(void **state) {
    (void)state;
    CLEANUP(free_block) char *link = scratch_path(it.scratch, "link");
    assert_int_equal(symlink("/proc", link), 0);
    make_source(link, false);
    assert_int_equal(ask(), SOURCE_ABSENT);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(it.root, link), 0);
    assert_unmounted();
    make_source(link, false); /* as after a restart */
    assert_unmounted();
    assert_non_null(strstr(it.err.hint, "mount-"));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("/proc", link), 0);
    assert_int_equal(ask(), SOURCE_ABSENT);
    /* Another source does not care. */
    make_source(it.root, false);
    assert_int_equal(ask(), SOURCE_FOUND);
}

static void a_file_that_grows_while_it_is_read_is_told(void **state) {
    (void)state;
    char bytes[16];
    set_time("root/App.pdb/" ID "/App.pdb", 1000000000);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(reader_read(it.reader, bytes, 2, &it.err), 2);
    scratch_write(it.scratch, "root/App.pdb/" ID "/App.pdb", "hello world");
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), 3);
    assert_false(reader_ready(it.reader));
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), -1);
    assert_int_equal(it.err.kind, ERROR_CHANGED);
}

static void a_file_that_shrinks_while_it_is_read_is_told(void **state) {
    (void)state;
    char bytes[16];
    assert_int_equal(ask(), SOURCE_FOUND);
    scratch_write(it.scratch, "root/App.pdb/" ID "/App.pdb", "h");
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), 1);
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), -1);
    assert_int_equal(it.err.kind, ERROR_CHANGED);
}

static void a_reading_is_taken_up(void **state) {
    (void)state;
    set_time("root/App.pdb/" ID "/App.pdb", 1000000000);
    struct resume resume = {.offset = 2, .size = 5, .last_modified = 1000000000};
    assert_int_equal(ask_with(false, &resume), SOURCE_FOUND);
    assert_int_equal(it.content.start, 2);
    assert_body("llo");
    resume.last_modified++;
    assert_int_equal(ask_with(false, &resume), SOURCE_FOUND);
    assert_int_equal(it.content.start, 0);
    assert_body("hello");
}

static void a_cancel_ends_reading(void **state) {
    (void)state;
    char bytes[16];
    assert_int_equal(ask(), SOURCE_FOUND);
    cancel_raise(&it.cancel);
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), -1);
    assert_int_equal(it.err.kind, ERROR_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read),
        TEST(a_file_is_served_in_place),
        TEST(what_is_not_there_is_absent),
        TEST(a_pipe_holds_nobody_up),
        TEST(case_does_not_matter_where_the_exact_name_is_missing),
        TEST(a_symbol_dropped_in_is_seen_at_once),
        TEST(links_are_followed_only_where_allowed_and_below_the_root),
        TEST(nothing_outside_the_root_is_opened),
        TEST(a_missing_root_is_a_failure),
        TEST(an_unreadable_root_is_a_failure),
        TEST(a_mount_point_that_is_none_any_more_is_a_failure),
        TEST(a_file_that_grows_while_it_is_read_is_told),
        TEST(a_file_that_shrinks_while_it_is_read_is_told),
        TEST(a_reading_is_taken_up),
        TEST(a_cancel_ends_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
