// SPDX-License-Identifier: MIT
#include "source/source_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "symbol/store_index.h"

enum {
    PIECE_BYTES = 16 * 1024,
    LAST_BYTES_MAX = 64,
    SETTLED_S = 10, /* what is younger may change again within the second that marks tell apart */
};

struct source_index *source_index_new(void) {
    struct source_index *index = NEW(struct source_index);
    atomic_init(&index->refs, 1);
    pthread_mutex_init(&index->lock, NULL);
    buffer_init(&index->gathered, INDEX_FILES_MAX * sizeof(uint64_t));
    return index;
}

struct source_index *source_index_ref(struct source_index *index) {
    atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed);
    return index;
}

void source_index_unref(struct source_index *index) {
    if (!index || atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) > 1)
        return;
    hash_set_release(&index->set);
    buffer_release(&index->gathered);
    free(index->live);
    pthread_mutex_destroy(&index->lock);
    free(index);
}

/* --- asking it ------------------------------------------------------------------------------ */

/* Lock held. */
static bool counts(const struct source *source, int64_t now_ms) {
    const struct source_index *index = source->index;
    return index->looked_ms > 0 && now_ms - index->looked_ms < source->options.index_refresh_ms;
}

bool source_index_lacks(const struct source *source, const struct symbol_key *key) {
    struct source_index *index = source->index;
    if (!index || !store_index_covers(key))
        return false;
    SCOPED_LOCK(&index->lock);
    return counts(source, clock_ms()) && !hash_set_has(&index->set, key->hash);
}

void source_index_note_spared(const struct source *source) {
    count(&source->index->spared);
}

bool source_index_claim(const struct source *source) {
    struct source_index *index = source->index;
    if (!index)
        return false;
    int64_t now_ms = clock_ms();
    SCOPED_LOCK(&index->lock);
    if (index->claimed || now_ms < index->again_ms || counts(source, now_ms))
        return false;
    index->claimed = true;
    index->step = INDEX_STEP_LAST;
    index->began_ms = now_ms;
    return true;
}

void source_index_leave(const struct source *source, int64_t retry_ms) {
    struct source_index *index = source->index;
    SCOPED_LOCK(&index->lock);
    index->claimed = false;
    index->again_ms = clock_ms() + retry_ms;
}

/* --- reading one of its files --------------------------------------------------------------- */

/* What a file of the index came to. */
enum reading { READING_DONE, READING_SAME, READING_ABSENT, READING_FAILED };

/* One question under way. */
struct asking {
    struct source *source;
    void *worker;
    struct source_call *call;
    enum source_answer answer;
    struct content content;
    char path[STORE_INDEX_PATH_BYTES];
};

static enum reading ask(struct asking *asking, const struct file_mark *unless,
                        struct reader **out_reader, struct error *err) {
    struct source *source = asking->source;
    struct source_local local;
    if (source->options.casing == CASING_LOWER)
        text_fold(asking->path);
    if (source->options.casing == CASING_UPPER)
        text_raise(asking->path);
    asking->call->path = asking->path;
    asking->call->unless = unless && unless->known ? unless : NULL;
    asking->answer = source->ops->ask(source, asking->worker, asking->call, false, &asking->content,
                                      out_reader, &local, err);
    switch (asking->answer) {
    case SOURCE_FOUND:
        return file_mark_fits(asking->call->unless, &asking->content) ? READING_SAME : READING_DONE;
    case SOURCE_SAME:
        return READING_SAME;
    case SOURCE_ABSENT:
        return READING_ABSENT;
    case SOURCE_FAILED:
    case SOURCE_LOCAL:
        break;
    }
    return READING_FAILED;
}

/* By what it will be known again. */
static struct file_mark mark_of(const struct content *content) {
    struct file_mark mark = {.size = content->size, .last_modified = content->last_modified};
    text_copy(mark.validator, sizeof mark.validator, content->validator);
    bool settled = !content->unsettled && clock_wall_s() - content->last_modified >= SETTLED_S;
    mark.known = settled && (content->last_modified > 0 || content->validator[0]);
    return mark;
}

static bool not_there(const struct asking *asking, struct error *err) {
    return error_set(err, ERROR_INVALID, "\"%s\" is not there", asking->path);
}

/* Reads to the end and hands the lines on; false: err. */
static bool read_lines(struct asking *asking, struct reader *reader, struct store_lines *lines,
                       struct error *err) {
    int64_t until_ms = clock_ms() + INDEX_FILE_MS;
    uint64_t bytes_read = 0;
    char piece[PIECE_BYTES];
    for (;;) {
        ssize_t got = reader_read(reader, piece, sizeof piece, err);
        if (got < 0)
            return false;
        if (got == 0)
            break;
        bytes_read += (uint64_t)got;
        if (bytes_read > INDEX_BYTES_MAX || clock_ms() > until_ms)
            return error_set(err, ERROR_INVALID, "\"%s\" is too long or too slow", asking->path);
        if (!store_lines_add(lines, piece, (size_t)got))
            return false;
    }
    return store_lines_end(lines);
}

static bool bad_line(const struct asking *asking, const struct store_lines *lines,
                     struct error *err) {
    return error_set(err, ERROR_INVALID, "line %llu of \"%s\" is not understood",
                     (unsigned long long)lines->number, asking->path);
}

/* --- the last transaction ------------------------------------------------------------------- */

/* So short that it is read anew each time. */
static bool read_last(struct source_index *index, struct asking *asking, struct error *err) {
    CLEANUP(reader_close_at) struct reader *reader = NULL;
    text_copy(asking->path, sizeof asking->path, "000Admin/lastid.txt");
    enum reading reading = ask(asking, NULL, &reader, err);
    if (reading == READING_ABSENT)
        return not_there(asking, err);
    if (reading == READING_FAILED)
        return false;
    char bytes[LAST_BYTES_MAX];
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < sizeof bytes) {
        got = reader_read(reader, bytes + length, sizeof bytes - length, err);
        if (got < 0)
            return false;
        length += (size_t)got;
    }
    if (!store_index_last(bytes, length, &index->last))
        return error_set(err, ERROR_INVALID, "\"%s\" is no number of a transaction", asking->path);
    index->step = INDEX_STEP_LIVE;
    return true;
}

/* --- the live ones -------------------------------------------------------------------------- */

struct live_lines {
    struct store_lines lines; /* first */
    struct asking *asking;
    struct index_transaction *live;
    size_t count;
    struct error *err;
};

static bool add_live(struct live_lines *list, uint64_t number) {
    if (list->count == INDEX_TRANSACTIONS_MAX)
        return error_set(list->err, ERROR_INVALID, "it has more than %d transactions",
                         INDEX_TRANSACTIONS_MAX);
    list->live[list->count++] = (struct index_transaction){.number = number};
    return true;
}

static bool take_transaction(struct store_lines *lines, const char *line, size_t length) {
    struct live_lines *list = (struct live_lines *)(void *)lines;
    uint64_t number;
    switch (store_index_transaction(line, length, &number)) {
    case STORE_LINE_GOOD:
        return add_live(list, number);
    case STORE_LINE_NONE:
        return true;
    case STORE_LINE_BAD:
        break;
    }
    return bad_line(list->asking, lines, list->err);
}

/* Without a list of the live ones all are. */
static bool add_all(struct source_index *index, struct live_lines *list) {
    for (uint64_t number = 1; number <= index->last; number++)
        if (!add_live(list, number))
            return false;
    return true;
}

static int by_number(const void *a, const void *b) {
    const struct index_transaction *first = a;
    const struct index_transaction *second = b;
    return (first->number > second->number) - (first->number < second->number);
}

static void forget_what_was_read(struct source_index *index) {
    for (size_t i = 0; i < index->live_count; i++)
        index->live[i].read = false;
    buffer_clear(&index->gathered);
    index->newest_number = 0;
    index->anew = true;
}

/* Takes over what has been read of transactions that are still live; false: one that was read is
   none any more. */
static bool all_still_live(const struct source_index *index, struct live_lines *list) {
    for (size_t i = 0; i < index->live_count; i++) {
        const struct index_transaction *old = &index->live[i];
        struct index_transaction *still =
            old->read && list->count > 0
                ? bsearch(old, list->live, list->count, sizeof *old, by_number)
                : NULL;
        if (still)
            still->read = true;
        else if (old->read)
            return false;
    }
    return true;
}

/* Only a transaction of its own does away with another; less without one was read in the middle of
   a change. */
static bool use_list(struct source_index *index, struct live_lines *list, struct error *err) {
    if (list->count > 0)
        qsort(list->live, list->count, sizeof *list->live, by_number);
    bool still = all_still_live(index, list);
    if (!still && index->last == index->last_whole)
        return error_set(err, ERROR_INVALID, "\"%s\" has become shorter without a transaction",
                         list->asking->path);
    free(index->live);
    index->live = TAKE(list->live);
    index->live_count = list->count;
    if (!still)
        forget_what_was_read(index);
    return true;
}

static void free_live(struct live_lines *list) {
    free(list->live);
}

static bool read_live(struct source_index *index, struct asking *asking, struct error *err) {
    CLEANUP(reader_close_at) struct reader *reader = NULL;
    CLEANUP(free_live)
    struct live_lines list = {.lines.take = take_transaction,
                              .asking = asking,
                              .live = NEW_ARRAY(struct index_transaction, INDEX_TRANSACTIONS_MAX),
                              .err = err};
    bool unchanged = index->last == index->last_whole && index->live_count > 0;
    text_copy(asking->path, sizeof asking->path, "000Admin/server.txt");
    index->step = INDEX_STEP_FILES;
    index->at = 0;
    switch (ask(asking, unchanged ? &index->list : NULL, &reader, err)) {
    case READING_DONE:
        if (!read_lines(asking, reader, &list.lines, err) || !use_list(index, &list, err))
            return false;
        index->list = mark_of(&asking->content);
        return true;
    case READING_SAME:
        return true;
    case READING_ABSENT:
        if (!add_all(index, &list) || !use_list(index, &list, err))
            return false;
        index->list = (struct file_mark){0};
        return true;
    case READING_FAILED:
        break;
    }
    return false;
}

/* --- what they added ------------------------------------------------------------------------ */

struct file_lines {
    struct store_lines lines; /* first */
    struct asking *asking;
    struct buffer *gathered;
    struct error *err;
};

static bool take_file(struct store_lines *lines, const char *line, size_t length) {
    struct file_lines *files = (struct file_lines *)(void *)lines;
    struct symbol_key key;
    switch (store_index_file(line, length, &key)) {
    case STORE_LINE_GOOD:
        return buffer_append(files->gathered, &key.hash, sizeof key.hash) ||
               error_set(files->err, ERROR_INVALID, "it lists more than %d files", INDEX_FILES_MAX);
    case STORE_LINE_NONE:
        return true;
    case STORE_LINE_BAD:
        break;
    }
    return bad_line(files->asking, lines, files->err);
}

static bool gather(struct source_index *index, struct asking *asking, struct reader *reader,
                   struct error *err) {
    size_t before = index->gathered.length;
    struct file_lines files = {
        .lines.take = take_file, .asking = asking, .gathered = &index->gathered, .err = err};
    if (read_lines(asking, reader, &files.lines, err))
        return true;
    index->gathered.length = before;
    index->gathered.failed = false;
    return false;
}

static bool read_files(struct source_index *index, struct asking *asking, struct error *err) {
    CLEANUP(reader_close_at) struct reader *reader = NULL;
    struct index_transaction *asked = &index->live[index->at];
    bool newest = index->at + 1 == index->live_count;
    bool again = asked->read && index->newest_number == asked->number;
    store_index_path(asked->number, asking->path);
    switch (ask(asking, again ? &index->newest : NULL, &reader, err)) {
    case READING_DONE:
        if (!gather(index, asking, reader, err))
            return false;
        if (newest) {
            index->newest = mark_of(&asking->content);
            index->newest_number = asked->number;
        }
        break;
    case READING_SAME:
        break;
    case READING_ABSENT:
        return not_there(asking, err);
    case READING_FAILED:
        return false;
    }
    asked->read = true;
    index->at++;
    return true;
}

/* --- the end -------------------------------------------------------------------------------- */

/* The next transaction to be asked for: what was not read, and the newest. */
static bool more_to_read(struct source_index *index) {
    while (index->at < index->live_count && index->live[index->at].read &&
           index->at + 1 < index->live_count)
        index->at++;
    return index->at < index->live_count;
}

static bool publish(struct source_index *index, struct error *err) {
    static const struct hash_set nothing;
    const struct hash_set *old = index->anew ? &nothing : &index->set;
    uint64_t *hashes = (uint64_t *)(void *)index->gathered.bytes;
    struct hash_set joined;
    size_t gathered = index->gathered.length / sizeof *hashes;
    if (old->count + gathered > INDEX_FILES_MAX || !hash_set_join(old, hashes, gathered, &joined))
        return error_set(err, ERROR_INVALID, "it lists more than %d files", INDEX_FILES_MAX);
    if (joined.count == 0)
        return error_set(err, ERROR_INVALID, "it lists no file");
    buffer_release(&index->gathered);
    buffer_init(&index->gathered, INDEX_FILES_MAX * sizeof *hashes);
    index->last_whole = index->last;
    index->anew = false;
    index->why[0] = '\0';
    atomic_store_explicit(&index->files, joined.count, memory_order_relaxed);
    lock_take(&index->lock);
    struct hash_set before = index->set;
    index->set = joined;
    index->looked_ms = index->began_ms;
    index->claimed = false;
    lock_give(&index->lock);
    hash_set_release(&before);
    return true;
}

static enum index_progress failed(const struct source *source, const struct error *err) {
    struct source_index *index = source->index;
    int64_t refresh_ms = source->options.index_refresh_ms;
    bool told = err->kind == ERROR_CANCELLED || strcmp(index->why, err->what) == 0;
    if (err->kind != ERROR_CANCELLED) {
        count(&index->failures);
        text_copy(index->why, sizeof index->why, err->what);
    }
    source_index_leave(source, refresh_ms < INDEX_RETRY_MS ? refresh_ms : INDEX_RETRY_MS);
    return told ? INDEX_FAILED_AGAIN : INDEX_FAILED;
}

static bool take_step(struct source_index *index, struct asking *asking, struct error *err) {
    switch (index->step) {
    case INDEX_STEP_LAST:
        return read_last(index, asking, err);
    case INDEX_STEP_LIVE:
        return read_live(index, asking, err);
    case INDEX_STEP_FILES:
        break;
    }
    return read_files(index, asking, err);
}

enum index_progress source_index_step(struct source *source, void *worker, struct source_call *call,
                                      enum source_answer *out_answer, struct error *err) {
    struct source_index *index = source->index;
    struct asking asking = {.source = source, .worker = worker, .call = call};
    bool good = take_step(index, &asking, err);
    call->path = NULL; /* it lies in `asking` */
    *out_answer = asking.answer;
    if (!good)
        return failed(source, err);
    if (index->step != INDEX_STEP_FILES || more_to_read(index))
        return INDEX_MORE;
    return publish(index, err) ? INDEX_WHOLE : failed(source, err);
}
