// SPDX-License-Identifier: MIT
//
// The head of a symbol server's answer, given line by line as libcurl does.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct http_answer answer;
    http_answer_init(&answer);
    while (length > 0) {
        const uint8_t *end = memchr(bytes, '\n', length);
        size_t line = end ? (size_t)(end - bytes) + 1 : length;
        http_answer_line(&answer, (const char *)bytes, line);
        bytes += line;
        length -= line;
    }
    if (answer.status < 0 || answer.status > 999 || !memchr(answer.etag, '\0', sizeof answer.etag))
        abort();
    if (answer.etag[0] && answer.etag[0] != '"')
        abort();
    return 0;
}
