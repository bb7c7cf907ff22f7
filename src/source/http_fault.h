// SPDX-License-Identifier: MIT
//
// What a failure of libcurl's means to symgate. Pure.
#pragma once

#include <curl/curl.h>

#include "base/error.h"
#include "source/http_answer.h"

/* The kind of a transfer's end that is not good; `answer` is what has come until then. */
enum error_kind http_fault_kind(CURLcode code, const struct http_answer *answer);
