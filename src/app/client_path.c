// SPDX-License-Identifier: MIT
#include "app/client_path.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { PATH_BYTES = 4096, PATH_FINDINGS_MAX = 500 };

/* --- elements -------------------------------------------------------------------------------- */

static bool is_url(const char *text) {
    return text_starts_folded(text, "http://") || text_starts_folded(text, "https://");
}

/* "http//host", "https:\\host", "http:/host": a URL to whoever wrote it. */
static bool is_misspelt_url(const char *text) {
    if (!text_starts_folded(text, "http") || is_url(text))
        return false;
    const char *rest = text + strlen("http");
    rest += strspn(rest, "sS:");
    return *rest == '/' || *rest == '\\';
}

static bool asks_servers(const char *element) {
    return text_starts_folded(element, "srv*") || text_starts_folded(element, "symsrv*") ||
           text_starts_folded(element, "cache*");
}

/* A folder, and no line of a log about one. */
static bool is_folder(const char *element) {
    bool drive = isalpha((unsigned char)element[0]) && element[1] == ':' && element[2] == '\\';
    return (drive || text_starts(element, "\\\\")) && !strstr(element, " - ");
}

struct stores {
    unsigned count, urls;
    bool url_before_folder, misspelt, blank, comma;
};

static void count_stores(const char *element, struct stores *out) {
    *out = (struct stores){0};
    for (const char *at = strchr(element, '*'); at; at = strchr(at + 1, '*')) {
        const char *store = at + 1;
        out->count += *store != '\0' && *store != '*';
        out->urls += is_url(store);
        out->url_before_folder = out->url_before_folder || (is_url(store) && strchr(store, '*'));
        out->misspelt = out->misspelt || is_misspelt_url(store);
        out->blank = out->blank || at[-1] == ' ' || *store == ' ';
        out->comma = out->comma || (is_url(store) && strchr(store, ','));
    }
}

static void judge_stores(struct report *report, const char *element) {
    struct stores stores;
    count_stores(element, &stores);
    if (stores.misspelt)
        report_add(report, FINDING_PROBLEM, "url", element,
                   "It holds a URL that is none, so it is taken for a folder.",
                   "Write http://HOST/PATH or https://HOST/PATH.");
    else if (stores.blank)
        report_add(report, FINDING_PROBLEM, "blank", element,
                   "A blank beside a star is a part of the name there.", "Leave it out.");
    else if (stores.comma)
        report_add(report, FINDING_PROBLEM, "comma", element,
                   "A comma does not part elements: it belongs to the URL.",
                   "Part elements by semicolons.");
    else if (stores.url_before_folder)
        report_add(report, FINDING_PROBLEM, "order", element,
                   "A server on HTTP stands before other stores of the element, where only "
                   "folders may: nothing can be kept there.",
                   "Put the URL last: srv*FOLDER*URL");
    else if (stores.count == 0 && !text_starts_folded(element, "cache*"))
        report_add(report, FINDING_PROBLEM, "empty", element, "It names no store to be asked.",
                   "Write srv*FOLDER*URL");
    else if (stores.urls > 0 && stores.count == 1)
        report_add(report, FINDING_WARNING, "no-cache", element,
                   "It names no folder to keep what comes, so the debugger chooses one.",
                   "Write srv*FOLDER*URL");
    else
        report_add(report, FINDING_GOOD, "element", element, "It is well formed.", NULL);
}

static void judge_element(struct report *report, const char *element, bool repeated) {
    if (repeated)
        report_add(report, FINDING_WARNING, "repeated", element,
                   "It stands there twice: each miss is asked for again.", "Leave one.");
    else if (asks_servers(element))
        judge_stores(report, element);
    else if (is_url(element) || is_misspelt_url(element))
        report_add(report, FINDING_PROBLEM, "bare-url", element,
                   "A URL without srv* before it is taken for a folder by older debuggers.",
                   "Write srv*FOLDER*URL");
    else if (element[0] == '"' || element[0] == '\'')
        report_add(report, FINDING_PROBLEM, "quotes", element,
                   "Quotes are a part of the path here, so the folder does not exist.",
                   "Leave the quotes out, also around names with blanks.");
    else
        report_add(report, FINDING_GOOD, "element", element,
                   "A folder: it is searched, in one tier or two.", NULL);
}

static void judge_path(struct report *report, char *path) {
    char before[PATH_BYTES + 2] = ";";
    char *rest = path, *element;
    while (report->count < PATH_FINDINGS_MAX && (element = strsep(&rest, ";"))) {
        char mark[PATH_BYTES + 2];
        element += strspn(element, " \t");
        for (size_t end = strlen(element); end > 0 && strchr(" \t", element[end - 1]); end--)
            element[end - 1] = '\0';
        if (!element[0])
            continue;
        text_format(mark, sizeof mark, ";%s;", element);
        text_fold(mark);
        unsigned known = report->count;
        judge_element(report, element, strstr(before, mark) != NULL);
        if (report->count > known)
            text_mask_secrets(report->list[known].thing, sizeof report->list[known].thing, element,
                              strlen(element), false);
        size_t used = strlen(before);
        text_copy(before + used, sizeof before - used, mark + 1);
    }
}

/* --- where a path stands --------------------------------------------------------------------- */

/* What comes behind the words that begin a path; NULL: there are none. *out_literal: quotes stand
   for themselves there, as in cmd's set. */
static const char *behind_words(const char *line, bool *out_literal) {
    static const char *const words[] = {
        "_NT_SYMBOL_PATH", "_NT_ALT_SYMBOL_PATH",   ".sympath+",
        ".sympath",        "ymbol search path is:", "ymbol Search Path:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strstr(line, words[i]);
        if (!found)
            continue;
        bool variable = words[i][0] == '_';
        const char *value = found + strlen(words[i]);
        *out_literal = !variable || text_starts_folded(line + strspn(line, " \t"), "set ");
        value += strspn(value, variable ? " \t=" : " \t");
        return *value ? value : NULL;
    }
    return NULL;
}

/* A shell takes the quotes around a value away. */
static void unquote(char *path) {
    size_t length = strlen(path);
    bool quoted = length >= 2 && (path[0] == '"' || path[0] == '\'') && path[length - 1] == path[0];
    if (!quoted)
        return;
    memmove(path, path + 1, length - 2);
    path[length - 2] = '\0';
}

bool client_path_read(const char *line, bool alone, struct report *report) {
    char path[PATH_BYTES];
    bool literal = true;
    const char *value = behind_words(line, &literal);
    if (value && strstr(line, "xpanded Symbol search path"))
        return true; /* the same once more, as the line before told it */
    if (!value && alone)
        value = line + strspn(line, " \t");
    else if (!value)
        return false;
    text_copy(path, sizeof path, value);
    for (size_t end = strlen(path); end > 0 && strchr(" \t\r\n", path[end - 1]); end--)
        path[end - 1] = '\0';
    if (!literal)
        unquote(path);
    bool says = value != line + strspn(line, " \t") || asks_servers(path) || is_url(path) ||
                is_misspelt_url(path) || is_folder(path) || strchr(path, ';');
    if (says)
        judge_path(report, path);
    return says;
}
