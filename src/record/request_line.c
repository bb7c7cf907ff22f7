// SPDX-License-Identifier: MIT
#include "record/request_line.h"

#include <string.h>

#include "base/line.h"
#include "base/log.h"
#include "base/text.h"

enum {
    LINE_BYTES = 4000,
    TEXT_BYTES = 512,
    WORD_BYTES = 2 * sizeof((struct attempt_note){0}.source) + 3,
    NOTE_BYTES = WORD_BYTES + 80,
    MORE_BYTES = 32,   /* what begins the list of attempts, and what ends one that is cut */
    ESCAPED_BYTES = 4, /* \xNN */
};

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

/* How long it may be once the log has escaped what it does not let stand. */
static size_t logged_length(const char *text, size_t length) {
    size_t logged = length;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            logged += ESCAPED_BYTES - 1;
    return logged;
}

static void add_note(struct line *line, const struct attempt_note *note) {
    char source[WORD_BYTES];
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

/* As many as the line has room for, and how many more there are: a list is never left open. */
static void add_notes(struct line *line, const struct attempt_note *notes, unsigned note_count) {
    if (note_count == 0)
        return;
    size_t logged = logged_length(line->bytes, line->length);
    line_text(line, " asked=[");
    for (unsigned i = 0; i < note_count; i++) {
        char block[NOTE_BYTES];
        struct line one;
        line_begin(&one, block, sizeof block);
        line_text(&one, i ? ", " : "");
        add_note(&one, &notes[i]);
        logged += logged_length(one.bytes, one.length);
        if (logged + MORE_BYTES > LINE_BYTES) {
            line_text(line, i ? ", " : "");
            line_number(line, note_count - i);
            line_text(line, " more");
            break;
        }
        line_bytes(line, one.bytes, one.length);
    }
    line_text(line, "]");
}

/* Who asked for what. */
static void add_request(struct line *line, const struct outcome *outcome) {
    char path[2 * REQUEST_PATH_BYTES];
    line_text(line, or_dash(outcome->text.client));
    line_text(line, " \"");
    line_text(line, outcome->method);
    line_text(line, " ");
    line_text(line, quotable(outcome->text.path, path, sizeof path));
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

void request_line_write(const struct outcome *outcome, const struct attempt_note *notes) {
    char block[LINE_BYTES], source[WORD_BYTES], reason[2 * TEXT_BYTES];
    struct line line;
    line_begin(&line, block, sizeof block);
    add_request(&line, outcome);
    add_answer(&line, outcome);
    line_text(&line, " source=");
    line_text(&line, word(outcome->text.source, source));
    line_text(&line, " dialect=");
    line_text(&line, or_dash(outcome->dialect));
    line_text(&line, " id=");
    line_text(&line, outcome->text.id);
    if (outcome->broken)
        line_text(&line, outcome->hung_up ? " hung-up" : " broken");
    if (outcome->not_kept)
        line_text(&line, " not-kept");
    if (outcome->text.reason[0]) {
        line_text(&line, " reason=\"");
        line_text(&line, quotable(outcome->text.reason, reason, sizeof reason));
        line_text(&line, "\"");
    }
    add_notes(&line, notes, outcome->note_count);
    log_text(LOG_INFO, outcome->wall_ns + outcome->total_us * 1000, line.bytes, line.length);
}
