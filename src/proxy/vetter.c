// SPDX-License-Identifier: MIT
#include "proxy/vetter.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/files.h"
#include "codec/decoder.h"
#include "proxy/verify.h"
#include "symbol/pointer.h"

enum { ALONE_BYTES_MAX = 1 << 30, CHECK_MS = 300 };

static const struct content nothing_said = {.size = SIZE_UNKNOWN};

/* --- expanding ------------------------------------------------------------------------------ */

struct file_reader {
    struct reader reader;
    int fd;
    uint64_t at;
};

static ssize_t file_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct file_reader *file = (struct file_reader *)reader;
    ssize_t got = files_read_at(file->fd, bytes, length, file->at, err);
    file->at += got > 0 ? (uint64_t)got : 0;
    return got;
}

static bool file_ready(struct reader *reader) {
    (void)reader;
    return true;
}

/* A spill file that takes what comes out of an archive, as far as there are room and time. */
struct unfolded {
    struct decoder_sink sink;
    struct spill *spill;
    int fd;
    uint64_t length;
    int64_t deadline_ms;
    bool incomplete;
};

static bool take(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                 struct error *err) {
    (void)more;
    struct unfolded *out = (struct unfolded *)sink;
    uint64_t at = out->length;
    out->incomplete = clock_ms() > out->deadline_ms || !spill_charge(out->spill, length, err);
    if (out->incomplete)
        return false;
    out->length += length;
    out->incomplete = !files_write_at(out->fd, bytes, length, at, err);
    return !out->incomplete;
}

/* Expands the file, and judges what comes out. What is too large for that cannot be judged here:
   ERROR_DISK. */
static bool verify_unfolded(struct unfolded *out, enum coding coding, const struct symbol_key *key,
                            const struct shelf_found *found, struct error *err) {
    static const struct reader_ops ops = {.read = file_read, .ready = file_ready};
    struct file_reader file = {.reader.ops = &ops, .fd = found->fd};
    const struct decoder_input in = {.coding = coding, .reader = &file.reader, .size = found->size};
    char first[CONTENT_LOOK_BYTES];
    enum decoder_end end = decoder_run(&in, &out->sink, &decoder_default_limits, err);
    if (out->incomplete)
        return error_set(err, ERROR_DISK, "there is no room or time to see what is in it");
    if (end != DECODER_WHOLE)
        return false;
    ssize_t got = files_read_at(out->fd, first, sizeof first, 0, err);
    return got >= 0 && verify_first(key, &nothing_said, first, (size_t)got, err) &&
           verify_file(key, out->fd, out->length, err);
}

/* The shelves' threads have more to do: one at a time. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool verify_archive(struct spill *spill, enum coding coding, const struct symbol_key *key,
                           const struct shelf_found *found, struct error *err) {
    if (pthread_mutex_trylock(&turn) != 0)
        return error_set(err, ERROR_DISK, "another archive is being looked at");
    struct unfolded out = {
        .sink.write = take, .spill = spill, .fd = -1, .deadline_ms = clock_ms() + CHECK_MS};
    bool good = spill_open(spill, &out.fd, err) && verify_unfolded(&out, coding, key, found, err);
    close_fd(&out.fd);
    spill_discharge(spill, out.length);
    pthread_mutex_unlock(&turn);
    return good;
}

/* --- all forms ------------------------------------------------------------------------------ */

static bool verify_pointer(const char *first, size_t length, struct error *err) {
    struct pointer pointer;
    pointer_parse(first, length, &pointer);
    if (pointer.kind != POINTER_INVALID && content_look(first, length) != CONTENT_HTML)
        return true;
    return error_set(err, ERROR_TEXT, "the pointer file says nothing that could be followed");
}

static bool verify_plain(const struct symbol_key *key, const struct shelf_found *found,
                         const char *first, size_t length, struct error *err) {
    return verify_first(key, &nothing_said, first, length, err) &&
           verify_file(key, found->fd, found->size, err);
}

enum vetted vetter_verify(void *spill, const struct symbol_key *key,
                          const struct shelf_found *found, struct error *err) {
    char first[POINTER_BYTES_MAX + 1];
    ssize_t got = files_read_at(found->fd, first, sizeof first, 0, err);
    if (got < 0)
        return VETTED_FALSE;
    size_t length = (size_t)got;
    bool packed = verify_packed(key, found->form, first, length);
    bool good = false;
    if (found->form == FORM_POINTER)
        good = verify_pointer(first, length, err);
    else if (!packed)
        good = verify_plain(key, found, first, length, err);
    else if (found->form == FORM_PLAIN)
        return VETTED_PACKED;
    else
        good = verify_archive(spill, decoder_recognise(first, length), key, found, err);
    return good ? VETTED_GOOD : VETTED_FALSE;
}

enum vetted vetter_verify_alone(const struct symbol_key *key, const struct shelf_found *found,
                                struct error *err) {
    struct spill *spill = spill_new(NULL, ALONE_BYTES_MAX);
    enum vetted vetted = vetter_verify(spill, key, found, err);
    spill_free(spill);
    return vetted;
}
