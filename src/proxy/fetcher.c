// SPDX-License-Identifier: MIT
#include "proxy/fetcher.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "proxy/choice.h"
#include "proxy/pointed.h"
#include "proxy/verify.h"
#include "source/source_layout.h"

bool kept_is(const struct kept *kept, const struct content *content, bool packed) {
    if (content->last_modified > 0 && content->last_modified != kept->modified_s)
        return false;
    return packed || content->size == SIZE_UNKNOWN || content->size == kept->size;
}

/* What came of asking one source: a body, a file in place, or no. */
struct found {
    enum form form;
    struct store_path paths[STORE_PATHS_MAX]; /* the last form's; one of them was asked last */
    struct source_local local;
};

/* Asks for one form, at one path after the other until one does not say no. */
static enum source_answer ask_form(struct delivery *delivery, struct source_call *call,
                                   enum layout layout, enum form form, bool in_place,
                                   struct found *out_found, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    struct source *source = fetch->source;
    struct store_path *paths = out_found->paths;
    unsigned count = store_paths(layout, source->options.casing, fetch->question, form, paths);
    out_found->form = form;
    for (unsigned i = 0; i < count; i++) {
        call->path = paths[i].path;
        enum source_answer answer =
            source->ops->ask(source, fetch->worker, call, in_place, &delivery->content,
                             &delivery->reader, &out_found->local, err);
        if (answer != SOURCE_ABSENT)
            return answer;
    }
    return SOURCE_ABSENT;
}

/* Is the file in place what it looks like, rather than an archive of it? False: it is to be read.
 */
static bool is_plain(const struct fetch *fetch, const struct source_local *local,
                     struct error *err) {
    char first[CONTENT_LOOK_BYTES];
    ssize_t got = files_read_at(local->fd, first, sizeof first, 0, err);
    return got < 0 || !verify_packed(&fetch->question->key, FORM_PLAIN, first, (size_t)got);
}

/* The plain form of a directory is served where it lies. */
static enum source_answer ask_plain(struct delivery *delivery, struct source_call *call,
                                    enum layout layout, struct found *out_found,
                                    struct error *err) {
    struct fetch *fetch = delivery->fetch;
    bool in_place = fetch->in_place && !fetch->taking_up;
    enum source_answer answer =
        ask_form(delivery, call, layout, FORM_PLAIN, in_place, out_found, err);
    if (answer != SOURCE_LOCAL || is_plain(fetch, &out_found->local, err))
        return answer;
    close(out_found->local.fd);
    return ask_form(delivery, call, layout, FORM_PLAIN, false, out_found, err);
}

/* A pointer that is there is followed; a dead one is no file. */
static enum source_answer ask_pointer(struct delivery *delivery, struct source_call *call,
                                      enum layout layout, struct found *out_found,
                                      struct error *err) {
    const struct resume *resume = call->resume;
    call->resume = NULL;
    enum source_answer answer =
        ask_form(delivery, call, layout, FORM_POINTER, false, out_found, err);
    call->resume = resume;
    return answer == SOURCE_FOUND ? pointed_ask(delivery, call, &out_found->form, err) : answer;
}

static enum source_answer ask_in_form(struct delivery *delivery, struct source_call *call,
                                      enum layout layout, enum form form, struct found *out_found,
                                      struct error *err) {
    switch (form) {
    case FORM_PLAIN:
        return ask_plain(delivery, call, layout, out_found, err);
    case FORM_COMPRESSED:
        return ask_form(delivery, call, layout, form, false, out_found, err);
    case FORM_POINTER:
        return ask_pointer(delivery, call, layout, out_found, err);
    }
    return SOURCE_ABSENT;
}

/* What was seen on a shelf is asked for where it was seen. */
static enum source_answer ask_shelved(struct delivery *delivery, struct source_call *call,
                                      struct found *out_found, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    bool points = fetch->shelved->form == FORM_POINTER;
    const struct resume *resume = call->resume;
    out_found->form = fetch->shelved->form;
    call->path = fetch->shelved->path;
    call->resume = points ? NULL : resume;
    enum source_answer answer =
        fetch->source->ops->ask(fetch->source, fetch->worker, call, false, &delivery->content,
                                &delivery->reader, &out_found->local, err);
    call->resume = resume;
    return points && answer == SOURCE_FOUND ? pointed_ask(delivery, call, &out_found->form, err)
                                            : answer;
}

/* Asks for one form after the other until one is there. */
static enum source_answer ask_forms(struct delivery *delivery, struct source_call *call,
                                    enum layout layout, struct found *out_found,
                                    struct error *err) {
    struct fetch *fetch = delivery->fetch;
    const struct source_options *options = &fetch->source->options;
    for (unsigned i = 0; i < options->form_count; i++) {
        if (fetch->forms_but & options->forms[i])
            continue;
        fetch->form = options->forms[i];
        enum source_answer answer =
            ask_in_form(delivery, call, layout, options->forms[i], out_found, err);
        if (answer != SOURCE_ABSENT)
            return answer;
    }
    return SOURCE_ABSENT;
}

/* Where the layout is a guess, a no is none, unless the store has said more than that. */
static enum source_answer ask(struct delivery *delivery, struct source_call *call,
                              struct found *out_found, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    enum layout layout;
    struct error doubt = {0};
    if (fetch->shelved)
        return ask_shelved(delivery, call, out_found, err);
    enum layout_answer known = source_layout(fetch->source, fetch->worker, call, &layout, &doubt);
    if (known == LAYOUT_UNKNOWN) {
        *err = doubt;
        return SOURCE_FAILED;
    }
    struct attempt_note of_mark = *call->note;
    enum source_answer answer = ask_forms(delivery, call, layout, out_found, err);
    bool note = err->kind == ERROR_WITHDRAWN || err->kind == ERROR_UNINDEXED;
    if (known == LAYOUT_KNOWN || answer != SOURCE_ABSENT || note)
        return answer;
    call->note->status = of_mark.status;
    text_copy(call->note->url, sizeof call->note->url, of_mark.url);
    error_set(err, doubt.kind, "its layout is not known: %.160s, for index2.txt", doubt.what);
    error_hint(err, "Write its layout into the server: \"symstore\", or \"two-tier\".");
    return SOURCE_FAILED;
}

static void head_came(struct delivery *delivery) {
    struct fetch *fetch = delivery->fetch;
    fetch->head_good = true;
    fetch->note->head_ms = clock_ms() - delivery->began_ms;
    fetch->ops->head_came(fetch);
}

/* A file served in place is looked at like any other body. */
static bool verify_local(struct delivery *delivery, const struct source_local *local,
                         struct error *err) {
    const struct symbol_key *key = &delivery->fetch->question->key;
    char first[CONTENT_LOOK_BYTES];
    ssize_t got = files_read_at(local->fd, first, sizeof first, 0, err);
    if (got < 0)
        return false;
    if (verify_first(key, &delivery->content, first, (size_t)got, err) &&
        verify_file(key, local->fd, local->size, err))
        return true;
    delivery_came(delivery, first, (size_t)got);
    delivery->came = local->size;
    delivery->fetch->refused = true;
    delivery_refuse(delivery, err);
    return false;
}

static bool adopt(struct delivery *delivery, const struct source_local *local) {
    struct fetch *fetch = delivery->fetch;
    if (!fetch->ops->may_write(fetch))
        return false;
    delivery_note_total(delivery);
    fetch->note->result = ATTEMPT_FOUND;
    fetch->ops->body_came(fetch);
    return cache_adopt(fetch->cache, fetch->copy, local->fd, local->size, local->modified_ns,
                       fetch->source->options.identifier, fetch->source->pool, local->settled);
}

static enum fetch_end run_local(struct delivery *delivery, const struct source_local *local,
                                struct error *err) {
    head_came(delivery);
    enum fetch_end end;
    if (!verify_local(delivery, local, err))
        end = FETCH_FAILED;
    else if (choice_make_local(delivery->fetch, local->fd, local->size, err) == CHOICE_ASIDE)
        end = FETCH_ASIDE;
    else
        end = adopt(delivery, local) ? FETCH_LOCAL : FETCH_LOST;
    if (end != FETCH_LOCAL)
        close(local->fd);
    return end;
}

static enum fetch_end run(struct delivery *delivery, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    bool resumes = fetch->taking_up && fetch->resume.offset > 0;
    struct source_call call = {
        .resume = resumes ? &fetch->resume : NULL,
        .checksums = fetch->question->checksums[0] ? fetch->question->checksums : NULL,
        .cancel = fetch->cancel,
        .fresh_connection = fetch->fresh_connection,
        .retry_after_s = -1,
        .note = fetch->note,
    };
    struct found found = {.local.fd = -1};
    enum source_answer answer = ask(delivery, &call, &found, err);
    fetch->retry_after_s = call.retry_after_s;
    fetch->behind = call.behind;
    switch (answer) {
    case SOURCE_FOUND:
        head_came(delivery);
        return delivery_run(delivery, found.form, err);
    case SOURCE_ABSENT:
        return FETCH_ABSENT;
    case SOURCE_FAILED:
        return err->kind == ERROR_CANCELLED ? FETCH_CANCELLED : FETCH_FAILED;
    case SOURCE_LOCAL:
        return run_local(delivery, &found.local, err);
    case SOURCE_SAME: /* only answers a mark, and there is none */
        break;
    }
    return FETCH_FAILED;
}

enum fetch_end fetcher_run(struct fetch *fetch, struct error *err) {
    CLEANUP(delivery_release) struct delivery delivery;
    delivery_init(&delivery, fetch);
    fetch->head_good = false;
    fetch->refused = false;
    enum fetch_end end = run(&delivery, err);
    delivery_note_total(&delivery);
    return end;
}
