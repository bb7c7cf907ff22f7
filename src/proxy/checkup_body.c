// SPDX-License-Identifier: MIT
#include "proxy/checkup_body.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "proxy/verify.h"
#include "proxy/vetter.h"

enum { PIECE_BYTES = 64 * 1024, SPILL_BYTES_MAX = 16 * CHECKUP_BYTES_MAX };

/* A body on its way into a spill file. */
struct specimen {
    struct spill *spill;
    struct shelf_found found; /* its descriptor, size and form */
    int64_t deadline_ms;
};

enum taken { TAKEN_WHOLE, TAKEN_IN_PART, TAKEN_FAILED };

static enum taken take(struct specimen *specimen, const char *first, size_t length,
                       struct reader *reader, struct error *err) {
    char piece[PIECE_BYTES];
    struct shelf_found *found = &specimen->found;
    if (!files_write_at(found->fd, first, length, 0, err))
        return TAKEN_FAILED;
    for (found->size = length;
         found->size < CHECKUP_BYTES_MAX && clock_ms() < specimen->deadline_ms;) {
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

static enum said look_at_whole(struct specimen *specimen, const struct symbol_key *key,
                               const char *first, size_t length, struct reader *reader,
                               struct error *err) {
    enum said said = SAID_FAILED;
    specimen->spill = spill_new(NULL, SPILL_BYTES_MAX);
    *err = (struct error){0};
    if (spill_open(specimen->spill, &specimen->found.fd, err)) {
        enum taken taken = take(specimen, first, length, reader, err);
        said = judge(specimen, key, taken, err);
        close(specimen->found.fd);
    }
    spill_free(specimen->spill);
    return said;
}

/* So much as tells what it is, or all that comes in time. -1 with err: it broke, or is too little.
 */
static ssize_t read_first(struct reader *reader, int64_t deadline_ms,
                          char first[CONTENT_LOOK_BYTES], struct error *err) {
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < CONTENT_LOOK_BYTES && clock_ms() < deadline_ms) {
        got = reader_read(reader, first + length, CONTENT_LOOK_BYTES - length, err);
        length += got > 0 ? (size_t)got : 0;
    }
    if (got > 0 && length < CONTENT_LEAST_BYTES) {
        error_set(err, ERROR_STALLED, "only %zu bytes of it came in %d s", length,
                  CHECKUP_READ_MS / 1000);
        error_hint(err, "Look at what slows that server down, or the way to it.");
        return -1;
    }
    return got < 0 ? got : (ssize_t)length;
}

enum said checkup_body(const struct symbol_key *key, enum form form, bool known,
                       const struct content *content, struct reader *reader, struct error *err) {
    char first[CONTENT_LOOK_BYTES];
    struct specimen specimen = {.found = {.form = form, .fd = -1},
                                .deadline_ms = clock_ms() + CHECKUP_READ_MS};
    ssize_t got = read_first(reader, specimen.deadline_ms, first, err);
    if (got < 0)
        return SAID_FAILED;
    size_t length = (size_t)got;
    if (!verify_packed(key, form, first, length) && !verify_first(key, content, first, length, err))
        return err->kind == ERROR_HTML ? SAID_PAGE : SAID_FALSE;
    return known ? look_at_whole(&specimen, key, first, length, reader, err) : SAID_YES;
}
