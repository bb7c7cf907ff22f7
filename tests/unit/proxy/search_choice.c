// SPDX-License-Identifier: MIT
//
// Which of several portable PDBs with one id a client gets that says which check sum its own has.
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/identity.h"
#include "proxy/choice.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"
#include "unit/proxy/scene.h"

enum { ID = 64, SMALL = 5000, LARGER = 300 * 1000, TOO_LARGE = CHOICE_BYTES_MAX + 1 };

struct build {
    unsigned char *bytes;
    size_t length;
    char sum[80]; /* "SHA256:…" */
};

static void put(unsigned char *at, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static void sum_up(struct build *build) {
    unsigned char digest[EVP_MAX_MD_SIZE], id[PORTABLE_ID_BYTES];
    memcpy(id, build->bytes + ID, sizeof id);
    memset(build->bytes + ID, 0, sizeof id);
    assert_int_equal(EVP_Digest(build->bytes, build->length, digest, NULL, EVP_sha256(), NULL), 1);
    memcpy(build->bytes + ID, id, sizeof id);
    text_copy(build->sum, sizeof build->sum, "SHA256:");
    for (unsigned i = 0; i < 32; i++)
        text_format(build->sum + 7 + 2 * i, 3, "%02x", (unsigned)digest[i]);
}

/* A portable PDB with the id of stage_question's files, or another one; `number` tells it from
   others. */
static struct build build_new(size_t length, unsigned char number, bool same_id) {
    static const unsigned char guid[] = {0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
                                         0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    struct build build = {.bytes = calloc(1, length), .length = length};
    memcpy(build.bytes, "BSJB\1\0\1\0", 8);
    put(build.bytes + 12, 12);
    memcpy(build.bytes + 16, "PDB v1.0", 8);
    build.bytes[30] = 1;
    put(build.bytes + 32, ID);
    put(build.bytes + 36, (uint32_t)length - ID);
    memcpy(build.bytes + 40, "#Pdb", 4);
    memcpy(build.bytes + ID, guid, sizeof guid);
    build.bytes[ID] ^= (unsigned char)!same_id;
    memset(build.bytes + ID + 16, number, length - ID - 16);
    sum_up(&build);
    return build;
}

static void build_free(struct build *build) {
    free(build->bytes);
}

#define BUILD CLEANUP(build_free) struct build

static struct scene gives(const struct build *build) {
    return (struct scene){.play = PLAY_BODY,
                          .body = (const char *)build->bytes,
                          .length = build->length,
                          .announces = true};
}

static struct scene gives_unannounced(const struct build *build) {
    struct scene scene = gives(build);
    scene.announces = false;
    return scene;
}

static struct answer ask_with(struct stage *stage, const char *sums) {
    struct question question = stage_question("app.pdb", 1);
    struct answer answer;
    question_add_checksums(&question, sums, strlen(sums));
    symbols_ask(stage->symbols, stage->roster, &question, &answer);
    return answer;
}

/* The answer must be this build, and the sources have been asked so often. */
static void assert_build(struct stage *stage, struct answer *answer, const struct build *build,
                         const struct pair *pair, unsigned first, unsigned second) {
    stage_assert_body(answer->copy, build->bytes, build->length);
    assert_int_equal(double_asked(pair->first), first);
    assert_int_equal(double_asked(pair->second), second);
    leave(stage, answer);
}

static void assert_chosen(struct stage *stage, size_t length,
                          struct scene (*way)(const struct build *)) {
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD other = build_new(length, 1, true);
    BUILD wanted = build_new(length, 2, true);
    double_play(pair.first, way(&other));
    double_play(pair.second, way(&wanted));
    struct answer answer = ask_with(stage, wanted.sum);
    stage_wait_end(answer.copy);
    struct attempt_note note = stage_note(answer.copy, "first");
    assert_int_equal(note.result, ATTEMPT_LOST);
    assert_non_null(strstr(note.what, "another build"));
    assert_int_equal(counted(&counters(stage)->replaced), 0);
    assert_build(stage, &answer, &wanted, &pair, 1, 1);
}

static void test_the_one_with_the_sum_is_preferred(void **state) {
    assert_chosen(*state, SMALL, gives);
}

static void test_larger_ones_are_held_back_too(void **state) {
    assert_chosen(*state, LARGER, gives);
}

static void test_ones_of_unknown_length_are_held_back_too(void **state) {
    assert_chosen(*state, LARGER, gives_unannounced);
}

static void test_none_has_it_and_the_first_is_taken(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD first = build_new(SMALL, 1, true);
    BUILD second = build_new(SMALL, 2, true);
    BUILD wanted = build_new(SMALL, 3, true);
    double_play(pair.first, gives(&first));
    double_play(pair.second, gives(&second));
    struct answer answer = ask_with(stage, wanted.sum);
    assert_build(stage, &answer, &first, &pair, 2, 1);
}

static void test_nobody_else_has_it_and_it_is_taken(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD other = build_new(SMALL, 1, true);
    BUILD wanted = build_new(SMALL, 2, true);
    double_play(pair.first, gives(&other));
    double_play(pair.second, fails(ERROR_STATUS, 500));
    struct answer answer = ask_with(stage, wanted.sum);
    assert_build(stage, &answer, &other, &pair, 2, 1);
}

static void test_the_second_is_taken_when_the_first_cannot_any_more(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD first = build_new(SMALL, 1, true);
    BUILD second = build_new(SMALL, 2, true);
    BUILD wanted = build_new(SMALL, 3, true);
    double_play(pair.first, gives(&first));
    double_play(pair.first, fails(ERROR_STATUS, 500));
    double_play(pair.second, gives(&second));
    struct answer answer = ask_with(stage, wanted.sum);
    assert_build(stage, &answer, &second, &pair, 2, 2);
}

static void test_the_right_one_asks_nobody_else(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD wanted = build_new(SMALL, 1, true);
    BUILD other = build_new(SMALL, 2, true);
    char sums[200];
    text_format(sums, sizeof sums, "%s;%s", other.sum, wanted.sum);
    double_play(pair.first, gives(&wanted));
    struct answer answer = ask_with(stage, sums);
    assert_build(stage, &answer, &wanted, &pair, 1, 0);
}

static void test_without_sums_the_first_is_taken(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD other = build_new(SMALL, 1, true);
    double_play(pair.first, gives(&other));
    struct answer answer = ask_with(stage, "MD5:00112233445566778899aabbccddeeff");
    assert_build(stage, &answer, &other, &pair, 1, 0);
}

static void test_a_single_source_is_not_held_up(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    BUILD other = build_new(SMALL, 1, true);
    BUILD wanted = build_new(SMALL, 2, true);
    double_play(source, gives(&other));
    struct answer answer = ask_with(stage, wanted.sum);
    stage_assert_body(answer.copy, other.bytes, other.length);
    assert_int_equal(double_asked(source), 1);
    leave(stage, &answer);
}

static void test_what_is_too_large_is_taken(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD other = build_new(TOO_LARGE, 1, true);
    BUILD wanted = build_new(SMALL, 2, true);
    for (unsigned i = 0; i < 2; i++) {
        double_play(pair.first, i ? gives_unannounced(&other) : gives(&other));
        struct answer answer = ask_with(stage, wanted.sum);
        assert_build(stage, &answer, &other, &pair, i + 1, 0);
        unsigned absences, files;
        struct question question = stage_question("app.pdb", 1);
        symbols_forget(stage->symbols, &question.key, &absences, &files);
    }
}

static void test_another_symbol_is_refused_as_ever(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD false_one = build_new(SMALL, 1, false);
    BUILD wanted = build_new(SMALL, 2, true);
    double_play(pair.first, gives(&false_one));
    double_play(pair.second, gives(&wanted));
    struct answer answer = ask_with(stage, wanted.sum);
    stage_wait_counter(&counters(stage)->replaced, 1);
    struct answer moved = judge(stage, answer.copy, "app.pdb", JUDGED_MOVED);
    leave(stage, &answer);
    assert_build(stage, &moved, &wanted, &pair, 1, 1);
}

static void test_a_file_in_place_is_put_aside_too(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    BUILD other = build_new(SMALL, 1, true);
    BUILD wanted = build_new(SMALL, 2, true);
    char *path = scratch_path(stage->folder, "other.pdb");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(other.bytes, 1, other.length, file), other.length);
    assert_int_equal(fclose(file), 0);
    stage->roster->in_place[0] = true;
    double_play(pair.first, (struct scene){.play = PLAY_LOCAL, .path = path});
    double_play(pair.second, gives(&wanted));
    struct answer answer = ask_with(stage, wanted.sum);
    assert_build(stage, &answer, &wanted, &pair, 1, 1);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(test_the_one_with_the_sum_is_preferred),
        STAGED(test_larger_ones_are_held_back_too),
        STAGED(test_ones_of_unknown_length_are_held_back_too),
        STAGED(test_none_has_it_and_the_first_is_taken),
        STAGED(test_nobody_else_has_it_and_it_is_taken),
        STAGED(test_the_second_is_taken_when_the_first_cannot_any_more),
        STAGED(test_the_right_one_asks_nobody_else),
        STAGED(test_without_sums_the_first_is_taken),
        STAGED(test_a_single_source_is_not_held_up),
        STAGED(test_what_is_too_large_is_taken),
        STAGED(test_another_symbol_is_refused_as_ever),
        STAGED(test_a_file_in_place_is_put_aside_too),
    };
    return RUN_TESTS(tests);
}
