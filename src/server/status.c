// SPDX-License-Identifier: MIT
#include "server/status.h"

int status_of_verdict(enum verdict verdict, int failure_status) {
    switch (verdict) {
    case VERDICT_HIT:
    case VERDICT_JOINED:
    case VERDICT_FETCHED:
    case VERDICT_LOCAL:
        return 200;
    case VERDICT_ABSENT:
    case VERDICT_EXCLUDED:
        return 404;
    case VERDICT_LATER:
    case VERDICT_BUSY:
    case VERDICT_FAILED:
        return failure_status;
    case VERDICT_INVALID:
    case VERDICT_COUNT:
        break;
    }
    return 400;
}
