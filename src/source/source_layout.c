// SPDX-License-Identifier: MIT
#include "source/source_layout.h"

#include "base/text.h"

/* A page that comes for every path is no mark, and neither is a body that cannot be read. */
static bool is_mark(const struct content *content, struct reader *reader) {
    char bytes[CONTENT_LOOK_BYTES];
    struct error err;
    ssize_t got = reader_read(reader, bytes, sizeof bytes, &err);
    return got >= 0 && !content->announced_html && content_look(bytes, (size_t)got) != CONTENT_HTML;
}

/* Does this failure say that there is no such file? Stores of objects forbid what they do not have;
   other statuses may be others the next time. */
static bool refused(const struct attempt_note *note, const struct error *err) {
    static const int statuses[] = {400, 403, 405, 501};
    for (size_t i = 0; err->kind == ERROR_STATUS && i < sizeof statuses / sizeof *statuses; i++)
        if (note->status == statuses[i])
            return true;
    return false;
}

/* Is it a failure with this one file, as far as can be told? */
static bool answered(const struct attempt_note *note, const struct error *err) {
    enum { UNAVAILABLE = 503 };
    return (err->kind == ERROR_STATUS && note->status != UNAVAILABLE) || err->kind == ERROR_HTML ||
           err->kind == ERROR_EMPTY || err->kind == ERROR_TEXT;
}

/* The failure is the whole question's. */
static void hand_on(const struct source_call *call, struct source_call *to) {
    to->retry_after_s = call->retry_after_s;
    to->behind = call->behind;
    to->note->status = call->note->status;
    text_copy(to->note->url, sizeof to->note->url, call->note->url);
}

static enum layout_answer ask_for_mark(struct source *source, void *worker,
                                       struct source_call *question, enum layout *out_layout,
                                       struct error *err) {
    struct attempt_note note = {0};
    struct source_call call = {
        .path = "index2.txt", .cancel = question->cancel, .retry_after_s = -1, .note = &note};
    struct content content;
    CLEANUP(reader_close_at) struct reader *reader = NULL;
    struct source_local local;
    *out_layout = LAYOUT_SYMSTORE;
    switch (source->ops->ask(source, worker, &call, false, &content, &reader, &local, err)) {
    case SOURCE_FOUND:
        if (is_mark(&content, reader))
            *out_layout = LAYOUT_TWO_TIER;
        return LAYOUT_KNOWN;
    case SOURCE_ABSENT:
        return LAYOUT_KNOWN;
    case SOURCE_FAILED:
    case SOURCE_LOCAL:
    case SOURCE_SAME:
        break;
    }
    if (refused(&note, err))
        return LAYOUT_KNOWN;
    hand_on(&call, question);
    return answered(&note, err) ? LAYOUT_GUESSED : LAYOUT_UNKNOWN;
}

bool source_has_place(const struct source *source, const struct question *question) {
    struct store_path paths[STORE_PATHS_MAX];
    enum layout layout = source->options.layout;
    if (layout == LAYOUT_AUTO || layout == LAYOUT_SYMSTORE || layout == LAYOUT_TWO_TIER)
        return true; /* they have one for everything: quick, since every miss asks */
    return store_paths(layout, source->options.casing, question, FORM_PLAIN, paths) > 0;
}

enum layout_answer source_layout(struct source *source, void *worker, struct source_call *call,
                                 enum layout *out_layout, struct error *err) {
    *out_layout = source->options.layout;
    if (*out_layout != LAYOUT_AUTO)
        return LAYOUT_KNOWN;
    *out_layout = atomic_load_explicit(&source->found_layout, memory_order_relaxed);
    if (*out_layout != LAYOUT_AUTO)
        return LAYOUT_KNOWN;
    enum layout_answer answer = ask_for_mark(source, worker, call, out_layout, err);
    if (answer == LAYOUT_KNOWN)
        atomic_store_explicit(&source->found_layout, *out_layout, memory_order_relaxed);
    return answer;
}
