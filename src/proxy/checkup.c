// SPDX-License-Identifier: MIT
#include "proxy/checkup_body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "proxy/pointed.h"
#include "record/archive.h"
#include "source/source_layout.h"

enum {
    ROWS_LOOKED_AT = 200,
    CANCEL_MS = 1000, /* for a cancel to be heeded */
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
};

struct patient {
    struct source *source;
    const struct question *known; /* or NULL */
    void *worker;
    struct cancel *cancel;
    struct checkup *out;
    struct error remark; /* what a no came with: the pointer that stands in the file's place */
    unsigned forbidden;  /* noes to the known file that were told so */
};

/* One question, and what came. */
struct asked {
    struct source_call call;
    struct content content;
    struct reader *reader;
};

static bool make_question_of(const char *symbol, enum part part, struct question *out_question) {
    struct error ignored;
    struct spelling *spelling = &out_question->spelling;
    *out_question = (struct question){0};
    if (!spelling_read(symbol, spelling))
        return false;
    spelling->part = part;
    return symbol_key_make(spelling, &out_question->key, &ignored);
}

static bool make_question(const char *symbol, struct question *out_question) {
    return make_question_of(symbol, PART_ITSELF, out_question);
}

/* A file of a kind that the source may be asked for and its layout has a place for, with an id that
   no file has. False: there is no such kind, so it is never asked for anything. */
static bool impossible(const struct source *source, struct question *out_question) {
    static const struct {
        enum symbol_kind kind;
        const char *symbol;
        enum part part;
    } rows[] = {
        {KIND_PDB, "symgate-doctor.pdb/000000000000000000000000000000001"},
        {KIND_PE, "symgate-doctor.dll/000000001000"},
        {KIND_ELF, "symgate-doctor.so/elf-buildid-0000000000000000000000000000000000000000"},
        {KIND_MACHO, "symgate-doctor/mach-uuid-00000000000000000000000000000000"},
        {KIND_SYM, "symgate-doctor.pdb/000000000000000000000000000000001", PART_SYM},
        {KIND_OTHER, "symgate-doctor.txt/0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool made = make_question_of(rows[i].symbol, rows[i].part, out_question);
        assert(made && out_question->key.kind == rows[i].kind);
        if (source->options.kinds & 1U << rows[i].kind && source_has_place(source, out_question))
            return true;
    }
    return false;
}

static void note_answer(struct patient *patient, const struct source_call *call, int64_t began_ms,
                        enum source_answer answer, bool came) {
    struct checkup *out = patient->out;
    int64_t took_ms = clock_ms() - began_ms;
    out->status = call->note->status;
    patient->forbidden +=
        answer == SOURCE_ABSENT && call->also_absent && out->status == call->also_absent;
    out->answers += came;
    if (came && took_ms > out->took_ms)
        out->took_ms = took_ms;
    if (call->date_s)
        out->ahead_s = call->date_s - clock_wall_s();
    text_copy(out->url, sizeof out->url, call->note->url);
}

/* A store of objects forbids what it does not have: one that forbids what nobody can have says no
   to the known file so, too, and to what a pointer leads to. */
static int status_of_no(const struct patient *patient) {
    return patient->out->forbids == FORBIDDEN ? FORBIDDEN : 0;
}

static void note_dead(struct patient *patient, const struct pointer *pointer,
                      const struct error *why) {
    char shown[sizeof patient->remark.what];
    patient->remark = *why; /* a message */
    pointed_show(pointer, shown, sizeof shown);
    if (why->kind == ERROR_NONE)
        error_set(&patient->remark, ERROR_ELSEWHERE, "it leads to \"%.140s\", and nothing is there",
                  shown);
}

static enum said ask_pointed(struct patient *patient, const struct question *question,
                             struct source_call *call, const struct pointer *pointer,
                             struct error *err) {
    CLEANUP(pointed_release) struct pointed pointed;
    struct error why = {0};
    int64_t began_ms = clock_ms();
    enum source_answer answer =
        pointed_follow(patient->source, patient->worker, call, pointer, &pointed, &why);
    note_answer(patient, call, began_ms, answer, answer != SOURCE_FAILED);
    if (answer == SOURCE_FOUND)
        return checkup_body(&question->key, pointed.form, true, &pointed.content, pointed.reader,
                            err);
    if (answer == SOURCE_ABSENT) {
        note_dead(patient, pointer, &why);
        return SAID_NO;
    }
    *err = why;
    return err->kind == ERROR_HTML ? SAID_PAGE : SAID_FAILED;
}

/* A pointer is what a request would make of it. For what nobody has, there is nothing to follow. */
static enum said follow(struct patient *patient, const struct question *question,
                        struct asked *asked, struct error *err) {
    struct pointer pointer;
    bool refused;
    bool read = pointed_read(asked->reader, &asked->content, &pointer, &refused, err);
    reader_close(TAKE(asked->reader));
    if (!read && !refused)
        return SAID_FAILED;
    if (!read)
        return err->kind == ERROR_HTML ? SAID_PAGE : SAID_FALSE;
    if (question == patient->known || pointer.kind == POINTER_MESSAGE)
        return ask_pointed(patient, question, &asked->call, &pointer, err);
    return SAID_YES;
}

static enum said look_at_answer(struct patient *patient, const struct question *question,
                                enum form form, struct asked *asked, struct error *err) {
    if (form == FORM_POINTER)
        return follow(patient, question, asked, err);
    return checkup_body(&question->key, form, question == patient->known, &asked->content,
                        asked->reader, err);
}

static enum said ask_path(struct patient *patient, const struct question *question, enum form form,
                          const char *path, bool *out_redirected, struct error *err) {
    struct attempt_note note = {0};
    struct asked asked = {.call = {.path = path,
                                   .also_absent = status_of_no(patient),
                                   .cancel = patient->cancel,
                                   .retry_after_s = -1,
                                   .note = &note}};
    struct source_local local;
    struct source *source = patient->source;
    int64_t began_ms = clock_ms();
    enum source_answer answer = source->ops->ask(source, patient->worker, &asked.call, false,
                                                 &asked.content, &asked.reader, &local, err);
    note_answer(patient, &asked.call, began_ms, answer,
                answer != SOURCE_FAILED || err->kind != ERROR_CANCELLED);
    enum said said = SAID_NO;
    if (answer == SOURCE_FOUND)
        said = look_at_answer(patient, question, form, &asked, err);
    else if (answer == SOURCE_FAILED)
        said = err->kind == ERROR_HTML ? SAID_PAGE : SAID_FAILED;
    reader_close(asked.reader);
    *out_redirected = asked.content.redirected || asked.call.behind;
    if (said == SAID_FAILED && err->kind == ERROR_CANCELLED)
        patient->out->cut_ms = clock_ms() - began_ms;
    return said;
}

static enum said ask_form(struct patient *patient, const struct question *question,
                          enum layout layout, enum form form, bool *out_redirected,
                          struct error *err) {
    struct store_path paths[STORE_PATHS_MAX];
    enum casing casing = patient->source->options.casing;
    unsigned count = store_paths(layout, casing, question, form, paths);
    for (unsigned n = 0; n < count; n++) {
        enum said said = ask_path(patient, question, form, paths[n].path, out_redirected, err);
        if (said != SAID_NO)
            return said;
    }
    return SAID_NO;
}

/* In every form that the source is asked for, until one is there. */
static enum said ask_layout(struct patient *patient, const struct question *question,
                            enum layout layout, bool *out_redirected, struct error *err) {
    const struct source_options *options = &patient->source->options;
    struct error first = {0};
    for (unsigned i = 0; i < options->form_count; i++) {
        enum said said =
            ask_form(patient, question, layout, options->forms[i], out_redirected, err);
        if (said == SAID_FALSE && question == patient->known && first.kind == ERROR_NONE)
            first = *err; /* a request takes another form then */
        else if (said != SAID_NO && said != SAID_FALSE)
            return said;
        else if (said == SAID_FALSE && question != patient->known)
            return said;
    }
    if (first.kind == ERROR_NONE)
        return SAID_NO;
    *err = first;
    return SAID_FALSE;
}

static enum checkup_word word_of_failure(const struct patient *patient, const struct error *err) {
    int status = patient->out->status;
    bool forbids = err->kind == ERROR_STATUS && (status == UNAUTHORIZED || status == FORBIDDEN);
    return forbids ? CHECKUP_FORBIDS : CHECKUP_FAILED;
}

/* What nobody has must be told by a plain no. */
static enum checkup_word ask_impossible(struct patient *patient, enum layout layout) {
    struct question question;
    bool redirected = false;
    struct error *why = &patient->out->why;
    if (!impossible(patient->source, &question))
        return CHECKUP_PLACELESS;
    switch (ask_layout(patient, &question, layout, &redirected, why)) {
    case SAID_NO:
        return CHECKUP_GOOD;
    case SAID_FAILED:
        return word_of_failure(patient, why);
    case SAID_YES:
    case SAID_FALSE:
        return CHECKUP_ANYTHING;
    case SAID_PAGE:
        break;
    }
    return redirected ? CHECKUP_LOGIN : CHECKUP_PAGE;
}

/* In the forms that it is not asked for. */
static bool look_for_forms(struct patient *patient, const struct question *known,
                           enum layout layout) {
    static const enum form forms[] = {FORM_PLAIN, FORM_COMPRESSED, FORM_POINTER};
    unsigned asked = source_forms(patient->source);
    bool redirected;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct error ignored = {0};
        if (asked & forms[i] || cancel_raised(patient->cancel) ||
            ask_form(patient, known, layout, forms[i], &redirected, &ignored) != SAID_YES)
            continue;
        patient->out->form = forms[i];
        patient->out->layout = layout;
        return true;
    }
    return false;
}

static enum checkup_word look_elsewhere(struct patient *patient, const struct question *known,
                                        enum layout own) {
    bool redirected;
    for (unsigned i = LAYOUT_SYMSTORE; i < LAYOUT_COUNT; i++) {
        struct error ignored = {0};
        if (i == own || cancel_raised(patient->cancel) ||
            ask_layout(patient, known, (enum layout)i, &redirected, &ignored) != SAID_YES)
            continue;
        patient->out->layout = (enum layout)i;
        return CHECKUP_LAYOUT;
    }
    if (look_for_forms(patient, known, own))
        return CHECKUP_FORM;
    for (unsigned i = LAYOUT_SYMSTORE; i < LAYOUT_COUNT; i++)
        if (i != own && look_for_forms(patient, known, (enum layout)i))
            return CHECKUP_LAYOUT;
    if (!cancel_raised(patient->cancel))
        return CHECKUP_MISSING;
    error_set(&patient->out->why, ERROR_CANCELLED, "not all layouts could be tried");
    return CHECKUP_FAILED;
}

/* It is not where it should be, or only a pointer is. */
static enum checkup_word look_on(struct patient *patient, const struct question *known,
                                 enum layout own) {
    const struct error remark = patient->remark;
    enum checkup_word word = look_elsewhere(patient, known, own);
    if (word != CHECKUP_MISSING || remark.kind == ERROR_NONE)
        return word;
    patient->out->why = remark;
    return CHECKUP_POINTER;
}

static enum checkup_word ask_known(struct patient *patient, const struct question *known,
                                   enum layout layout) {
    bool redirected = false;
    struct error *why = &patient->out->why;
    patient->remark = (struct error){0};
    switch (ask_layout(patient, known, layout, &redirected, why)) {
    case SAID_YES:
        patient->out->found = true;
        return CHECKUP_GOOD;
    case SAID_NO:
        return look_on(patient, known, layout);
    case SAID_PAGE:
        return redirected ? CHECKUP_LOGIN : CHECKUP_FALSE;
    case SAID_FALSE:
        return CHECKUP_FALSE;
    case SAID_FAILED:
        break;
    }
    return word_of_failure(patient, why);
}

static enum checkup_word ask_both(struct patient *patient, const struct question *known) {
    struct checkup *out = patient->out;
    enum checkup_word word = ask_impossible(patient, out->layout);
    if (word == CHECKUP_FORBIDS)
        out->forbids = out->status;
    if (!known || (word != CHECKUP_GOOD && word != CHECKUP_FORBIDS))
        return word;
    out->sought = source_has_place(patient->source, known);
    enum checkup_word of_known = ask_known(patient, known, out->layout);
    bool missing = of_known == CHECKUP_MISSING;
    if (missing && !out->sought)
        return word;
    if (word == CHECKUP_FORBIDS && (of_known == CHECKUP_GOOD || (missing && patient->forbidden)))
        return word;
    return of_known;
}

static enum checkup_word examine(struct patient *patient, const struct question *known) {
    struct attempt_note note = {0};
    struct source_call call = {.cancel = patient->cancel, .retry_after_s = -1, .note = &note};
    struct checkup *out = patient->out;
    struct error doubt = {0};
    if (!patient->source->options.enabled)
        return CHECKUP_OFF;
    if (patient->source->options.unaskable)
        return CHECKUP_UNASKABLE;
    enum layout_answer layout =
        source_layout(patient->source, patient->worker, &call, &out->layout, &doubt);
    enum checkup_word word = CHECKUP_FAILED;
    if (layout != LAYOUT_UNKNOWN)
        word = ask_both(patient, known);
    bool guessed = layout == LAYOUT_GUESSED && (word == CHECKUP_GOOD || word == CHECKUP_MISSING);
    if (layout != LAYOUT_UNKNOWN && !guessed)
        return word;
    out->why = doubt;
    out->status = note.status;
    text_copy(out->url, sizeof out->url, note.url);
    return guessed ? CHECKUP_GUESSED : word_of_failure(patient, &doubt);
}

void checkup_source(struct source *source, const struct question *known, struct cancel *cancel,
                    struct checkup *out_checkup) {
    *out_checkup = (struct checkup){0};
    struct patient patient = {
        .source = source, .known = known, .cancel = cancel, .out = out_checkup};
    if (source->ops->worker_new)
        patient.worker = source->ops->worker_new();
    out_checkup->word = examine(&patient, known);
    if (source->ops->worker_free && patient.worker)
        source->ops->worker_free(patient.worker);
}

/* --- for a time ------------------------------------------------------------------------------- */

enum visit_state { VISIT_RUNS, VISIT_DONE, VISIT_LEFT };

/* Who waits for it may leave it alone with what hangs; then it frees itself, if ever it ends. */
struct visit {
    struct roster *roster; /* a reference: the source lives in it */
    struct source *source;
    struct question known;
    bool has_known;
    struct cancel cancel;
    struct checkup checkup;
    pthread_mutex_t lock; /* guards the state */
    pthread_cond_t over;
    enum visit_state state;
};

static struct visit *visit_new(struct roster *roster, unsigned index,
                               const struct question *known) {
    struct visit *visit = NEW(struct visit);
    visit->roster = roster_ref(roster);
    visit->source = roster->sources[index];
    visit->has_known = known != NULL;
    if (known)
        visit->known = *known;
    cancel_init(&visit->cancel);
    pthread_mutex_init(&visit->lock, NULL);
    condition_init(&visit->over);
    return visit;
}

static void visit_free(struct visit *visit) {
    pthread_cond_destroy(&visit->over);
    pthread_mutex_destroy(&visit->lock);
    cancel_release(&visit->cancel);
    roster_unref(visit->roster);
    free(visit);
}

/* The one who comes second frees it. */
static bool visit_end(struct visit *visit, enum visit_state end) {
    SCOPED_LOCK(&visit->lock);
    bool first = visit->state == VISIT_RUNS;
    if (first)
        visit->state = end;
    pthread_cond_signal(&visit->over);
    return first;
}

static void *make_visit(void *context) {
    struct visit *visit = context;
    checkup_source(visit->source, visit->has_known ? &visit->known : NULL, &visit->cancel,
                   &visit->checkup);
    if (!visit_end(visit, VISIT_DONE))
        visit_free(visit);
    return NULL;
}

static void wait_for_end(struct visit *visit, int64_t limit_ms) {
    int64_t deadline_ms = clock_ms() + limit_ms;
    SCOPED_LOCK(&visit->lock);
    while (visit->state == VISIT_RUNS && condition_wait(&visit->over, &visit->lock, deadline_ms))
        continue;
}

void checkup_within(struct roster *roster, unsigned index, const struct question *known,
                    int64_t limit_ms, struct checkup *out_checkup) {
    struct visit *visit = visit_new(roster, index, known);
    pthread_t thread;
    *out_checkup = (struct checkup){.word = CHECKUP_FAILED};
    if (!thread_start(&thread, "checkup", make_visit, visit, &out_checkup->why)) {
        visit_free(visit);
        return;
    }
    pthread_detach(thread);
    wait_for_end(visit, limit_ms);
    cancel_raise(&visit->cancel);
    wait_for_end(visit, CANCEL_MS);
    if (visit_end(visit, VISIT_LEFT)) {
        error_set(&out_checkup->why, ERROR_UNMOUNTED, "it hangs, and cannot even be interrupted");
        return;
    }
    *out_checkup = visit->checkup;
    visit_free(visit);
}

/* --- a file that a server should have --------------------------------------------------------- */

/* Microsoft's server has had this file since 2010. */
static bool known_of_vendor(const struct source *source, struct question *out_known) {
    return strstr(source->options.remote, "//msdl.microsoft.com/") &&
           make_question(CHECKUP_MICROSOFT_NAME "/" CHECKUP_MICROSOFT_ID, out_known);
}

struct wanted {
    const char *server;
    struct question *out;
    int64_t at_ns; /* when that was delivered; 0: none was */
};

/* The rows come newest first: the first one that counts is the last delivery with its verdict. */
static bool look_at_row(const struct archive_row *row, void *context) {
    struct wanted *wanted = context;
    struct question question;
    if (strcmp(row->outcome.text.source, wanted->server) != 0 ||
        !make_question(row->key, &question))
        return true;
    if (row->outcome.wall_ns > wanted->at_ns) {
        wanted->at_ns = row->outcome.wall_ns;
        *wanted->out = question;
    }
    return false;
}

bool checkup_find_known(struct reading *reading, const struct source *source,
                        struct question *out_known) {
    static const enum verdict delivered[] = {VERDICT_FETCHED, VERDICT_LOCAL};
    struct error ignored = {0};
    struct wanted wanted = {.server = source->options.identifier, .out = out_known};
    for (size_t i = 0; reading && i < sizeof delivered / sizeof *delivered; i++) {
        const struct archive_query query = {.source = wanted.server,
                                            .verdict = verdict_name(delivered[i]),
                                            .limit = ROWS_LOOKED_AT};
        if (!archive_each(reading, &query, look_at_row, &wanted, &ignored))
            break;
    }
    return wanted.at_ns > 0 || known_of_vendor(source, out_known);
}

bool checkup_may_ask(const struct roster *roster, unsigned index, const struct question *known) {
    const char *ignored;
    return policy_explain(roster->policy, index, known, &ignored) == POLICY_ADMITTED;
}
