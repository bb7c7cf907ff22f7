// SPDX-License-Identifier: MIT
#include "proxy/checkup_body.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "proxy/vetter.h"

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
        return SAID_YES;
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
    if (!content_acceptable(key, content, first, (size_t)got, err))
        return SAID_FALSE;
    return known ? look_at_whole(key, form, first, (size_t)got, reader, err) : SAID_YES;
}
