// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *sentence;
} kinds[ERROR_KIND_COUNT] = {
    [ERROR_NONE] = {"none", "nothing went wrong"},
    [ERROR_INVALID] = {"invalid", "the request is not understood"},
    [ERROR_CONFIG] = {"config", "the configuration is wrong"},
    [ERROR_SYSTEM] = {"system", "the operating system refused"},
    [ERROR_DISK] = {"disk", "the disk cannot be used"},
    [ERROR_CONNECT] = {"connect", "the source cannot be reached"},
    [ERROR_TLS] = {"tls", "the secure connection failed"},
    [ERROR_TIMEOUT] = {"timeout", "the source stayed silent too long"},
    [ERROR_STALLED] = {"stalled", "the body stopped coming"},
    [ERROR_RESET] = {"reset", "the connection broke"},
    [ERROR_STATUS] = {"status", "the source answered with an error"},
    [ERROR_THROTTLED] = {"throttled", "the source asked for a pause"},
    [ERROR_REDIRECT] = {"redirect", "the source redirects without end or to a place not allowed"},
    [ERROR_HTML] = {"html", "a web page came in place of the symbol file"},
    [ERROR_EMPTY] = {"empty", "the body was empty"},
    [ERROR_TEXT] = {"text", "plain text came in place of the symbol file"},
    [ERROR_LENGTH] = {"length", "the body is not as long as announced"},
    [ERROR_ENCODING] = {"encoding", "the body's coding cannot be undone"},
    [ERROR_IDENTITY] = {"identity", "the file is not the symbol asked for"},
    [ERROR_DIFFERENT] = {"different", "a second try brought different bytes"},
    [ERROR_CHANGED] = {"changed", "the file changed while it was read"},
    [ERROR_UNMAPPED] = {"unmapped", "its remote is a Windows path that no pathMap entry maps"},
    [ERROR_UNMOUNTED] = {"unmounted", "the directory is not there or not in order"},
    [ERROR_ELSEWHERE] = {"elsewhere", "a pointer leads to where it is not allowed to lead"},
    [ERROR_WITHDRAWN] = {"withdrawn", "the store says that the file is not to be had"},
    [ERROR_UNINDEXED] = {"unindexed", "the store says that the file is no longer indexed"},
    [ERROR_LOOP] = {"loop", "the source is this symgate itself"},
    [ERROR_RESTING] = {"resting", "the source rests"},
    [ERROR_BUSY] = {"busy", "the queue is full"},
    [ERROR_CANCELLED] = {"cancelled", "nobody needs the answer any more"},
    [ERROR_REMOVED] = {"removed", "the server was removed from the configuration or changed in it"},
};

/* Cuts silently: an error text that is too long is still an error text. */
static size_t append_va(char *text, size_t size, size_t used, const char *format, va_list args) {
    int wanted = vsnprintf(text + used, size - used, format, args);
    if (wanted < 0)
        return used;
    size_t now = used + (size_t)wanted;
    return now < size ? now : size - 1;
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...) {
    if (!err)
        return false;
    /* Made whole before it is put down: the arguments may be parts of *err itself. */
    struct error made = {.kind = kind};
    va_list args;
    va_start(args, format);
    append_va(made.what, sizeof made.what, 0, format, args);
    va_end(args);
    *err = made;
    return false;
}

bool error_os(struct error *err, enum error_kind kind, int os, const char *format, ...) {
    if (!err)
        return false;
    struct error made = {.kind = kind, .os = os};
    va_list args;
    va_start(args, format);
    size_t used = append_va(made.what, sizeof made.what, 0, format, args);
    va_end(args);
    char reason[96];
    snprintf(made.what + used, sizeof made.what - used, ": %s",
             strerror_r(os, reason, sizeof reason));
    *err = made;
    return false;
}

bool error_hint(struct error *err, const char *format, ...) {
    if (!err)
        return false;
    va_list args;
    va_start(args, format);
    append_va(err->hint, sizeof err->hint, 0, format, args);
    va_end(args);
    return false;
}

void error_clear(struct error *err) {
    *err = (struct error){0};
}

const char *error_kind_name(enum error_kind kind) {
    assert(kind < ERROR_KIND_COUNT);
    return kinds[kind].name;
}

const char *error_kind_sentence(enum error_kind kind) {
    assert(kind < ERROR_KIND_COUNT);
    return kinds[kind].sentence;
}
