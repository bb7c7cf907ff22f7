// SPDX-License-Identifier: MIT
#include "record/attempts_text.h"

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
