// SPDX-License-Identifier: MIT
#include "record/recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINE_BYTES = 4000, WORD_BYTES = 2 * sizeof((struct outcome){0}.source) + 3 };

/* An outcome as it is kept: the texts one after the other behind the numbers, since most are short.
 */
struct kept {
    struct outcome_numbers {
        int64_t wall_ns, waited_us, total_us;
        uint64_t bytes;
        const char *dialect, *method;
        enum verdict verdict;
        int status;
        bool about_symbol, broken, hung_up, not_kept;
        unsigned note_count;
    } numbers;
    struct attempt_note *notes; /* NULL when there are none */
    char texts[];               /* id, client, path, key, rule, source, reason */
};

struct recorder {
    struct recorder_options options;
    struct recorder_counters counters;
    pthread_mutex_t lock; /* guards ring and next */
    struct kept **ring;   /* outcomes_max slots */
    uint64_t next;        /* how many were kept so far */
};

struct recorder *recorder_new(const struct recorder_options *options) {
    struct recorder *recorder = NEW(struct recorder);
    recorder->options = *options;
    pthread_mutex_init(&recorder->lock, NULL);
    recorder->ring = NEW_ARRAY(struct kept *, options->outcomes_max);
    return recorder;
}

static void free_kept(struct kept *kept) {
    if (kept)
        free(kept->notes);
    free(kept);
}

void recorder_free(struct recorder *recorder) {
    if (!recorder)
        return;
    for (unsigned i = 0; i < recorder->options.outcomes_max; i++)
        free_kept(recorder->ring[i]);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder->ring);
    free(recorder);
}

static void raise_counters(struct recorder *recorder, const struct outcome *outcome) {
    struct recorder_counters *counters = &recorder->counters;
    count(&counters->requests);
    if (outcome->about_symbol)
        count(&counters->by_verdict[outcome->verdict]);
    if (outcome->bytes)
        count_many(&counters->bytes_sent, outcome->bytes);
    if (outcome->broken)
        count(&counters->broken);
    if (outcome->hung_up)
        count(&counters->hung_up);
}

/* What stands between quotes must not be able to end them. */
static const char *quotable(const char *text, char *space, size_t size) {
    if (!strpbrk(text, "\"\\"))
        return text;
    text_escape_json(space, size, text, strlen(text));
    return space;
}

static const char *or_dash(const char *text) {
    return text[0] ? text : "-";
}

/* A source's name as one word of the line: between quotes where it is not one by itself. */
static const char *word(const char *name, char space[WORD_BYTES]) {
    if (!strpbrk(name, " \"\\,[]="))
        return or_dash(name);
    char escaped[WORD_BYTES - 2];
    text_escape_json(escaped, sizeof escaped, name, strlen(name));
    text_format(space, WORD_BYTES, "\"%s\"", escaped);
    return space;
}

static void add_notes(struct line *line, const struct attempt_note *notes, unsigned count_notes) {
    for (unsigned i = 0; i < count_notes; i++) {
        const struct attempt_note *note = &notes[i];
        char source[WORD_BYTES];
        line_text(line, i ? ", " : " asked=[");
        line_text(line, word(note->source, source));
        line_text(line, " ");
        line_text(line, attempt_result_name(note->result));
        if (note->status > 0) {
            line_text(line, " ");
            line_number(line, (uint64_t)note->status);
        }
        if (note->cause != ERROR_NONE) {
            line_text(line, " ");
            line_text(line, error_kind_name(note->cause));
        }
        line_text(line, " ");
        line_number(line, note->total_ms > 0 ? (uint64_t)note->total_ms : 0);
        line_text(line, " ms");
    }
    if (count_notes)
        line_text(line, "]");
}

/* Who asked for what. */
static void add_request(struct line *line, const struct outcome *outcome) {
    char path[2 * sizeof outcome->path];
    line_text(line, or_dash(outcome->client));
    line_text(line, " \"");
    line_text(line, outcome->method);
    line_text(line, " ");
    line_text(line, quotable(outcome->path, path, sizeof path));
    line_text(line, "\" ");
}

/* What was answered, and how long it took. */
static void add_answer(struct line *line, const struct outcome *outcome) {
    line_number(line, (uint64_t)outcome->status);
    line_text(line, " ");
    line_text(line, outcome->about_symbol ? verdict_name(outcome->verdict) : "-");
    line_text(line, " ");
    line_number(line, outcome->bytes);
    line_text(line, " bytes ");
    line_ms(line, outcome->waited_us);
    line_text(line, "/");
    line_ms(line, outcome->total_us);
    line_text(line, " ms");
}

static void write_line(const struct outcome *outcome, const struct attempt_note *notes) {
    char block[LINE_BYTES], source[WORD_BYTES], reason[2 * sizeof outcome->reason];
    struct line line;
    line_begin(&line, block, sizeof block);
    add_request(&line, outcome);
    add_answer(&line, outcome);
    line_text(&line, " source=");
    line_text(&line, word(outcome->source, source));
    line_text(&line, " dialect=");
    line_text(&line, or_dash(outcome->dialect));
    line_text(&line, " id=");
    line_text(&line, outcome->id);
    if (outcome->broken)
        line_text(&line, outcome->hung_up ? " hung-up" : " broken");
    if (outcome->not_kept)
        line_text(&line, " not-kept");
    if (outcome->reason[0]) {
        line_text(&line, " reason=\"");
        line_text(&line, quotable(outcome->reason, reason, sizeof reason));
        line_text(&line, "\"");
    }
    add_notes(&line, notes, outcome->note_count);
    log_text(LOG_INFO, line.bytes, line.length);
}

static const char *const *texts_of(const struct outcome *outcome, const char *texts[7]) {
    texts[0] = outcome->id;
    texts[1] = outcome->client;
    texts[2] = outcome->path;
    texts[3] = outcome->key;
    texts[4] = outcome->rule;
    texts[5] = outcome->source;
    texts[6] = outcome->reason;
    return texts;
}

static struct kept *pack(const struct outcome *outcome, const struct attempt_note *notes) {
    const char *texts[7];
    size_t lengths[7], total = 0;
    texts_of(outcome, texts);
    for (unsigned i = 0; i < 7; i++)
        total += lengths[i] = strlen(texts[i]) + 1;
    struct kept *kept = memory_new(sizeof *kept + total);
    kept->numbers = (struct outcome_numbers){
        .wall_ns = outcome->wall_ns,
        .waited_us = outcome->waited_us,
        .total_us = outcome->total_us,
        .bytes = outcome->bytes,
        .dialect = outcome->dialect,
        .method = outcome->method,
        .about_symbol = outcome->about_symbol,
        .verdict = outcome->verdict,
        .status = outcome->status,
        .broken = outcome->broken,
        .hung_up = outcome->hung_up,
        .not_kept = outcome->not_kept,
        .note_count = outcome->note_count,
    };
    char *at = kept->texts;
    for (unsigned i = 0; i < 7; at += lengths[i++])
        memcpy(at, texts[i], lengths[i]);
    if (outcome->note_count) {
        kept->notes = NEW_ARRAY(struct attempt_note, outcome->note_count);
        memcpy(kept->notes, notes, outcome->note_count * sizeof *notes);
    }
    return kept;
}

static void unpack(const struct kept *kept, struct outcome *out) {
    const struct outcome_numbers *numbers = &kept->numbers;
    *out = (struct outcome){
        .wall_ns = numbers->wall_ns,
        .waited_us = numbers->waited_us,
        .total_us = numbers->total_us,
        .bytes = numbers->bytes,
        .dialect = numbers->dialect,
        .method = numbers->method,
        .about_symbol = numbers->about_symbol,
        .verdict = numbers->verdict,
        .status = numbers->status,
        .broken = numbers->broken,
        .hung_up = numbers->hung_up,
        .not_kept = numbers->not_kept,
        .note_count = numbers->note_count,
    };
    const char *texts[7];
    const char *at = kept->texts;
    for (unsigned i = 0; i < 7; at += strlen(at) + 1)
        texts[i++] = at;
    text_copy(out->id, sizeof out->id, texts[0]);
    text_copy(out->client, sizeof out->client, texts[1]);
    text_copy(out->path, sizeof out->path, texts[2]);
    text_copy(out->key, sizeof out->key, texts[3]);
    text_copy(out->rule, sizeof out->rule, texts[4]);
    text_copy(out->source, sizeof out->source, texts[5]);
    text_copy(out->reason, sizeof out->reason, texts[6]);
}

void recorder_put(struct recorder *recorder, const struct outcome *outcome,
                  const struct attempt_note *notes) {
    raise_counters(recorder, outcome);
    if (recorder->options.log_requests)
        write_line(outcome, notes);
    if (recorder->options.outcomes_max == 0)
        return;
    struct kept *kept = pack(outcome, notes);
    lock_take(&recorder->lock);
    struct kept **slot = &recorder->ring[recorder->next++ % recorder->options.outcomes_max];
    struct kept *oldest = *slot;
    *slot = kept;
    lock_give(&recorder->lock);
    free_kept(oldest);
}

/* Copies the outcome that was kept `back` ones ago; false when there is none. */
static bool look_back(struct recorder *recorder, uint64_t back, struct outcome *out,
                      struct attempt_note *notes, unsigned notes_max) {
    SCOPED_LOCK(&recorder->lock);
    unsigned max = recorder->options.outcomes_max;
    if (back >= recorder->next || back >= max)
        return false;
    const struct kept *kept = recorder->ring[(recorder->next - 1 - back) % max];
    unpack(kept, out);
    if (out->note_count > notes_max)
        out->note_count = notes_max;
    if (out->note_count)
        memcpy(notes, kept->notes, out->note_count * sizeof *notes);
    return true;
}

bool recorder_find(struct recorder *recorder, const char *id, struct outcome *out_outcome,
                   struct attempt_note *out_notes, unsigned notes_max) {
    struct outcome outcome;
    for (uint64_t back = 0; look_back(recorder, back, &outcome, out_notes, notes_max); back++) {
        if (strcmp(outcome.id, id) != 0)
            continue;
        *out_outcome = outcome;
        return true;
    }
    return false;
}

void recorder_recent(struct recorder *recorder, unsigned count_max,
                     bool (*show)(const struct outcome *outcome, void *context), void *context) {
    struct outcome outcome;
    for (uint64_t back = 0; back < count_max; back++)
        if (!look_back(recorder, back, &outcome, NULL, 0) || !show(&outcome, context))
            return;
}

const struct recorder_counters *recorder_counters(const struct recorder *recorder) {
    return &recorder->counters;
}
