// SPDX-License-Identifier: MIT
#include "record/attempts_text.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static void append(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, "\"%s\": \"", name);
    buffer_append_json(out, value);
    buffer_append_text(out, "\", ");
}

void attempts_text(struct buffer *out, const struct attempt_note *notes, unsigned count) {
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < count; i++) {
        const struct attempt_note *note = &notes[i];
        buffer_append_text(out, i ? ", {" : "{");
        append(out, "source", note->source);
        append(out, "url", note->url);
        append(out, "result", attempt_result_name(note->result));
        append(out, "cause", note->cause == ERROR_NONE ? "" : error_kind_name(note->cause));
        append(out, "what", note->what);
        buffer_format(out,
                      "\"status\": %d, \"started_ms\": %lld, \"place_ms\": %lld, "
                      "\"head_ms\": %lld, \"total_ms\": %lld, \"bytes\": %llu}",
                      note->status, (long long)note->started_ms, (long long)note->place_ms,
                      (long long)note->head_ms, (long long)note->total_ms,
                      (unsigned long long)note->bytes);
    }
    buffer_append_text(out, "]");
}

/* --- reading ------------------------------------------------------------------------------------
 */

static enum attempt_result result_of(const char *name) {
    for (unsigned i = ATTEMPT_WAITING; i <= ATTEMPT_UNASKED; i++)
        if (strcmp(name, attempt_result_name((enum attempt_result)i)) == 0)
            return (enum attempt_result)i;
    return ATTEMPT_WAITING;
}

static enum error_kind cause_of(const char *name) {
    for (unsigned i = ERROR_NONE + 1; i < ERROR_KIND_COUNT; i++)
        if (strcmp(name, error_kind_name((enum error_kind)i)) == 0)
            return (enum error_kind)i;
    return ERROR_NONE;
}

static void read_note(const json_t *object, struct attempt_note *out) {
    *out = (struct attempt_note){
        .result = result_of(json_text_of(object, "result")),
        .cause = cause_of(json_text_of(object, "cause")),
        .status = (int)json_integer_of(object, "status"),
        .started_ms = json_integer_of(object, "started_ms"),
        .place_ms = json_integer_of(object, "place_ms"),
        .head_ms = json_integer_of(object, "head_ms"),
        .total_ms = json_integer_of(object, "total_ms"),
        .bytes = (uint64_t)json_integer_of(object, "bytes"),
    };
    text_copy(out->source, sizeof out->source, json_text_of(object, "source"));
    text_copy(out->url, sizeof out->url, json_text_of(object, "url"));
    text_copy(out->what, sizeof out->what, json_text_of(object, "what"));
}

unsigned attempts_read(const char *text, struct attempt_note *out_notes, unsigned notes_max) {
    CLEANUP(json_unref) json_t *list = NULL;
    struct error ignored = {0};
    if (!json_parse(text, strlen(text), &list, NULL, NULL, &ignored))
        return 0;
    size_t count = json_array_size(list);
    if (count > notes_max)
        count = notes_max;
    for (size_t i = 0; i < count; i++)
        read_note(json_array_get(list, i), &out_notes[i]);
    return (unsigned)count;
}
