// SPDX-License-Identifier: MIT
#include "source/source_smb.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/smb_helper.h"
#include "source/smb_remote.h"

enum {
    AHEAD = 2, /* reads that are asked for before the first of them is answered */
    CHUNK_LEAST_BYTES = 16 * 1024,
    CHUNK_FIRST_BYTES = 64 * 1024,
    CHUNK_SOON_MS = 100,
    CHUNK_LATE_MS = 1000,
    SETTLE_MS = 100, /* what is still to come of a body that nobody wants */
    CLOSE_MS = 1000,
    PROGRAM_BYTES = 4096,
    IDLE_MS = 5 * 60 * 1000, /* a new helper costs more than a new connection; servers end sessions
                                that are idle for 10 to 15 minutes */
    TICKETS_NAME_BYTES = 40,
};

#define NS_PER_S INT64_C(1000000000)

struct smb_source {
    struct source source;
    struct smb_connect how;
    char shown[SMB_WORD_BYTES + SMB_PATH_BYTES];
    char *program;          /* or NULL: is looked for */
    _Atomic uint64_t folds; /* enum smb_folding: what a helper has found out */
};

/* What a worker keeps. */
struct smb_worker {
    struct smb_helper *helper; /* connected, no file open; or NULL */
};

/* A body on its way. */
struct smb_reader {
    struct reader reader;
    struct smb_worker *worker;
    struct cancel *cancel;
    int64_t stall_ms;
    struct smb_opened as_opened;
    uint64_t at;           /* what read gave goes up to here */
    uint64_t asked;        /* what the helper was asked for goes up to here */
    size_t pending[AHEAD]; /* lengths asked for, not answered yet */
    unsigned pending_count;
    size_t left;      /* of the answer that is being received */
    bool cut;         /* the file ended before its size */
    size_t chunk;     /* how much is asked for at once */
    int64_t chunk_ms; /* when the last answer came */
};

static void *worker_new(void) {
    return NEW(struct smb_worker);
}

static void drop_helper(struct smb_worker *worker) {
    smb_helper_end(TAKE(worker->helper));
}

static void worker_free(void *worker_given) {
    struct smb_worker *worker = worker_given;
    drop_helper(worker);
    free(worker);
}

/* --- the body --- */

static struct smb_patience stall_patience(const struct smb_reader *smb) {
    return (struct smb_patience){
        .cancel = smb->cancel, .deadline_ms = clock_ms() + smb->stall_ms, .silence = ERROR_STALLED};
}

/* Asks for what comes next, before it is needed. */
static bool ask_ahead(struct smb_reader *smb, struct error *err) {
    while (smb->pending_count < AHEAD && smb->asked < smb->as_opened.size) {
        uint64_t left = smb->as_opened.size - smb->asked;
        size_t length = smb->chunk < left ? smb->chunk : (size_t)left;
        struct smb_message read = {.type = SMB_READ,
                                   .read = {.offset = smb->asked, .length = length}};
        if (!smb_helper_send(smb->worker->helper, &read, err))
            return false;
        smb->pending[smb->pending_count++] = length;
        smb->asked += length;
    }
    return true;
}

/* An answer comes whole or not at all: large ones are for those who send fast. */
static void size_chunk(struct smb_reader *smb) {
    int64_t now_ms = clock_ms();
    int64_t took_ms = now_ms - smb->chunk_ms;
    smb->chunk_ms = now_ms;
    if (took_ms < CHUNK_SOON_MS && smb->chunk < SMB_DATA_BYTES_MAX)
        smb->chunk *= 2;
    else if (took_ms > CHUNK_LATE_MS && smb->chunk > CHUNK_LEAST_BYTES)
        smb->chunk /= 2;
}

static bool next_answer(struct smb_reader *smb, struct error *err) {
    struct smb_patience patience = stall_patience(smb);
    if (!ask_ahead(smb, err) ||
        !smb_helper_receive_data(smb->worker->helper, &patience, &smb->left, err))
        return false;
    if (smb->left > smb->pending[0])
        return error_set(err, ERROR_LENGTH, "symgate-smb sent more than was asked for");
    smb->cut = smb->left < smb->pending[0];
    memmove(smb->pending, smb->pending + 1, (AHEAD - 1) * sizeof *smb->pending);
    smb->pending_count--;
    size_chunk(smb);
    return true;
}

static ssize_t changed(struct error *err) {
    error_set(err, ERROR_CHANGED, "the file changed while it was read");
    return -1;
}

static ssize_t end_of_body(struct smb_reader *smb, struct error *err) {
    struct smb_patience patience = stall_patience(smb);
    struct smb_message answer;
    if (smb->cut)
        return changed(err);
    if (!smb_helper_send(smb->worker->helper, &(struct smb_message){.type = SMB_LOOK}, err) ||
        !smb_helper_receive(smb->worker->helper, &patience, &answer, err))
        return -1;
    if (answer.type == SMB_FAILED)
        smb_failed_read(&answer.failed, err);
    if (answer.type != SMB_OPENED)
        return -1;
    bool same = answer.opened.size == smb->as_opened.size &&
                answer.opened.modified_ns == smb->as_opened.modified_ns;
    return same ? 0 : changed(err);
}

static ssize_t body_read(struct smb_reader *smb, void *bytes, size_t length, struct error *err) {
    if (smb->left == 0 && !smb->cut && smb->at < smb->as_opened.size && !next_answer(smb, err))
        return -1;
    if (smb->left == 0)
        return end_of_body(smb, err);
    struct smb_patience patience = stall_patience(smb);
    ssize_t got = smb_helper_receive_bytes(smb->worker->helper, &patience, bytes,
                                           length < smb->left ? length : smb->left, err);
    if (got < 0)
        return -1;
    smb->left -= (size_t)got;
    smb->at += (uint64_t)got;
    return got;
}

static ssize_t smb_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct smb_reader *smb = (struct smb_reader *)reader;
    if (!smb->worker->helper) {
        error_set(err, ERROR_RESET, "the file broke off before");
        return -1;
    }
    if (smb->cancel && cancel_raised(smb->cancel)) {
        error_set(err, ERROR_CANCELLED, "nobody needs the file any more");
        return -1;
    }
    ssize_t got = body_read(smb, bytes, length, err);
    /* Whatever is still on its way would answer the next question. */
    if (got < 0)
        drop_helper(smb->worker);
    return got;
}

static bool smb_ready(struct reader *reader) {
    const struct smb_reader *smb = (const struct smb_reader *)reader;
    return smb->worker->helper && smb_helper_ready(smb->worker->helper);
}

/* Receives what nobody wants; false when that would take long. */
static bool settle(struct smb_reader *smb) {
    static const size_t room = 64 * 1024;
    CLEANUP(free_block) char *bytes = memory_new(room);
    struct smb_patience patience = {.deadline_ms = clock_ms() + SETTLE_MS};
    struct smb_helper *helper = smb->worker->helper;
    while (smb->left > 0 || smb->pending_count > 0) {
        if (smb->left == 0) {
            if (!smb_helper_receive_data(helper, &patience, &smb->left, NULL))
                return false;
            smb->pending_count--;
            continue;
        }
        size_t length = smb->left < room ? smb->left : room;
        ssize_t got = smb_helper_receive_bytes(helper, &patience, bytes, length, NULL);
        if (got < 0)
            return false;
        smb->left -= (size_t)got;
    }
    return true;
}

/* An open file would be locked for those who want to replace it. */
static bool close_file(struct smb_helper *helper) {
    struct smb_patience patience = {.deadline_ms = clock_ms() + CLOSE_MS};
    struct smb_message answer;
    return smb_helper_send(helper, &(struct smb_message){.type = SMB_CLOSE}, NULL) &&
           smb_helper_receive(helper, &patience, &answer, NULL) && answer.type == SMB_CLOSED;
}

static void smb_close(struct reader *reader) {
    struct smb_reader *smb = (struct smb_reader *)reader;
    struct smb_worker *worker = smb->worker;
    if (worker->helper && !(settle(smb) && close_file(worker->helper)))
        drop_helper(worker);
    free(smb);
}

static const struct reader_ops smb_reader_ops = {
    .read = smb_read, .ready = smb_ready, .close = smb_close};

static struct reader *smb_reader_new(const struct smb_source *smb, struct smb_worker *worker,
                                     struct cancel *cancel, const struct smb_opened *opened,
                                     uint64_t offset) {
    struct smb_reader *reader = NEW(struct smb_reader);
    reader->reader.ops = &smb_reader_ops;
    reader->worker = worker;
    reader->cancel = cancel;
    reader->stall_ms = smb->source.options.stall_ms;
    reader->as_opened = *opened;
    reader->at = offset;
    reader->asked = offset;
    reader->chunk = CHUNK_FIRST_BYTES;
    reader->chunk_ms = clock_ms();
    return &reader->reader;
}

/* --- asking --- */

/* One question, one answer that is no failure. */
static bool exchange(struct smb_worker *worker, const struct smb_message *question,
                     const struct smb_patience *patience, struct smb_message *out_answer,
                     struct error *err) {
    if (!smb_helper_send(worker->helper, question, err) ||
        !smb_helper_receive(worker->helper, patience, out_answer, err))
        return false;
    if (out_answer->type != SMB_FAILED)
        return true;
    smb_failed_read(&out_answer->failed, err);
    return false;
}

static bool start_helper(struct smb_source *smb, struct smb_worker *worker,
                         const struct smb_patience *patience, struct error *err) {
    char found[PROGRAM_BYTES];
    if (!smb->program && !smb_helper_find(found, sizeof found, err))
        return false;
    if (smb->how.tickets[0] && !files_make_path(smb->source.options.state_directory, 0755, err))
        return false;
    worker->helper = smb_helper_start(smb->program ? smb->program : found, smb->shown, err);
    if (!worker->helper)
        return false;
    struct smb_message connect = {.type = SMB_CONNECT, .connect = smb->how};
    struct smb_message answer;
    connect.connect.folding = atomic_load(&smb->folds);
    if (!exchange(worker, &connect, patience, &answer, err))
        return false;
    if (answer.type == SMB_CONNECTED)
        return true;
    return error_set(err, ERROR_CONFIG, "symgate-smb did not say that it is connected");
}

static enum source_answer ask_helper(struct smb_source *smb, struct smb_worker *worker,
                                     struct source_call *call, const struct smb_patience *patience,
                                     struct smb_opened *out_opened, struct error *err) {
    struct smb_message open = {.type = SMB_OPEN};
    struct smb_message answer;
    if (!worker->helper && !start_helper(smb, worker, patience, err))
        return SOURCE_FAILED;
    if (!text_copy(open.open.path, sizeof open.open.path, call->path)) {
        error_set(err, ERROR_INVALID, "the name is too long for a share");
        return SOURCE_FAILED;
    }
    if (!exchange(worker, &open, patience, &answer, err))
        return SOURCE_FAILED;
    if (answer.type == SMB_OPENED) {
        *out_opened = answer.opened;
        atomic_store(&smb->folds, answer.opened.folding);
        return SOURCE_FOUND;
    }
    if (answer.type == SMB_ABSENT) {
        atomic_store(&smb->folds, answer.absent.folding);
        return SOURCE_ABSENT;
    }
    error_set(err, ERROR_CONFIG, "symgate-smb gave no answer to what it was asked");
    return SOURCE_FAILED;
}

/* Asks; once more when the helper or its connection had died since the question before. */
static enum source_answer ask(struct smb_source *smb, struct smb_worker *worker,
                              struct source_call *call, struct smb_opened *out_opened,
                              struct error *err) {
    struct smb_patience patience = {.cancel = call->cancel,
                                    .deadline_ms = clock_ms() + smb->source.options.first_byte_ms,
                                    .silence = ERROR_TIMEOUT};
    struct error why = {0};
    if (call->fresh_connection)
        drop_helper(worker);
    bool reused = worker->helper != NULL;
    enum source_answer answer = ask_helper(smb, worker, call, &patience, out_opened, &why);
    if (answer == SOURCE_FAILED && reused && why.kind == ERROR_RESET) {
        drop_helper(worker);
        answer = ask_helper(smb, worker, call, &patience, out_opened, &why);
    }
    if (answer == SOURCE_FAILED) {
        drop_helper(worker);
        if (err)
            *err = why;
    }
    return answer;
}

static void describe(const struct smb_opened *opened, struct content *out_content) {
    int64_t modified_ns = (int64_t)opened->modified_ns;
    *out_content = (struct content){.size = opened->size,
                                    .last_modified = modified_ns / NS_PER_S,
                                    .unsettled = !content_settled(modified_ns, clock_wall_ns())};
}

static bool resumable(const struct resume *resume, const struct content *content) {
    return resume && resume->offset <= content->size && resume->size == content->size &&
           resume->last_modified == content->last_modified;
}

static enum source_answer smb_ask(struct source *source, void *worker_given,
                                  struct source_call *call, bool in_place,
                                  struct content *out_content, struct reader **out_reader,
                                  struct source_local *out_local, struct error *err) {
    (void)in_place;
    (void)out_local;
    struct smb_source *smb = (struct smb_source *)source;
    struct smb_worker *worker = worker_given;
    struct smb_opened opened;
    int64_t began_ms = clock_ms();
    call->retry_after_s = -1;
    if (!files_join(call->note->url, sizeof call->note->url, smb->shown, call->path))
        text_copy(call->note->url, sizeof call->note->url, call->path);
    enum source_answer answer = ask(smb, worker, call, &opened, err);
    call->note->head_ms = clock_ms() - began_ms;
    if (answer != SOURCE_FOUND)
        return answer;
    describe(&opened, out_content);
    if (resumable(call->resume, out_content))
        out_content->start = call->resume->offset;
    *out_reader = smb_reader_new(smb, worker, call->cancel, &opened, out_content->start);
    return SOURCE_FOUND;
}

/* --- making --- */

static void smb_free(struct source *source) {
    struct smb_source *smb = (struct smb_source *)source;
    source_release(source);
    explicit_bzero(&smb->how, sizeof smb->how);
    free(smb->program);
    free(smb);
}

static const struct source_ops smb_ops = {.type = "smb",
                                          .idle_ms = IDLE_MS,
                                          .worker_new = worker_new,
                                          .worker_free = worker_free,
                                          .ask = smb_ask,
                                          .free = smb_free};

/* The one of both that is given; what is too long is refused. */
static bool choose(char *out, size_t size, const char *given, const char *otherwise) {
    return text_copy(out, size, given && given[0] ? given : otherwise);
}

static bool fill_how(struct smb_source *smb, const struct smb_remote *remote,
                     const struct smb_credentials *given, struct error *err) {
    struct smb_connect *how = &smb->how;
    char user[SMB_WORD_BYTES];
    bool fits = choose(user, sizeof user, given->user, remote->user);
    char *name = strchr(user, '\\');
    if (name)
        *name++ = '\0';
    fits &= choose(how->user, sizeof how->user, name ? name : user, "");
    fits &= choose(how->domain, sizeof how->domain, given->domain, name ? user : remote->domain);
    fits &= choose(how->password, sizeof how->password, given->password, remote->password);
    fits &= choose(how->principal, sizeof how->principal, given->principal, "");
    fits &= choose(how->keytab, sizeof how->keytab, given->keytab, "");
    text_copy(how->host, sizeof how->host, remote->host);
    text_copy(how->share, sizeof how->share, remote->share);
    text_copy(how->directory, sizeof how->directory, remote->directory);
    how->version = SMB_VERSION;
    how->port = remote->port;
    how->connect_ms = (uint64_t)smb->source.options.connect_ms;
    how->silence_ms = (uint64_t)smb->source.options.first_byte_ms;
    return fits ||
           error_set(err, ERROR_CONFIG, "user, password or keytab of source \"%s\" is too long",
                     smb->source.options.identifier);
}

/* Whoever asks as somebody else sees another store; passwords go in only through the keyed hash. */
static uint64_t fingerprint_with(uint64_t fingerprint, const struct smb_connect *how,
                                 const struct hash_key *key) {
    const char *parts[] = {how->user, how->domain, how->password, how->keytab, how->principal};
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct hash_key chained = {{key->words[0] ^ fingerprint, key->words[1] + i}};
        fingerprint = hash_bytes(&chained, parts[i], strlen(parts[i]));
    }
    return fingerprint;
}

/* The ticket lies below the data folder, where only its owner reads it. */
static bool name_tickets(struct smb_source *smb, struct error *err) {
    const char *folder = smb->source.options.state_directory;
    char name[TICKETS_NAME_BYTES];
    if (!smb->how.keytab[0])
        return true;
    text_format(name, sizeof name, "tickets-%016" PRIx64, smb->source.fingerprint);
    if (folder && files_join(smb->how.tickets, sizeof smb->how.tickets, folder, name))
        return true;
    return error_set(err, ERROR_CONFIG, "there is no place for the tickets of source \"%s\"",
                     smb->source.options.identifier);
}

struct source *source_smb_new(const struct source_options *options,
                              const struct smb_credentials *credentials, const struct hash_key *key,
                              struct error *err) {
    struct smb_remote remote;
    if (!smb_remote_parse(options->remote, &remote, err))
        return NULL;
    struct smb_source *smb = NEW(struct smb_source);
    source_init(&smb->source, &smb_ops, options, key);
    smb_remote_show(&remote, smb->shown, sizeof smb->shown);
    smb->program = memory_text(credentials->helper);
    bool filled = fill_how(smb, &remote, credentials, err);
    smb->source.fingerprint = fingerprint_with(smb->source.fingerprint, &smb->how, key);
    explicit_bzero(&remote, sizeof remote);
    if (filled && name_tickets(smb, err))
        return &smb->source;
    smb_free(&smb->source);
    return NULL;
}
