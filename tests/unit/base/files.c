// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit/base/check.h"
#include "unit/base/scratch.h"

static int root_of(void **state) {
    int fd = -1;
    struct error err = {0};
    assert_true(files_open_root(&fd, *state, false, &err));
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    return fd;
}

static void make_link(const char *folder, const char *name, const char *target) {
    CLEANUP(free_block) char *path = scratch_path(folder, name);
    assert_int_equal(symlink(target, path), 0);
}

static void opens_as(int root_fd, const char *path, unsigned flags, enum file_found expected) {
    CLEANUP(close_fd) int fd = -1;
    struct error err = {0};
    enum file_found found = files_open_beneath(root_fd, path, flags, &fd, &err);
    if (found != expected)
        fail_msg("\"%s\": %d, not %d (%s)", path, (int)found, (int)expected, err.what);
    assert_int_equal(fd >= 0, found == FILE_FOUND);
    assert_int_equal(err.kind, found == FILE_FAILED ? ERROR_DISK : ERROR_NONE);
}

static void finds_files_below_the_root(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    assert_int_equal(mkdirat(root, "a", 0755), 0);
    scratch_write(*state, "a/file", "text");
    opens_as(root, "a/file", 0, FILE_FOUND);
    opens_as(root, "a/nothing", 0, FILE_ABSENT);
    opens_as(root, "b/file", 0, FILE_ABSENT);
    opens_as(root, "a/file/x", 0, FILE_ABSENT);
    opens_as(root, "a/../a/file", 0, FILE_FOUND);
    opens_as(root, "", 0, FILE_ABSENT);
    char longer[300];
    memset(longer, 'n', sizeof longer);
    longer[299] = '\0';
    opens_as(root, longer, 0, FILE_ABSENT);
}

static void nothing_leads_out_of_the_root(void **state) {
    CLEANUP(close_fd) int above = root_of(state);
    assert_int_equal(mkdirat(above, "root", 0755), 0);
    scratch_write(*state, "secret", "text");
    make_link(*state, "root/relative", "../secret");
    make_link(*state, "root/absolute", "/etc/passwd");
    CLEANUP(close_fd) int root = openat(above, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned flags = 0; flags <= FILES_FOLLOW_LINKS; flags += FILES_FOLLOW_LINKS) {
        opens_as(root, "../secret", flags, FILE_ABSENT);
        opens_as(root, "..", flags, FILE_ABSENT);
        opens_as(root, "/etc/passwd", flags, FILE_ABSENT);
        opens_as(root, "relative", flags, FILE_ABSENT);
        opens_as(root, "absolute", flags, FILE_ABSENT);
    }
}

static void links_are_followed_only_when_asked(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    assert_int_equal(mkdirat(root, "a", 0755), 0);
    scratch_write(*state, "a/file", "text");
    make_link(*state, "to_file", "a/file");
    make_link(*state, "to_folder", "a");
    make_link(*state, "dangling", "nothing");
    make_link(*state, "loop", "loop");
    opens_as(root, "to_file", 0, FILE_ABSENT);
    opens_as(root, "to_folder/file", 0, FILE_ABSENT);
    opens_as(root, "to_file", FILES_FOLLOW_LINKS, FILE_FOUND);
    opens_as(root, "to_folder/file", FILES_FOLLOW_LINKS, FILE_FOUND);
    opens_as(root, "dangling", FILES_FOLLOW_LINKS, FILE_ABSENT);
    opens_as(root, "loop", 0, FILE_ABSENT);
    opens_as(root, "loop", FILES_FOLLOW_LINKS, FILE_FAILED);
}

static void only_regular_files_count(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    assert_int_equal(mkdirat(root, "folder", 0755), 0);
    assert_int_equal(mkfifoat(root, "fifo", 0644), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", (char *)*state);
    CLEANUP(close_fd) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    opens_as(root, "folder", 0, FILE_ABSENT);
    opens_as(root, "fifo", 0, FILE_ABSENT);
    opens_as(root, "socket", 0, FILE_ABSENT);
}

/* What the kernel has in its caches is up to the file system, but never may it be a failure. */
static void cached_opening_never_fails(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    scratch_write(*state, "file", "text");
    opens_as(root, "file", 0, FILE_FOUND);
    opens_as(root, "nothing", 0, FILE_ABSENT);
    int fd = -1;
    enum file_found found = files_open_beneath(root, "file", FILES_CACHED, &fd, NULL);
    assert_true(found == FILE_FOUND || found == FILE_COLD);
    assert_int_equal(fd >= 0, found == FILE_FOUND);
    close_fd(&fd);
    found = files_open_beneath(root, "nothing", FILES_CACHED, &fd, NULL);
    assert_true(found == FILE_ABSENT || found == FILE_COLD);
    found = files_open_beneath(root, "never/looked/up", FILES_CACHED, &fd, NULL);
    assert_true(found == FILE_ABSENT || found == FILE_COLD);
}

static void directories_are_opened_and_made(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    struct error err = {0};
    CLEANUP(close_fd) int made = -1;
    CLEANUP(close_fd) int again = -1;
    CLEANUP(close_fd) int opened = -1;
    assert_true(files_make_directories(root, "a/b//c/", &made, &err));
    assert_true(files_make_directories(root, "a/b/c", &again, &err));
    assert_int_equal(files_open_directory_beneath(root, "a/b/c", 0, &opened, &err), FILE_FOUND);
    struct stat one;
    struct stat two;
    assert_int_equal(fstat(made, &one), 0);
    assert_int_equal(fstat(opened, &two), 0);
    assert_true(one.st_ino == two.st_ino);
    scratch_write(*state, "file", "x");
    int fd = -1;
    assert_int_equal(files_open_directory_beneath(root, "file", 0, &fd, &err), FILE_ABSENT);
    assert_int_equal(files_open_directory_beneath(root, "nothing", 0, &fd, &err), FILE_ABSENT);
    assert_int_equal(err.kind, ERROR_NONE);
}

static void directories_are_not_made_outside(void **state) {
    CLEANUP(close_fd) int above = root_of(state);
    assert_int_equal(mkdirat(above, "root", 0755), 0);
    assert_int_equal(mkdirat(above, "root/x", 0755), 0);
    make_link(*state, "root/out", "..");
    scratch_write(*state, "root/file", "x");
    CLEANUP(close_fd) int root = openat(above, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static const char *const bad[] = {"../y", "x/../../y", "out/y", "file/y"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        int fd = -1;
        struct error err = {0};
        assert_false(files_make_directories(root, bad[i], &fd, &err));
        assert_int_equal(fd, -1);
        assert_int_equal(err.kind, ERROR_DISK);
    }
    assert_int_equal(faccessat(above, "y", F_OK, 0), -1);
}

static void roots_are_made_with_their_parents(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "p/q/r");
    struct error err = {0};
    CLEANUP(close_fd) int fd = -1;
    assert_false(files_open_root(&fd, path, false, &err));
    assert_int_equal(err.os, ENOENT);
    assert_non_null(strstr(err.what, "p/q/r\": No such file"));
    error_clear(&err);
    assert_true(files_open_root(&fd, path, true, &err));
    CLEANUP(close_fd) int again = -1;
    assert_true(files_open_root(&again, path, true, &err));
    scratch_write(*state, "file", "x");
    CLEANUP(free_block) char *below_file = scratch_path(*state, "file/x");
    assert_false(files_make_path(below_file, 0755, &err));
    assert_int_equal(err.kind, ERROR_SYSTEM);
    assert_int_equal(err.os, ENOTDIR);
}

static void writes_and_reads_at_offsets(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "file");
    CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct error err = {0};
    assert_true(files_write_at(fd, "world", 5, 6, &err));
    assert_true(files_write_at(fd, "hello ", 6, 0, &err));
    char bytes[32] = {0};
    assert_int_equal(files_read_at(fd, bytes, sizeof bytes, 0, &err), 11);
    assert_memory_equal(bytes, "hello world", 11);
    assert_int_equal(files_read_at(fd, bytes, 5, 6, &err), 5);
    assert_memory_equal(bytes, "world", 5);
    assert_int_equal(files_read_at(fd, bytes, 5, 100, &err), 0);
    CLEANUP(close_fd) int read_only = open(path, O_RDONLY | O_CLOEXEC);
    assert_false(files_write_at(read_only, "x", 1, 0, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_int_equal(err.os, EBADF);
    assert_int_equal(files_read_at(-1, bytes, 1, 0, &err), -1);
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    CLEANUP(close_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    struct error err = {0};
    assert_false(files_write_at(full, "x", 1, 0, &err));
    assert_int_equal(err.os, ENOSPC);
}

static void reads_whole_files_up_to_a_limit(void **state) {
    scratch_write(*state, "file", "12345");
    scratch_write(*state, "empty", "");
    CLEANUP(free_block) char *path = scratch_path(*state, "file");
    CLEANUP(free_block) char *empty = scratch_path(*state, "empty");
    CLEANUP(free_block) char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    assert_true(files_read_whole(path, 5, &text, &length, &err));
    assert_int_equal(length, 5);
    assert_string_equal(text, "12345");
    CLEANUP(free_block) char *nothing = NULL;
    assert_true(files_read_whole(empty, 0, &nothing, &length, &err));
    assert_int_equal(length, 0);
    assert_string_equal(nothing, "");
    char *untouched = NULL;
    assert_false(files_read_whole(path, 4, &untouched, &length, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_false(files_read_whole(*state, 4, &untouched, &length, &err));
    assert_int_equal(err.os, EISDIR);
    assert_null(untouched);
}

static void replaces_whole_and_leaves_nothing_beside(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    struct error err = {0};
    assert_true(files_replace(root, "file", "first", 5, 0600, &err));
    assert_true(files_replace(root, "file", "2nd", 3, 0600, &err));
    CLEANUP(free_block) char *text = scratch_read(*state, "file");
    assert_string_equal(text, "2nd");
    struct stat found;
    assert_int_equal(fstatat(root, "file", &found, 0), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    /* A folder cannot be replaced by a file; the temporary file goes away. */
    assert_int_equal(mkdirat(root, "folder", 0755), 0);
    assert_false(files_replace(root, "folder", "x", 1, 0600, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_int_equal(unlinkat(root, "file", 0), 0);
    assert_int_equal(unlinkat(root, "folder", AT_REMOVEDIR), 0);
    assert_int_equal(rmdir(*state), 0);
    assert_int_equal(mkdir(*state, 0755), 0);
}

static void space_is_told(void **state) {
    CLEANUP(close_fd) int root = root_of(state);
    uint64_t free_bytes = 0;
    uint64_t total = 0;
    struct error err = {0};
    assert_true(files_space(root, &free_bytes, &total, &err));
    assert_true(total > 0 && free_bytes <= total);
    assert_false(files_space(-1, &free_bytes, &total, &err));
    assert_int_equal(err.os, EBADF);
}

static void joins(const char *directory, const char *name, const char *expected) {
    char out[16];
    assert_true(files_join(out, sizeof out, directory, name));
    assert_string_equal(out, expected);
}

static void joins_with_one_slash(void **state) {
    (void)state;
    joins("a", "b", "a/b");
    joins("a//", "//b", "a/b");
    joins("/", "b", "/b");
    joins("", "b", "b");
    char out[4];
    assert_true(files_join(out, sizeof out, "a", "b"));
    assert_false(files_join(out, sizeof out, "ab", "c"));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        WITH_FOLDER(finds_files_below_the_root),
        WITH_FOLDER(nothing_leads_out_of_the_root),
        WITH_FOLDER(links_are_followed_only_when_asked),
        WITH_FOLDER(only_regular_files_count),
        WITH_FOLDER(cached_opening_never_fails),
        WITH_FOLDER(directories_are_opened_and_made),
        WITH_FOLDER(directories_are_not_made_outside),
        WITH_FOLDER(roots_are_made_with_their_parents),
        WITH_FOLDER(writes_and_reads_at_offsets),
        cmocka_unit_test(a_full_disk_is_told),
        WITH_FOLDER(reads_whole_files_up_to_a_limit),
        WITH_FOLDER(replaces_whole_and_leaves_nothing_beside),
        WITH_FOLDER(space_is_told),
        cmocka_unit_test(joins_with_one_slash),
    };
    return RUN_TESTS(tests);
}
