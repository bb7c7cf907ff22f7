// SPDX-License-Identifier: MIT
//
// What a failure of libcurl's means to symgate. Pure.
#pragma once

#include <curl/curl.h>

#include "base/error.h"
#include "source/http_answer.h"

/* The kind of a transfer's end that is not good; `answer` is what has come until then. */
enum error_kind http_fault_kind(CURLcode code, const struct http_answer *answer);

/* What libcurl says of an end, unless that may hold a secret: its own words quote a bad proxy URL
   whole, with its password. `text`: what stands in its error buffer. */
const char *http_fault_words(CURLcode code, const char *text);
