// SPDX-License-Identifier: MIT
#include "proxy/index_load.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/search.h"
#include "source/source_index.h"

enum { AGAIN_MS = 10 * 1000 }; /* after the queue had no room for it */

/* One index being read. Its owner is the job: whoever runs it, or gets it back. */
struct index_load {
    struct queue_job job;
    struct symbols *symbols; /* a reference; set at creation, as are the next two */
    struct roster *roster;   /* a reference */
    struct source *source;
    struct cancel cancel;
    struct list in_symbols; /* guarded by symbols' lock */
};

static struct index_load *load_of(struct queue_job *job) {
    return LIST_ENTRY(job, struct index_load, job);
}

static void load_free(struct index_load *load) {
    lock_take(&load->symbols->lock);
    list_remove(&load->in_symbols);
    lock_give(&load->symbols->lock);
    roster_unref(load->roster);
    symbols_one_less(load->symbols);
    cancel_release(&load->cancel);
    free(load);
}

/* It was not asked, or not to the end. */
static void load_leave(struct index_load *load) {
    source_index_leave(load->source, AGAIN_MS);
    load_free(load);
}

static void submit(struct index_load *load) {
    enum error_kind why;
    if (cancel_raised(&load->cancel) || !queue_submit(load->source->queue, &load->job, &why))
        load_leave(load);
}

static void handed_back(struct queue_job *job, enum error_kind why) {
    (void)why;
    load_leave(load_of(job));
}

static void tell_whole(const struct source *source, uint64_t files_before) {
    uint64_t files = counted(&source->index->files);
    if (files != files_before)
        log_info("server \"%s\": its index was read; files listed: %llu",
                 source->options.identifier, (unsigned long long)files);
}

static void tell_failed(const struct source *source, const struct error *err) {
    char doing[160];
    text_format(doing, sizeof doing, "server \"%s\" is asked as if it published no index",
                source->options.identifier);
    log_failure(LOG_WARNING, doing, err);
}

/* A failure of a file of the index is one of its server; all of them are one key's, so that a bad
   index alone does not make a server rest for errors. */
static void note_rest(struct source *source, enum source_answer answer,
                      const struct source_call *call, const struct error *err) {
    enum error_kind kind = answer == SOURCE_FAILED && !call->behind ? err->kind : ERROR_NONE;
    static const char index[] = "000Admin";
    rest_note(queue_rest(source->queue), kind, call->behind ? 0 : call->note->status,
              hash_bytes(hash_process_key(), index, sizeof index - 1), call->retry_after_s);
}

static void run(struct queue_job *job, void *worker) {
    struct index_load *load = load_of(job);
    struct source *source = load->source;
    struct attempt_note note = {0};
    struct source_call call = {.cancel = &load->cancel, .retry_after_s = -1, .note = &note};
    struct error err = {0};
    enum source_answer answer;
    if (cancel_raised(&load->cancel)) {
        load_leave(load);
        return;
    }
    /* Whoever asks for a file shall not wait for an index that is slow to come. */
    queue_give(source->queue, job);
    uint64_t files = counted(&source->index->files);
    enum index_progress progress = source_index_step(source, worker, &call, &answer, &err);
    note_rest(source, answer, &call, &err);
    switch (progress) {
    case INDEX_MORE:
        submit(load);
        return;
    case INDEX_WHOLE:
        tell_whole(source, files);
        break;
    case INDEX_FAILED:
        tell_failed(source, &err);
        break;
    case INDEX_FAILED_AGAIN:
        break;
    }
    load_free(load);
}

static bool enlist(struct symbols *symbols, struct index_load *load) {
    SCOPED_LOCK(&symbols->lock);
    symbols->alive++;
    if (symbols->closing)
        return false;
    list_push_back(&symbols->index_loads, &load->in_symbols);
    return true;
}

void index_load_consider(struct symbols *symbols, struct roster *roster, struct source *source) {
    if (!source_index_claim(source))
        return;
    struct index_load *load = NEW(struct index_load);
    load->symbols = symbols_ref(symbols);
    load->roster = roster_ref(roster);
    load->source = source;
    load->job.run = run;
    load->job.handed_back = handed_back;
    load->job.background = true;
    load->job.optional = true;
    cancel_init(&load->cancel);
    if (enlist(symbols, load))
        submit(load);
    else
        load_leave(load);
}

void index_loads_close(struct symbols *symbols) {
    struct list withdrawn;
    list_init(&withdrawn);
    lock_take(&symbols->lock);
    LIST_EACH (node, &symbols->index_loads) {
        struct index_load *load = LIST_ENTRY(node, struct index_load, in_symbols);
        cancel_raise(&load->cancel);
        if (!queue_withdraw(load->source->queue, &load->job))
            continue;
        list_remove(node);
        list_push_back(&withdrawn, node);
    }
    lock_give(&symbols->lock);
    for (struct list *node; (node = list_pop_front(&withdrawn));)
        load_leave(LIST_ENTRY(node, struct index_load, in_symbols));
}
