// SPDX-License-Identifier: MIT
//
// Verdicts as HTTP statuses. Toward symbol clients every "we do not have it" is 404: it is the only
// status at which all of them go on to their next server. What "later", "busy" and "failed" answer
// is general.failureStatus.
#pragma once

#include "symbol/verdict.h"

/* HRESULT_FROM_WIN32(ERROR_APP_HANG): how Microsoft's SymProxy says "still looking" (Windows
 * debugger documentation). */
#define SYMBOL_AGENT_LATER "0x80070512"

/* The status of an answer without a body. */
int status_of_verdict(enum verdict verdict, int failure_status);
