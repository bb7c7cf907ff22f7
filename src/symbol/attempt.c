// SPDX-License-Identifier: MIT
#include "symbol/attempt.h"

#include <assert.h>
#include <stddef.h>

static const char *const result_names[] = {
    [ATTEMPT_WAITING] = "waiting",   [ATTEMPT_FOUND] = "found",
    [ATTEMPT_ABSENT] = "absent",     [ATTEMPT_REMEMBERED] = "remembered",
    [ATTEMPT_FILTERED] = "filtered", [ATTEMPT_LOST] = "lost",
    [ATTEMPT_FAILED] = "failed",     [ATTEMPT_UNASKED] = "unasked",
};

const char *attempt_result_name(enum attempt_result result) {
    size_t index = (size_t)result;
    assert(index < sizeof result_names / sizeof result_names[0]);
    return result_names[index];
}
