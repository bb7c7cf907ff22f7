// SPDX-License-Identifier: MIT
#include "symbol/verdict.h"

#include <assert.h>

static const struct {
    const char *name;
    const char *sentence;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_HIT] = {"hit", "the file was here already"},
    [VERDICT_JOINED] = {"joined", "the file arrives for another request too"},
    [VERDICT_FETCHED] = {"fetched", "the file was fetched for this request"},
    [VERDICT_LOCAL] = {"local", "the file lies in a directory that is served in place"},
    [VERDICT_ABSENT] = {"absent", "every server that may be asked said that it does not have it"},
    [VERDICT_EXCLUDED] = {"excluded", "a filter leaves no server to ask for it"},
    [VERDICT_LATER] = {"later", "the search goes on, ask again in a moment"},
    [VERDICT_BUSY] = {"busy", "the queues are full, ask again in a moment"},
    [VERDICT_FAILED] = {"failed", "a server that may have it could not answer"},
    [VERDICT_INVALID] = {"invalid", "this is not a proper request for a symbol"},
};

bool verdict_delivered(enum verdict verdict) {
    return verdict == VERDICT_HIT || verdict == VERDICT_JOINED || verdict == VERDICT_FETCHED ||
           verdict == VERDICT_LOCAL;
}

bool verdict_open(enum verdict verdict) {
    return verdict == VERDICT_LATER || verdict == VERDICT_BUSY || verdict == VERDICT_FAILED;
}

const char *verdict_name(enum verdict verdict) {
    assert(verdict < VERDICT_COUNT);
    return verdicts[verdict].name;
}

const char *verdict_sentence(enum verdict verdict) {
    assert(verdict < VERDICT_COUNT);
    return verdicts[verdict].sentence;
}
