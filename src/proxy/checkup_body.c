// SPDX-License-Identifier: MIT
#include "proxy/checkup_body.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "proxy/pointed.h"
#include "proxy/verify.h"
#include "proxy/vetter.h"
#include "symbol/pointer.h"

enum { PIECE_BYTES = 64 * 1024, SPILL_BYTES_MAX = 16 * CHECKUP_BYTES_MAX };

/* A body on its way into a spill file. */
struct specimen {
    struct spill *spill;
    struct shelf_found found; /* its descriptor, size and form */
};

enum taken { TAKEN_WHOLE, TAKEN_IN_PART, TAKEN_FAILED };

static enum taken take(struct specimen *specimen, const char *first, size_t length,
                       struct reader *reader, struct error *err) {
    char piece[PIECE_BYTES];
    struct shelf_found *found = &specimen->found;
    int64_t deadline_ms = clock_ms() + CHECKUP_READ_MS;
    if (!files_write_at(found->fd, first, length, 0, err))
        return TAKEN_FAILED;
    for (found->size = length; found->size < CHECKUP_BYTES_MAX && clock_ms() < deadline_ms;) {
        ssize_t got = reader_read(reader, piece, sizeof piece, err);
        if (got == 0)
            return TAKEN_WHOLE;
        if (got < 0 || !files_write_at(found->fd, piece, (size_t)got, found->size, err))
            return TAKEN_FAILED;
        found->size += (size_t)got;
    }
    return TAKEN_IN_PART;
}

static enum said judge(struct specimen *specimen, const struct symbol_key *key, enum taken taken,
                       struct error *err) {
    if (taken == TAKEN_FAILED)
        return SAID_FAILED;
    if (taken == TAKEN_IN_PART)
        return SAID_YES; /* its first bytes are in order */
    enum vetted vetted = vetter_verify(specimen->spill, key, &specimen->found, err);
    if (vetted == VETTED_PACKED) {
        specimen->found.form = FORM_COMPRESSED; /* under the plain name */
        vetted = vetter_verify(specimen->spill, key, &specimen->found, err);
    }
    if (vetted != VETTED_FALSE)
        return SAID_YES;
    return err->kind == ERROR_DISK ? SAID_YES : SAID_FALSE; /* too large to be told: believed */
}

static enum said look_at_whole(const struct symbol_key *key, enum form form, const char *first,
                               size_t length, struct reader *reader, struct error *err) {
    struct specimen specimen = {.spill = spill_new(NULL, SPILL_BYTES_MAX),
                                .found = {.form = form, .fd = -1}};
    enum said said = SAID_FAILED;
    *err = (struct error){0};
    if (spill_open(specimen.spill, &specimen.found.fd, err)) {
        enum taken taken = take(&specimen, first, length, reader, err);
        said = judge(&specimen, key, taken, err);
        close(specimen.found.fd);
    }
    spill_free(specimen.spill);
    return said;
}

static bool begins_well(const struct symbol_key *key, enum form form, bool known,
                        const struct content *content, const char *first, size_t length,
                        struct error *err) {
    if (!known || verify_packed(key, form, first, length))
        return content_acceptable(key, content, first, length, err);
    if (form == FORM_COMPRESSED)
        return error_set(err, ERROR_IDENTITY, "what comes as a compressed file is no archive");
    return verify_first(key, content, first, length, err);
}

enum said checkup_body(const struct symbol_key *key, enum form form, bool known,
                       const struct content *content, struct reader *reader, struct error *err) {
    char first[CONTENT_LOOK_BYTES];
    ssize_t got = reader_read(reader, first, sizeof first, err);
    if (got < 0)
        return SAID_FAILED;
    if (content->announced_html || content_look(first, (size_t)got) == CONTENT_HTML) {
        error_set(err, ERROR_HTML, "a web page came");
        return SAID_PAGE;
    }
    if (form == FORM_POINTER && got > 0)
        return SAID_YES; /* plain text */
    if (!begins_well(key, form, known, content, first, (size_t)got, err))
        return SAID_FALSE;
    return known ? look_at_whole(key, form, first, (size_t)got, reader, err) : SAID_YES;
}

/* --- pointers --- */

static enum said look_at_target(struct pointed_target *target, const struct source_call *call,
                                const struct symbol_key *key, struct error *err) {
    const struct source_ops *ops = target->source->ops;
    struct attempt_note note = {0};
    struct source_call ask = {.cancel = call->cancel, .retry_after_s = -1, .note = &note};
    struct content content = {0};
    struct reader *reader = NULL;
    enum form form;
    enum said said = SAID_FALSE;
    void *worker = ops->worker_new ? ops->worker_new() : NULL;
    enum source_answer answer =
        pointed_ask_target(target, &ask, worker, &content, &reader, &form, err);
    if (answer == SOURCE_FOUND)
        said = checkup_body(key, form, true, &content, reader, err);
    else if (answer == SOURCE_FAILED)
        said = SAID_FAILED;
    else
        error_set(err, ERROR_ELSEWHERE, "a pointer leads to \"%.200s\", and nothing is there",
                  note.url);
    reader_close(reader);
    if (worker)
        ops->worker_free(worker);
    return said;
}

enum said checkup_pointer(struct source *source, const struct source_call *call,
                          const struct symbol_key *key, const struct content *content,
                          struct reader *reader, struct error *err) {
    char bytes[POINTER_BYTES_MAX + 1];
    size_t length = 0;
    ssize_t got;
    while (length < sizeof bytes &&
           (got = reader_read(reader, bytes + length, sizeof bytes - length, err)) != 0) {
        if (got < 0)
            return SAID_FAILED;
        length += (size_t)got;
    }
    if (content->announced_html || content_look(bytes, length) == CONTENT_HTML) {
        error_set(err, ERROR_HTML, "a web page came");
        return SAID_PAGE;
    }
    struct pointed_target target;
    switch (pointed_read(source, call->path, bytes, length, &target, err)) {
    case POINTED_TARGET:
        return look_at_target(&target, call, key, err);
    case POINTED_MESSAGE:
        return SAID_NO;
    case POINTED_REFUSED:
    case POINTED_FALSE:
        break;
    }
    return SAID_FALSE;
}
