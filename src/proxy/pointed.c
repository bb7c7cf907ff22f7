// SPDX-License-Identifier: MIT
#include "proxy/pointed.h"

#include <string.h>

#include "base/text.h"
#include "symbol/pointer.h"

enum { SHOWN_BYTES = 512 };

/* What a pointer says may be shown only so. */
static void show_text(const struct pointer *pointer, char out[SHOWN_BYTES]) {
    text_mask_secrets(out, SHOWN_BYTES, pointer->text, strlen(pointer->text), false);
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
    return error_hint(err, "Add \"%.*s\" or a folder above it to this server's pointerRoots.",
                      folder < 90 ? folder : 90, shown);
}

/* What lies there would be taken for the file. */
static bool refuse_pointer(const char *path, struct error *err) {
    const char *slash = strrchr(path, '/');
    if (!text_same(slash ? slash + 1 : path, "file.ptr"))
        return true;
    return error_set(err, ERROR_TEXT, "a pointer leads to another pointer");
}

/* Below one of the trees that the source's pointers may lead into. */
static bool find_below(struct source *source, const char *path, struct pointed_target *out) {
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
                      const struct pointer *pointer, struct pointed_target *out) {
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
                        const struct pointer *pointer, struct pointed_target *out,
                        struct error *err) {
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

enum source_answer pointed_ask_target(struct pointed_target *target, struct source_call *call,
                                      void *worker, struct content *out_content,
                                      struct reader **out_reader, enum form *out_form,
                                      struct error *err) {
    struct source *source = target->source;
    struct source_local local;
    *out_form = FORM_PLAIN;
    call->path = target->path;
    enum source_answer answer =
        source->ops->ask(source, worker, call, false, out_content, out_reader, &local, err);
    if (answer != SOURCE_ABSENT)
        return answer;
    *out_form = FORM_COMPRESSED;
    compress_name(target->path);
    return source->ops->ask(source, worker, call, false, out_content, out_reader, &local, err);
}

enum pointed_word pointed_read(struct source *source, const char *pointer_path, const char *bytes,
                               size_t length, struct pointed_target *out, struct error *err) {
    struct pointer pointer;
    pointer_parse(bytes, length, &pointer);
    if (pointer.kind == POINTER_INVALID) {
        error_set(err, ERROR_TEXT, "the pointer file says nothing that could be followed");
        return POINTED_FALSE;
    }
    if (pointer.kind != POINTER_MESSAGE)
        return find_target(source, pointer_path, &pointer, out, err) ? POINTED_TARGET
                                                                     : POINTED_REFUSED;
    bool ends = source->options.unindexed_ends && pointer_unindexed(&pointer);
    char shown[SHOWN_BYTES];
    show_text(&pointer, shown);
    error_set(err, ends ? ERROR_UNINDEXED : ERROR_WITHDRAWN, "the store says: %s", shown);
    return POINTED_MESSAGE;
}

/* --- in a delivery --- */

/* Reads what there is, and closes the reader; false: the source failed. */
static bool take_bytes(struct delivery *delivery, char bytes[POINTER_BYTES_MAX + 1],
                       size_t *out_length, struct error *err) {
    size_t length = 0;
    while (length < POINTER_BYTES_MAX + 1) {
        ssize_t got =
            reader_read(&delivery->counted, bytes + length, POINTER_BYTES_MAX + 1 - length, err);
        if (got < 0)
            return false;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    reader_close(delivery->reader);
    delivery->reader = NULL;
    *out_length = length;
    return true;
}

static enum pointed_word judge(struct delivery *delivery, const char *path, const char *bytes,
                               size_t length, struct pointed_target *out, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    enum pointed_word word = POINTED_FALSE;
    if (delivery->content.announced_html || content_look(bytes, length) == CONTENT_HTML)
        error_set(err, ERROR_HTML, "a web page came instead of a pointer file");
    else
        word = pointed_read(fetch->source, path, bytes, length, out, err);
    fetch->refused = word == POINTED_FALSE || word == POINTED_REFUSED;
    if (word == POINTED_FALSE)
        delivery_refuse(delivery, err);
    else
        delivery->came = 0; /* what comes from now on is the target's */
    return word;
}

enum source_answer pointed_ask(struct delivery *delivery, struct source_call *call,
                               enum form *out_form, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    struct pointed_target target;
    char bytes[POINTER_BYTES_MAX + 1];
    size_t length;
    if (!take_bytes(delivery, bytes, &length, err))
        return SOURCE_FAILED;
    enum pointed_word word = judge(delivery, call->path, bytes, length, &target, err);
    if (word != POINTED_TARGET)
        return word == POINTED_MESSAGE ? SOURCE_ABSENT : SOURCE_FAILED;
    struct source_ops const *ops = target.source->ops;
    bool foreign = target.source != fetch->source && ops->worker_new;
    void *worker = foreign ? ops->worker_new() : fetch->worker;
    enum source_answer answer = pointed_ask_target(&target, call, worker, &delivery->content,
                                                   &delivery->reader, out_form, err);
    delivery->pointed_worker = foreign ? worker : NULL;
    delivery->pointed = foreign ? target.source : NULL;
    return answer;
}
