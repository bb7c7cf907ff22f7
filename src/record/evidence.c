// SPDX-License-Identifier: MIT
#include "record/evidence.h"

#include "base/text.h"

enum {
    QUESTION_BYTES = NAME_BYTES_MAX + ID_BYTES_MAX + 2,
    ROUNDING_MS = 50, /* times of a note are of another clock than the wall's */
};

void evidence_init(struct evidence *evidence) {
    *evidence = (struct evidence){0};
    table_init(&evidence->sums);
    table_init(&evidence->questions);
    table_init(&evidence->marks);
}

void evidence_release(struct evidence *evidence) {
    table_release(&evidence->sums);
    table_release(&evidence->questions);
    table_release(&evidence->marks);
}

static struct evidence_sum *find_sum(struct evidence *evidence, struct arena *arena,
                                     const char *source, const char *name, uint64_t mark) {
    struct evidence_sum *sum =
        sum_find(&evidence->sums, arena, EVIDENCE_SUMS_MAX, sizeof *sum, source, name, mark);
    evidence->gap |= sum == NULL;
    return sum;
}

/* When the question was put, as far as its answer tells. */
static int64_t asked_at(const struct attempt_note *note, int64_t wall_ms) {
    return wall_ms - note->place_ms - note->total_ms - ROUNDING_MS;
}

static void note_mark(struct evidence *evidence, struct arena *arena, const struct reply *reply,
                      int64_t wall_ms) {
    const struct attempt_note *note = reply->note;
    struct evidence_mark *mark =
        sum_find(&evidence->marks, arena, EVIDENCE_MARKS_MAX, sizeof *mark, note->source, "", 0);
    evidence->gap |= mark == NULL;
    if (!mark || (mark->since_ms && (mark->mark == reply->mark || reply->mark == 0)))
        return;
    mark->moved |= mark->since_ms && mark->place != reply->place;
    mark->place = reply->place;
    bool first_known = mark->since_ms && mark->mark == 0;
    mark->mark = reply->mark;
    if (!first_known)
        mark->since_ms = asked_at(note, wall_ms);
}

/* What the server says that stood there before answers nothing of this one's. */
static void note_question(struct evidence *evidence, struct arena *arena, const char *source,
                          uint64_t mark, const char *text, bool open) {
    struct evidence_question *question = sum_find(
        &evidence->questions, arena, EVIDENCE_QUESTIONS_MAX, sizeof *question, source, text, 0);
    evidence->gap |= question == NULL;
    if (!question || (question->open && !open && question->mark && mark && question->mark != mark))
        return;
    question->mark = mark;
    question->open = open;
}

/* A search tells of each server by itself: what is not known of all at once is over. */
static void close_for_all(struct evidence *evidence, const struct symbol_key *key) {
    char text[QUESTION_BYTES];
    text_format(text, sizeof text, "%s/%s", key->name, key->id);
    text_fold(text);
    struct evidence_question *question = sum_there(&evidence->questions, "", text, 0);
    if (question)
        question->open = false;
}

static void add_reply(struct evidence *evidence, struct arena *arena, const struct reply *reply,
                      bool no) {
    const struct attempt_note *note = reply->note;
    struct evidence_sum *sum =
        find_sum(evidence, arena, note->source, reply->key->name, reply->mark);
    if (!sum)
        return;
    sum->found += note->result == ATTEMPT_FOUND;
    sum->absent += no;
    sum->failed += note->result != ATTEMPT_FOUND && !no;
    sum->time_us += note->total_ms > 0 ? (uint64_t)note->total_ms * 1000 : 0;
}

static void add_kept(struct evidence *evidence, struct arena *arena, const char *name) {
    struct evidence_sum *sum = evidence_kept(evidence, arena, "", name);
    if (sum)
        sum->kept++;
}

void evidence_add(struct evidence *evidence, struct arena *arena, const struct reply *reply,
                  int64_t wall_ms) {
    char text[QUESTION_BYTES];
    enum attempt_result result = reply->note->result;
    bool no = result == ATTEMPT_ABSENT && reply->certain;
    close_for_all(evidence, reply->key);
    if (reply->from_shelf) {
        if (result == ATTEMPT_FOUND)
            add_kept(evidence, arena, reply->key->name);
        return;
    }
    text_format(text, sizeof text, "%s/%s", reply->spelling->name, reply->spelling->id);
    note_mark(evidence, arena, reply, wall_ms);
    note_question(evidence, arena, reply->note->source, reply->mark, text,
                  result != ATTEMPT_FOUND && !no);
    if (result == ATTEMPT_FOUND || result == ATTEMPT_ABSENT || result == ATTEMPT_FAILED)
        add_reply(evidence, arena, reply, no);
}

struct evidence_sum *evidence_kept(struct evidence *evidence, struct arena *arena,
                                   const char *source, const char *name) {
    return find_sum(evidence, arena, source, name, 0);
}

void evidence_open(struct evidence *evidence, struct arena *arena, const char *name,
                   const char *id) {
    char text[QUESTION_BYTES];
    text_format(text, sizeof text, "%s/%s", name, id);
    text_fold(text);
    note_question(evidence, arena, "", 0, text, true);
}
