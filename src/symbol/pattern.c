// SPDX-License-Identifier: MIT
#include "symbol/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "symbol/python.h"

enum {
    MATCH_STEPS_MAX = 100000, /* a few milliseconds */
    HEAP_KIB_MAX = 4096,      /* where there is no JIT */
    JIT_STACK_BYTES = 32 * 1024,
    JIT_STACK_BYTES_MAX = 512 * 1024,
    NAME_LENGTH_MAX = 1024, /* no name that is asked for is longer */
};

/* Start optimisations are off because 10.42's are wrong: "(?=b.)(?>b?b)" is not found in "ba" with
 * them. */
static const uint32_t COMPILE_OPTIONS =
    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_START_OPTIMIZE;

struct pattern {
    char *text;
    pcre2_code *code;
};

/* What a thread needs to match, whatever the pattern; made at its first match, freed at its end. */
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static pthread_key_t scratch_key;
static bool scratch_key_made;

static void scratch_free(void *context) {
    struct scratch *scratch = context;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static void scratch_make_key(void) {
    scratch_key_made = pthread_key_create(&scratch_key, scratch_free) == 0;
}

static struct scratch *scratch_new(void) {
    struct scratch *scratch = NEW(struct scratch);
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_BYTES, JIT_STACK_BYTES_MAX, NULL);
    if (!scratch->data || !scratch->context || pthread_setspecific(scratch_key, scratch) != 0) {
        scratch_free(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(scratch->context, HEAP_KIB_MAX);
    if (scratch->stack)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

/* NULL: no memory. */
static struct scratch *scratch_get(void) {
    pthread_once(&scratch_once, scratch_make_key);
    if (!scratch_key_made)
        return NULL;
    struct scratch *scratch = pthread_getspecific(scratch_key);
    return scratch ? scratch : scratch_new();
}

static void context_free(pcre2_compile_context **context) {
    pcre2_compile_context_free(*context);
}

/* PCRE2 refuses what the translation lets through only for its size, or a look-behind that it
 * cannot follow. */
static pcre2_code *compile(const struct buffer *translated, struct error *err) {
    CLEANUP(context_free) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        error_set(err, ERROR_SYSTEM, "no memory for a pattern");
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int number = 0;
    PCRE2_SIZE offset = 0;
    const char *text = translated->length > 0 ? translated->bytes : "";
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, translated->length, COMPILE_OPTIONS, &number,
                                     &offset, context);
    if (!code) {
        PCRE2_UCHAR message[160];
        pcre2_get_error_message(number, message, sizeof message);
        error_set(err, ERROR_INVALID, "not supported here: %s", (const char *)message);
        return NULL;
    }
    /* Without JIT (a hardened kernel forbids it) patterns are slower, nothing else. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

struct pattern *pattern_new(const char *text, size_t *out_offset, struct error *err) {
    CLEANUP(buffer_release) struct buffer translated;
    buffer_init(&translated, PYTHON_OUT_BYTES_MAX);
    if (!python_translate(text, &translated, out_offset, err))
        return NULL;
    pcre2_code *code = compile(&translated, err);
    if (!code) {
        *out_offset = 0;
        return NULL;
    }
    struct pattern *pattern = NEW(struct pattern);
    pattern->text = memory_text(text);
    pattern->code = code;
    return pattern;
}

void pattern_free(struct pattern *pattern) {
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    free(pattern->text);
    free(pattern);
}

static enum pattern_match try_utf8(const struct pattern *pattern, const char *name, size_t length) {
    struct scratch *scratch = scratch_get();
    if (!scratch)
        return PATTERN_LIMIT;
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)name, length, 0, PCRE2_NO_UTF_CHECK,
                             scratch->data, scratch->context);
    if (result >= 0)
        return PATTERN_YES;
    return result == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_LIMIT;
}

enum pattern_match pattern_try(const struct pattern *pattern, const char *name) {
    size_t length = strlen(name);
    if (length > NAME_LENGTH_MAX)
        return PATTERN_LIMIT;
    if (utf8_valid(name, length))
        return try_utf8(pattern, name, length);
    char converted[2 * NAME_LENGTH_MAX];
    return try_utf8(pattern, converted, utf8_from_latin1(converted, name, length));
}

const char *pattern_text(const struct pattern *pattern) {
    return pattern->text;
}
