// SPDX-License-Identifier: MIT
//
// The main side of a share, against a helper that needs no server and misbehaves on demand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "smb/protocol.h"
#include "source/source_smb.h"
#include "unit/base/scratch.h"
#include "unit/source/smb_fake.h"

#define FOUND_PATH "App.pdb/ABC1/App.pdb"

static const struct hash_key key = {{1, 2}};

static struct {
    char *scratch;
    char fake[4096];
    struct source *source;
    void *worker;
    struct cancel cancel;
    struct attempt_note note;
    struct source_call call;
    struct content content;
    struct reader *reader;
    struct error err;
} it;

/* Beside this program's folder. */
static void find_fake(void) {
    char own[2048];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    assert_true(length > 0);
    own[length] = '\0';
    *strrchr(own, '/') = '\0';
    snprintf(it.fake, sizeof it.fake, "%s/source/smb_fake", own);
    assert_int_equal(access(it.fake, X_OK), 0);
}

static struct source_options options_for(const char *remote) {
    return (struct source_options){.identifier = "share",
                                   .name = "Share",
                                   .remote = remote,
                                   .enabled = true,
                                   .stall_ms = 200,
                                   .state_directory = it.scratch};
}

static struct source *make(const char *remote, struct smb_credentials credentials) {
    struct source_options options = options_for(remote);
    credentials.helper = it.fake;
    struct source *source = source_smb_new(&options, &credentials, &key, &it.err);
    if (!source)
        fail_msg("%s", it.err.what);
    return source;
}

static void end_source(void) {
    reader_close(TAKE(it.reader));
    if (it.source)
        it.source->ops->worker_free(it.worker);
    source_free(TAKE(it.source));
}

/* A share that behaves as its name says. */
static void use(const char *share) {
    char remote[256];
    end_source();
    snprintf(remote, sizeof remote, "//fake/%s%s/told", share, it.scratch);
    it.source =
        make(remote, (struct smb_credentials){.user = "HOUSE\\alice", .password = "s3cret"});
    it.worker = it.source->ops->worker_new();
}

static enum source_answer ask_path(const char *path, const struct resume *resume) {
    reader_close(TAKE(it.reader));
    error_clear(&it.err);
    it.call = (struct source_call){
        .path = path, .cancel = &it.cancel, .note = &it.note, .resume = resume};
    struct source_local local;
    return it.source->ops->ask(it.source, it.worker, &it.call, true, &it.content, &it.reader,
                               &local, &it.err);
}

static enum source_answer ask(void) {
    return ask_path(FOUND_PATH, NULL);
}

/* Reads to the end; 0, or -1 for a break. What comes is right. */
static ssize_t read_on(uint64_t *at, uint64_t up_to) {
    static unsigned char bytes[100 * 1000];
    while (*at < up_to) {
        ssize_t got = reader_read(it.reader, bytes, sizeof bytes, &it.err);
        if (got <= 0)
            return got;
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(bytes[i], smb_fake_byte(*at + (uint64_t)i));
        *at += (uint64_t)got;
    }
    return 1;
}

static void assert_whole_from(uint64_t at) {
    assert_int_equal(read_on(&at, UINT64_MAX), 0);
    assert_int_equal(at, SMB_FAKE_SIZE);
}

static void assert_broken(enum error_kind kind) {
    uint64_t at = 0;
    assert_int_equal(read_on(&at, UINT64_MAX), -1);
    assert_int_equal(it.err.kind, kind);
    assert_true(at <= SMB_FAKE_SIZE);
    /* And it stays broken. */
    assert_int_equal(read_on(&at, UINT64_MAX), -1);
}

/* How many helpers were started: each writes a line. */
static unsigned started(void) {
    CLEANUP(free_block) char *told = scratch_read(it.scratch, "told");
    unsigned lines = 0;
    for (const char *at = told; at && (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

static int setup(void **state) {
    (void)state;
    memset(&it, 0, sizeof it);
    it.scratch = scratch_new();
    cancel_init(&it.cancel);
    find_fake();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    end_source();
    cancel_release(&it.cancel);
    scratch_free(it.scratch);
    /* No process is left, not even a dead one. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return 0;
}

static void test_found_and_read(void **state) {
    (void)state;
    use("good");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_true(it.content.size == SMB_FAKE_SIZE);
        assert_int_equal(it.content.last_modified, 1700000000);
        assert_int_equal(it.content.start, 0);
        assert_false(it.content.unsettled);
        assert_whole_from(0);
    }
    assert_int_equal(started(), 1);
    assert_non_null(strstr(it.note.url, "//fake/good/"));
    assert_non_null(strstr(it.note.url, FOUND_PATH));
}

static void test_absent(void **state) {
    (void)state;
    use("good");
    assert_int_equal(ask_path("absent/1/absent", NULL), SOURCE_ABSENT);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_whole_from(0);
}

static void test_what_the_helper_is_told(void **state) {
    (void)state;
    use("good");
    assert_int_equal(ask_path("absent/1/absent", NULL), SOURCE_ABSENT);
    /* Another one is told what the first has found out about the server. */
    it.call.fresh_connection = true;
    assert_int_equal(it.source->ops->ask(it.source, it.worker, &it.call, true, &it.content,
                                         &it.reader, NULL, &it.err),
                     SOURCE_ABSENT);
    CLEANUP(free_block) char *told = scratch_read(it.scratch, "told");
    assert_string_equal(told, "fake|alice|HOUSE|s3cret||0\nfake|alice|HOUSE|s3cret||2\n");
}

static void test_a_resume_goes_on(void **state) {
    (void)state;
    use("good");
    struct resume resume = {.offset = 1000001, .size = SMB_FAKE_SIZE, .last_modified = 1700000000};
    assert_int_equal(ask_path(FOUND_PATH, &resume), SOURCE_FOUND);
    assert_int_equal(it.content.start, 1000001);
    assert_whole_from(1000001);
    resume.last_modified++;
    assert_int_equal(ask_path(FOUND_PATH, &resume), SOURCE_FOUND);
    assert_int_equal(it.content.start, 0);
    assert_whole_from(0);
}

static void test_failures_to_ask(void **state) {
    (void)state;
    static const struct {
        const char *share;
        enum error_kind kind;
    } cases[] = {
        {"refuses", ERROR_CONNECT}, {"wrong", ERROR_CONFIG},    {"garbage", ERROR_CONFIG},
        {"dies-open", ERROR_RESET}, {"fails-open", ERROR_DISK},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        use(cases[i].share);
        for (unsigned n = 0; n < 2; n++) {
            assert_int_equal(ask(), SOURCE_FAILED);
            assert_int_equal(it.err.kind, cases[i].kind);
        }
    }
}

static void test_silence_fails(void **state) {
    (void)state;
    static const char *const shares[] = {"silent-connect", "silent-open"};
    for (unsigned i = 0; i < 2; i++) {
        use(shares[i]);
        it.source->options.first_byte_ms = 50;
        assert_int_equal(ask(), SOURCE_FAILED);
        assert_int_equal(it.err.kind, ERROR_TIMEOUT);
    }
}

/* Died while it had nothing to do: nobody need notice. */
static void test_a_helper_that_died_is_replaced(void **state) {
    (void)state;
    use("dies-second-open");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_whole_from(0);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_whole_from(0);
    assert_int_equal(started(), 2);
}

static void test_breaks_in_a_body(void **state) {
    (void)state;
    static const struct {
        const char *share;
        enum error_kind kind;
    } cases[] = {
        {"dies-read", ERROR_RESET}, {"silent-read", ERROR_STALLED}, {"fails-read", ERROR_RESET},
        {"cuts", ERROR_CHANGED},    {"long", ERROR_LENGTH},         {"changes", ERROR_CHANGED},
        {"grows", ERROR_CHANGED},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        use(cases[i].share);
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_broken(cases[i].kind);
        /* The next question has a helper again. */
        assert_int_equal(ask(), SOURCE_FOUND);
    }
}

static void test_a_body_that_nobody_wants(void **state) {
    (void)state;
    use("good");
    for (unsigned n = 0; n < 5; n++) {
        uint64_t at = 0;
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_int_equal(read_on(&at, n * 150000), 1);
    }
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_whole_from(0);
    assert_int_equal(started(), 1);
}

static void test_closing_does_not_wait_for_a_silent_helper(void **state) {
    (void)state;
    uint64_t at = 0;
    use("silent-read");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(read_on(&at, 1), 1);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(started(), 2);
}

static void *raise_soon(void *nothing) {
    cancel_raise(&it.cancel);
    return nothing;
}

static void test_cancel_ends_the_wait(void **state) {
    (void)state;
    static const char *const shares[] = {"silent-connect", "silent-open"};
    for (unsigned i = 0; i < 2; i++) {
        pthread_t thread;
        use(shares[i]);
        assert_true(thread_start(&thread, "raise", raise_soon, NULL, NULL));
        assert_int_equal(ask(), SOURCE_FAILED); /* or the test would take a minute */
        pthread_join(thread, NULL);
        assert_int_equal(it.err.kind, ERROR_CANCELLED);
    }
}

static void test_cancel_ends_a_body(void **state) {
    (void)state;
    use("good");
    assert_int_equal(ask(), SOURCE_FOUND);
    cancel_raise(&it.cancel);
    assert_broken(ERROR_CANCELLED);
}

static void test_credentials_make_another_source(void **state) {
    (void)state;
    struct smb_credentials who = {.user = "alice", .password = "one"};
    struct source *sources[] = {
        make("//fake/good", who),
        make("//fake/good", (struct smb_credentials){.user = "alice", .password = "two"}),
        make("//fake/good", (struct smb_credentials){0}),
        make("//fake/good", (struct smb_credentials){.keytab = "/k"}),
        make("//fake/good", (struct smb_credentials){.user = "alice", .domain = "one"}),
    };
    struct source *same = make("//fake/good", who);
    assert_true(same->fingerprint == sources[0]->fingerprint);
    source_free(same);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < i; k++)
            assert_false(sources[i]->fingerprint == sources[k]->fingerprint);
    for (unsigned i = 0; i < 5; i++)
        source_free(sources[i]);
}

static void test_what_makes_no_source(void **state) {
    (void)state;
    struct source_options options = options_for("//fake");
    struct smb_credentials credentials = {.helper = it.fake};
    assert_null(source_smb_new(&options, &credentials, &key, &it.err));
    assert_int_equal(it.err.kind, ERROR_CONFIG);
    char password[SMB_WORD_BYTES + 1];
    memset(password, 'x', sizeof password);
    password[SMB_WORD_BYTES] = '\0';
    options.remote = "//fake/good";
    credentials.password = password;
    assert_null(source_smb_new(&options, &credentials, &key, &it.err));
    assert_null(strstr(it.err.what, "xxx"));
    credentials = (struct smb_credentials){.keytab = "/k", .helper = it.fake};
    options.state_directory = NULL;
    assert_null(source_smb_new(&options, &credentials, &key, &it.err));
}

static void test_a_helper_that_is_not_there(void **state) {
    (void)state;
    memcpy(it.fake + strlen(it.fake), "-not-there", sizeof "-not-there");
    use("good");
    assert_int_equal(ask(), SOURCE_FAILED);
    assert_int_equal(it.err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(it.err.what, "smb_fake-not-there"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_found_and_read),
        TEST(test_absent),
        TEST(test_what_the_helper_is_told),
        TEST(test_a_resume_goes_on),
        TEST(test_failures_to_ask),
        TEST(test_silence_fails),
        TEST(test_a_helper_that_died_is_replaced),
        TEST(test_breaks_in_a_body),
        TEST(test_a_body_that_nobody_wants),
        TEST(test_closing_does_not_wait_for_a_silent_helper),
        TEST(test_cancel_ends_the_wait),
        TEST(test_cancel_ends_a_body),
        TEST(test_credentials_make_another_source),
        TEST(test_what_makes_no_source),
        TEST(test_a_helper_that_is_not_there),
    };
    return cmocka_run_group_tests_name("source/source_smb", tests, NULL, NULL);
}
