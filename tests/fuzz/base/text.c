// SPDX-License-Identifier: MIT
// Whatever stands in a request line, through everything that decodes, escapes, masks and counts it.
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/numbers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was encoded decodes to itself. */
static void there_and_back(const char *text, size_t length) {
    size_t room = 3 * length + 1;
    char *encoded = malloc(room);
    bool fits = text_encode_percent(encoded, room, text, "/");
    assert(fits);
    bool ok = false;
    size_t decoded = text_decode_percent(encoded, encoded, strlen(encoded), &ok);
    assert(ok && decoded == length && memcmp(encoded, text, length) == 0);
    free(encoded);
}

static void escapes(const char *text, size_t length) {
    char small[24];
    text_escape_json(small, sizeof small, text, length);
    text_escape_html(small, sizeof small, text);
    assert(!strpbrk(small, "<>\"'"));
    text_mask_url(small, sizeof small, text);
    struct buffer buffer;
    buffer_init(&buffer, 6 * length);
    bool fits = buffer_append_json(&buffer, text);
    assert(fits);
    for (size_t i = 0; i < buffer.length; i++)
        assert((unsigned char)buffer.bytes[i] >= 0x20);
    buffer_release(&buffer);
}

static void numbers(const char *text) {
    uint64_t bytes = 0;
    int64_t ms = 0;
    char shown[32];
    if (number_parse_size(text, &bytes)) {
        number_format_size(shown, sizeof shown, bytes);
        assert(strlen(shown) > 0);
    }
    if (number_parse_time(text, &ms)) {
        int64_t again = 0;
        number_format_time(shown, sizeof shown, ms);
        bool parsed = number_parse_time(shown, &again);
        assert(ms >= 0 && parsed && again >= ms - 50 && again - 50 <= ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *decoded = malloc(size + 1);
    bool ok = false;
    size_t length = text_decode_percent(decoded, (const char *)data, size, &ok);
    assert(length <= size && (ok || memchr(decoded, '%', length)));
    free(decoded);
    char *text = malloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    size_t plain = strlen(text);
    there_and_back(text, plain);
    escapes(text, plain);
    numbers(text);
    (void)text_distance(text, "retryTimeout");
    free(text);
    return 0;
}
