// SPDX-License-Identifier: MIT
#include "source/source.h"

#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "source/source_index.h"

enum {
    WAITING_MAX = 1000,
    REQUESTS_MAX = 10,
    CONNECT_MS = 3 * 1000,
    FIRST_BYTE_MS = 60 * 1000,
    STALL_MS = 10 * 1000,
    HOW_BYTES_MAX = 1024 * 1024, /* what the fingerprint is made of */
};

static void copy_options(struct source_options *to, const struct source_options *from) {
    *to = *from;
    to->identifier = memory_text(from->identifier);
    to->name = memory_text(from->name);
    to->remote = memory_text(from->remote);
    to->user_agent = memory_text(from->user_agent);
    to->state_directory = memory_text(from->state_directory);
    source_access_copy(&to->access, &from->access);
    source_route_copy(&to->route, &from->route);
    if (to->requests_max == 0)
        to->requests_max = REQUESTS_MAX;
    if (to->connect_ms <= 0)
        to->connect_ms = CONNECT_MS;
    if (to->first_byte_ms <= 0)
        to->first_byte_ms = FIRST_BYTE_MS;
    if (to->stall_ms <= 0)
        to->stall_ms = STALL_MS;
    if (to->form_count == 0)
        to->forms[to->form_count++] = FORM_PLAIN;
}

unsigned source_forms(const struct source *source) {
    unsigned forms = 0;
    for (unsigned i = 0; i < source->options.form_count; i++)
        forms |= source->options.forms[i];
    return forms;
}

unsigned source_forms_ended(const struct source *source) {
    enum { ENDED = 1 << 16 }; /* beside all forms */
    return source_forms(source) | ENDED;
}

/* Only what changes which file is found, and by whom: not the name, place, filters, retry time or
   limits. */
static uint64_t fingerprint_of(const struct source *source, const struct hash_key *key) {
    const struct source_options *options = &source->options;
    size_t length = strlen(options->remote);
    while (length > 1 && options->remote[length - 1] == '/')
        length--;
    CLEANUP(buffer_release) struct buffer how;
    buffer_init(&how, HOW_BYTES_MAX);
    buffer_format(&how, "%s\n%d\n%s\n%s\n%016llx", source->ops->type, (int)options->follow_links,
                  layout_name(options->layout), casing_name(options->casing),
                  (unsigned long long)hash_bytes(key, options->remote, length));
    if (options->forward_checksum)
        buffer_append_text(&how, "\nchecksum");
    source_access_digest(&options->access, key, &how);
    source_route_digest(&options->route, key, &how);
    return hash_bytes(key, how.bytes, how.length);
}

uint64_t source_mark(const struct source *source) {
    const struct source_options *options = &source->options;
    if (options->layout == LAYOUT_AUTO && source->found_layout == LAYOUT_AUTO)
        return 0;
    const struct hash_key key = {{source->fingerprint, source->pointer_root_count}};
    struct {
        enum form forms[FORMS_MAX];
        int absent_statuses[STATUSES_MAX];
        enum layout layout;
    } how = {.layout = source->found_layout};
    memcpy(how.forms, options->forms, options->form_count * sizeof *how.forms);
    memcpy(how.absent_statuses, options->absent_statuses, sizeof how.absent_statuses);
    uint64_t mark = hash_bytes(&key, &how, sizeof how);
    if (options->user_agent)
        mark = mark * 31 + hash_bytes(&key, options->user_agent, strlen(options->user_agent));
    for (unsigned i = 0; i < source->pointer_root_count; i++) {
        const struct pointer_root *root = &source->pointer_roots[i];
        mark = mark * 31 + hash_bytes(&key, root->prefix, strlen(root->prefix)) +
               (root->source ? root->source->fingerprint : 0);
    }
    return mark ? mark : 1;
}

void source_init(struct source *source, const struct source_ops *ops,
                 const struct source_options *options, const struct hash_key *key) {
    *source = (struct source){.ops = ops};
    copy_options(&source->options, options);
    source->queue = queue_new(ops, source->options.requests_max, WAITING_MAX);
    source->counters = queue_source_counters(source->queue);
    queue_set_breaker(source->queue, &source->options.breaker);
    source->fingerprint = fingerprint_of(source, key);
    source->label = hash_bytes(key, options->identifier, strlen(options->identifier));
    if (options->published_index)
        source->index = source_index_new();
}

void source_take_over(struct source *source, struct source *older) {
    queue_unref(source->queue);
    source->queue = queue_ref(older->queue);
    source->counters = queue_source_counters(source->queue);
    queue_set_places(source->queue, source->options.requests_max);
    queue_set_breaker(source->queue, &source->options.breaker);
    source->found_layout = older->found_layout;
    source->range_memory.until_and_level = older->range_memory.until_and_level;
    if (source->index && older->index) {
        source_index_unref(source->index);
        source->index = source_index_ref(older->index);
    }
}

void source_add_pointer_root(struct source *source, const char *prefix, struct source *other) {
    unsigned count = source->pointer_root_count++;
    struct pointer_root *roots = NEW_ARRAY(struct pointer_root, count + 1);
    if (count > 0)
        memcpy(roots, source->pointer_roots, count * sizeof *roots);
    roots[count] = (struct pointer_root){memory_text(prefix), other};
    free(source->pointer_roots);
    source->pointer_roots = roots;
}

static void free_pointer_roots(struct source *source) {
    struct source *freed = NULL;
    for (unsigned i = 0; i < source->pointer_root_count; i++) {
        struct pointer_root *root = &source->pointer_roots[i];
        free(root->prefix);
        if (root->source != freed)
            source_free(root->source);
        freed = root->source;
    }
    free(source->pointer_roots);
}

void source_free(struct source *source) {
    if (source)
        source->ops->free(source);
}

void source_release(struct source *source) {
    free_pointer_roots(source);
    queue_unref(source->queue);
    source_index_unref(source->index);
    free((char *)(uintptr_t)source->options.identifier);
    free((char *)(uintptr_t)source->options.name);
    secret_free((char *)(uintptr_t)source->options.remote);
    free((char *)(uintptr_t)source->options.user_agent);
    free((char *)(uintptr_t)source->options.state_directory);
    source_access_release(&source->options.access);
    source_route_release(&source->options.route);
    *source = (struct source){0};
}

bool file_mark_fits(const struct file_mark *mark, const struct content *content) {
    return mark && mark->known && mark->size == content->size &&
           mark->last_modified == content->last_modified &&
           strcmp(mark->validator, content->validator) == 0;
}

bool source_absent_status(const struct source *source, const struct source_call *call, int status) {
    if (status == 404 || status == 410 || (status > 0 && status == call->also_absent))
        return true;
    for (unsigned i = 0; i < STATUSES_MAX && source->options.absent_statuses[i]; i++)
        if (source->options.absent_statuses[i] == status)
            return true;
    return false;
}
