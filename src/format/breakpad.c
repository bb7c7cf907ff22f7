// SPDX-License-Identifier: MIT
#include "format/breakpad.h"

#include <string.h>

#include "base/text.h"

enum { LINE_BYTES_MAX = 1024 };

/* Copies the word that *text begins with, and steps over it and the blanks behind. */
static bool take_word(const char **text, char *out, size_t size) {
    size_t length = strcspn(*text, " ");
    bool fits = length > 0 && text_copy_n(out, size, *text, length);
    *text += length;
    *text += strspn(*text, " ");
    return fits;
}

bool breakpad_identify(struct probe *probe, struct identity *out) {
    struct breakpad_module *module = &out->module;
    char line[LINE_BYTES_MAX + 1];
    uint64_t whole = probe->view->length;
    size_t length = whole < LINE_BYTES_MAX ? (size_t)whole : LINE_BYTES_MAX;
    out->format = FORMAT_BREAKPAD;
    if (!probe_read(probe, line, length, 0))
        return false;
    char *end = memchr(line, '\n', length);
    if (!end)
        return probe_damaged(probe, "the MODULE line does not end");
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    const char *rest = line + strcspn(line, " ");
    rest += strspn(rest, " ");
    if (!take_word(&rest, module->os, sizeof module->os) ||
        !take_word(&rest, module->arch, sizeof module->arch) ||
        !take_word(&rest, module->id, sizeof module->id) || *rest == '\0' ||
        !text_copy(module->name, sizeof module->name, rest))
        return probe_damaged(probe, "the MODULE line does not name system, processor, id and file");
    return true;
}
