// SPDX-License-Identifier: MIT
#include "proxy/pointed.h"

#include <string.h>

#include "base/text.h"
#include "symbol/pointer.h"

enum { SHOWN_BYTES = 512 };

/* Where a pointer leads. */
struct target {
    struct source *source;
    char path[LAYOUT_PATH_BYTES];
};

bool pointed_read(struct reader *reader, const struct content *content, struct pointer *out_pointer,
                  bool *out_refused, struct error *err) {
    char bytes[POINTER_BYTES_MAX + 1];
    size_t length = 0;
    *out_refused = false;
    while (length < sizeof bytes) {
        ssize_t got = reader_read(reader, bytes + length, sizeof bytes - length, err);
        if (got < 0)
            return false;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    pointer_parse(bytes, length, out_pointer);
    *out_refused = true;
    if (content->announced_html || content_look(bytes, length) == CONTENT_HTML)
        return error_set(err, ERROR_HTML, "a web page came instead of a pointer file");
    if (out_pointer->kind == POINTER_INVALID)
        return error_set(err, ERROR_TEXT, "the pointer file says nothing that could be followed");
    *out_refused = false;
    return true;
}

void pointed_show(const struct pointer *pointer, char *out, size_t size) {
    text_mask_secrets(out, size, pointer->text, strlen(pointer->text), false);
}

/* `path`: where it leads, as far as that can be told. */
static bool refuse(const char *path, struct error *err) {
    char shown[SHOWN_BYTES];
    text_mask_secrets(shown, sizeof shown, path, strlen(path), false);
    if (strstr(path, "://")) {
        error_set(err, ERROR_ELSEWHERE,
                  "a pointer leads to the URL \"%.140s\", and none is followed", shown);
        return error_hint(err, "Let it say a path below this server or one of its pointerRoots.");
    }
    const char *slash = strrchr(shown, '/');
    int folder = slash ? (int)(slash - shown) : 0;
    error_set(err, ERROR_ELSEWHERE,
              "a pointer leads to \"%.140s\", which lies below none of this server's pointerRoots",
              shown);
    bool drive = shown[0] && shown[1] == ':';
    return error_hint(err, "Add \"%.*s\" or a folder above it to this server's pointerRoots%s.",
                      folder < 80 ? folder : 80, shown, drive ? ", and to general.pathMap" : "");
}

/* What lies there would be taken for the file. */
static bool refuse_pointer(const char *path, struct error *err) {
    const char *slash = strrchr(path, '/');
    if (!text_same(slash ? slash + 1 : path, "file.ptr"))
        return true;
    return error_set(err, ERROR_TEXT, "a pointer leads to another pointer");
}

/* Below one of the trees that the source's pointers may lead into. */
static bool find_below(struct source *source, const char *path, struct target *out) {
    for (unsigned i = 0; i < source->pointer_root_count; i++) {
        const struct pointer_root *root = &source->pointer_roots[i];
        if (!pointer_below(path, root->prefix, out->path))
            continue;
        if (root->source)
            out->source = root->source;
        return true;
    }
    return false;
}

/* Told from the pointer's folder: within its tree, or in another that is allowed. */
static bool find_near(struct source *source, const char *pointer_path,
                      const struct pointer *pointer, struct target *out) {
    if (strstr(pointer->text, "://"))
        return false;
    if (pointer_near(pointer->text, pointer_path, out->path))
        return true;
    char path[POINTER_BYTES_MAX + 1];
    for (unsigned i = 0; i < source->pointer_root_count; i++) {
        const struct pointer_root *own = &source->pointer_roots[i];
        if (!own->source && pointer_from(own->prefix, pointer_path, pointer->text, path) &&
            find_below(source, path, out))
            return true;
    }
    return false;
}

/* The place that a pointer means: told from its folder, it is shown as seen from the root. */
static const char *meant(const struct source *source, const char *pointer_path,
                         const struct pointer *pointer, char path[POINTER_BYTES_MAX + 1]) {
    for (unsigned i = 0; pointer->kind == POINTER_NEAR && i < source->pointer_root_count; i++) {
        const struct pointer_root *own = &source->pointer_roots[i];
        if (!own->source && pointer_from(own->prefix, pointer_path, pointer->text, path))
            return path;
    }
    return pointer->text;
}

static bool find_target(struct source *source, const char *pointer_path,
                        const struct pointer *pointer, struct target *out, struct error *err) {
    out->source = source;
    char path[POINTER_BYTES_MAX + 1];
    bool found = pointer->kind == POINTER_NEAR
                     ? find_near(source, pointer_path, pointer, out)
                     : pointer_from(pointer->text, "", "", path) && find_below(source, path, out);
    return found ? refuse_pointer(out->path, err)
                 : refuse(meant(source, pointer_path, pointer, path), err);
}

/* The compressed form's name in the same folder. */
static void compress_name(char path[LAYOUT_PATH_BYTES]) {
    char *slash = strrchr(path, '/');
    char *name = slash ? slash + 1 : path;
    char compressed[NAME_BYTES_MAX + 1];
    if (!*name || strlen(name) > NAME_BYTES_MAX)
        return;
    layout_compressed_name(name, compressed);
    text_copy(name, LAYOUT_PATH_BYTES - (size_t)(name - path), compressed);
}

static enum source_answer ask_target(struct source_call *call, void *worker, struct target *target,
                                     struct pointed *out, struct error *err) {
    struct source *source = target->source;
    struct source_local local;
    out->form = FORM_PLAIN;
    call->path = target->path;
    enum source_answer answer =
        source->ops->ask(source, worker, call, false, &out->content, &out->reader, &local, err);
    if (answer == SOURCE_ABSENT) {
        out->form = FORM_COMPRESSED;
        compress_name(target->path);
        answer =
            source->ops->ask(source, worker, call, false, &out->content, &out->reader, &local, err);
    }
    call->path = NULL; /* the target is ours */
    return answer;
}

static enum source_answer tell_message(const struct source *source, const struct pointer *pointer,
                                       struct error *err) {
    bool ends = source->options.unindexed_ends && pointer_unindexed(pointer);
    char shown[SHOWN_BYTES];
    pointed_show(pointer, shown, sizeof shown);
    error_set(err, ends ? ERROR_UNINDEXED : ERROR_WITHDRAWN, "the store says: %s", shown);
    return SOURCE_ABSENT;
}

enum source_answer pointed_follow(struct source *source, void *worker, struct source_call *call,
                                  const struct pointer *pointer, struct pointed *out,
                                  struct error *err) {
    struct target target;
    *out = (struct pointed){0};
    if (pointer->kind == POINTER_MESSAGE)
        return tell_message(source, pointer, err);
    out->refused = !find_target(source, call->path, pointer, &target, err);
    if (out->refused)
        return SOURCE_FAILED;
    if (target.source != source && target.source->ops->worker_new) {
        out->root = target.source;
        worker = out->root_worker = out->root->ops->worker_new();
    }
    return ask_target(call, worker, &target, out, err);
}

void pointed_release(struct pointed *pointed) {
    reader_close(pointed->reader);
    if (pointed->root && pointed->root->ops->worker_free)
        pointed->root->ops->worker_free(pointed->root_worker);
}

/* The pointer's body is no pointer. */
static void refuse_body(struct delivery *delivery, const struct error *err) {
    delivery->fetch->refused = true;
    delivery_refuse(delivery, err);
}

enum source_answer pointed_ask(struct delivery *delivery, struct source_call *call,
                               enum form *out_form, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    struct pointer pointer;
    bool refused;
    bool read = pointed_read(&delivery->counted, &delivery->content, &pointer, &refused, err);
    if (refused)
        refuse_body(delivery, err);
    if (!read)
        return SOURCE_FAILED;
    reader_close(delivery->reader);
    delivery->reader = NULL;
    delivery->came = 0;
    struct pointed pointed;
    enum source_answer answer =
        pointed_follow(fetch->source, fetch->worker, call, &pointer, &pointed, err);
    fetch->refused = pointed.refused;
    delivery->content = pointed.content;
    delivery->reader = pointed.reader;
    delivery->pointed = pointed.root;
    delivery->pointed_worker = pointed.root_worker;
    *out_form = pointed.form;
    return answer;
}
