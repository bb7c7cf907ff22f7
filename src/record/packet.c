// SPDX-License-Identifier: MIT
#include "record/packet.h"

#include <string.h>

#include "base/text.h"

enum { TEXTS = sizeof(struct outcome_texts) / sizeof(char *) };

struct head {
    size_t bytes;           /* of the packet */
    struct outcome outcome; /* its pointers say nothing */
};

/* An attempt without its texts, which follow it: source, url, what. */
struct packed_note {
    enum attempt_result result;
    enum error_kind cause;
    int status;
    int64_t started_ms, place_ms, head_ms, total_ms;
    uint64_t bytes;
};

/* The texts in their order; texts are the first to last pointer of struct outcome_texts. */
static const char **texts_of(struct outcome_texts *texts) {
    return (const char **)(void *)texts;
}

static unsigned note_count(const struct outcome *outcome) {
    return outcome->note_count < OUTCOME_NOTES_MAX ? outcome->note_count : OUTCOME_NOTES_MAX;
}

static size_t note_bytes(const struct attempt_note *note) {
    return sizeof(struct packed_note) + strlen(note->source) + strlen(note->url) +
           strlen(note->what) + 3;
}

void packet_measure(const struct outcome *outcome, const struct attempt_note *notes,
                    struct packet_size *out_size) {
    struct outcome_texts texts = outcome->text;
    size_t bytes = sizeof(struct head);
    for (unsigned i = 0; i < TEXTS; i++)
        bytes += out_size->texts[i] = strlen(texts_of(&texts)[i]) + 1;
    for (unsigned i = 0; i < note_count(outcome); i++)
        bytes += note_bytes(&notes[i]);
    out_size->bytes = (bytes + 7) & ~(size_t)7;
}

static char *write_text(char *at, const char *text) {
    size_t length = strlen(text) + 1;
    memcpy(at, text, length);
    return at + length;
}

static char *write_note(char *at, const struct attempt_note *note) {
    struct packed_note packed = {
        .result = note->result,
        .cause = note->cause,
        .status = note->status,
        .started_ms = note->started_ms,
        .place_ms = note->place_ms,
        .head_ms = note->head_ms,
        .total_ms = note->total_ms,
        .bytes = note->bytes,
    };
    memcpy(at, &packed, sizeof packed);
    at = write_text(at + sizeof packed, note->source);
    return write_text(write_text(at, note->url), note->what);
}

void packet_write(char *out, const struct packet_size *size, const struct outcome *outcome,
                  const struct attempt_note *notes) {
    struct head *head = (struct head *)(void *)out;
    head->bytes = size->bytes;
    head->outcome = *outcome;
    head->outcome.note_count = note_count(outcome);
    struct outcome_texts texts = outcome->text;
    char *at = out + sizeof *head;
    for (unsigned i = 0; i < TEXTS; at += size->texts[i++])
        memcpy(at, texts_of(&texts)[i], size->texts[i]);
    for (unsigned i = 0; i < note_count(outcome); i++)
        at = write_note(at, &notes[i]);
}

size_t packet_bytes(const char *packet) {
    return ((const struct head *)(const void *)packet)->bytes;
}

static const char *read_note(const char *at, struct attempt_note *out) {
    struct packed_note packed;
    memcpy(&packed, at, sizeof packed);
    *out = (struct attempt_note){
        .result = packed.result,
        .cause = packed.cause,
        .status = packed.status,
        .started_ms = packed.started_ms,
        .place_ms = packed.place_ms,
        .head_ms = packed.head_ms,
        .total_ms = packed.total_ms,
        .bytes = packed.bytes,
    };
    const char *source = at + sizeof packed;
    const char *url = source + strlen(source) + 1;
    const char *what = url + strlen(url) + 1;
    text_copy(out->source, sizeof out->source, source);
    text_copy(out->url, sizeof out->url, url);
    text_copy(out->what, sizeof out->what, what);
    return what + strlen(what) + 1;
}

void packet_read(const char *packet, struct outcome *out, struct attempt_note *out_notes) {
    *out = ((const struct head *)(const void *)packet)->outcome;
    const char *at = packet_id(packet);
    for (unsigned i = 0; i < TEXTS; at += strlen(at) + 1)
        texts_of(&out->text)[i++] = at;
    for (unsigned i = 0; i < out->note_count; i++)
        at = read_note(at, &out_notes[i]);
}

const char *packet_id(const char *packet) {
    return packet + sizeof(struct head);
}
