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

/* cached: an element before it keeps what comes. */
static void judge_stores(struct report *report, const char *element, bool cached) {
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
    else if (text_same(element, "srv*"))
        report_add(report, FINDING_GOOD, "element", element,
                   "The debugger's default: a folder of its own, and Microsoft's server.", NULL);
    else if (stores.count == 0 && !text_starts_folded(element, "cache*"))
        report_add(report, FINDING_PROBLEM, "empty", element, "It names no store to be asked.",
                   "Write srv*FOLDER*URL");
    else if (stores.urls > 0 && stores.count == 1 && !cached)
        report_add(report, FINDING_WARNING, "no-cache", element,
                   "It names no folder to keep what comes, so the debugger chooses one.",
                   "Write srv*FOLDER*URL");
    else
        report_add(report, FINDING_GOOD, "element", element, "It is well formed.", NULL);
}

static void judge_element(struct report *report, const char *element, bool repeated, bool cached) {
    if (repeated)
        report_add(report, FINDING_WARNING, "repeated", element,
                   "It stands there twice: each miss is asked for again.", "Leave one.");
    else if (asks_servers(element))
        judge_stores(report, element, cached);
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

/* Takes the next element off a path. A semicolon in the password of a URL parts nothing. */
static char *take_element(char **rest) {
    char *element = *rest;
    if (!element)
        return NULL;
    size_t length = strcspn(element, ";");
    for (char *url = element; (url = strstr(url, "://")) && url < element + length; url += 3) {
        size_t login = text_login_length(url + 3);
        char *behind = url + 3 + login;
        if (login > 0 && behind > element + length && !memchr(url, '*', (size_t)(behind - url)))
            length = (size_t)(behind - element) + strcspn(behind, ";");
    }
    *rest = element[length] ? element + length + 1 : NULL;
    element[length] = '\0';
    return element;
}

static void judge_path(struct report *report, char *path) {
    char before[PATH_BYTES + 2] = ";";
    char *rest = path, *element;
    bool cached = false;
    while (report->count < PATH_FINDINGS_MAX && (element = take_element(&rest))) {
        char mark[PATH_BYTES + 2];
        element += strspn(element, " \t");
        for (size_t end = strlen(element); end > 0 && strchr(" \t", element[end - 1]); end--)
            element[end - 1] = '\0';
        if (!element[0])
            continue;
        text_format(mark, sizeof mark, ";%s;", element);
        text_fold(mark);
        unsigned known = report->count;
        judge_element(report, element, strstr(before, mark) != NULL, cached);
        cached = cached || text_starts_folded(element, "cache*");
        if (report->count > known)
            text_mask_secrets(report->list[known].thing, sizeof report->list[known].thing, element,
                              strlen(element), false);
        size_t used = strlen(before);
        text_copy(before + used, sizeof before - used, mark + 1);
    }
}

/* --- where a path stands --------------------------------------------------------------------- */

/* Behind a variable: `NAME=value`, `NAME value` (setx), `"NAME","value"` of a call, and
   `"NAME=value"` of cmd's set, where the value goes on to the last quote. Quotes elsewhere in cmd's
   set are a part of the value; a shell takes them away. */
static void copy_value(char out[PATH_BYTES], const char *line, const char *name,
                       const char *value) {
    char around = name > line && strchr("\"'", name[-1]) ? name[-1] : '\0';
    bool literal = text_starts_folded(line + strspn(line, " \t"), "set ");
    if (around && *value == around)
        value += 1 + strspn(value + 1, " \t,");
    else
        value += strspn(value, " \t=");
    const char *end = value + strlen(value);
    const char *quote = around && literal ? strrchr(value, around) : NULL;
    bool quoted = !quote && !literal && (*value == '"' || *value == '\'');
    if (quoted && strchr(value + 1, *value)) {
        quote = strchr(value + 1, *value);
        value++;
    }
    text_copy_n(out, PATH_BYTES, value, (size_t)((quote ? quote : end) - value));
}

/* Copies what comes behind the words that begin a path. False: there are none, or there is nothing.
 */
static bool copy_behind_words(const char *line, char out[PATH_BYTES]) {
    static const char *const words[] = {
        "_NT_SYMBOL_PATH", "_NT_ALT_SYMBOL_PATH",   ".sympath+",
        ".sympath",        "ymbol search path is:", "ymbol Search Path:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strstr(line, words[i]);
        if (!found)
            continue;
        const char *value = found + strlen(words[i]);
        if (words[i][0] == '_')
            copy_value(out, line, found, value);
        else
            text_copy(out, PATH_BYTES, value + strspn(value, " \t"));
        return out[0] != '\0';
    }
    return false;
}

bool client_path_read(const char *line, bool alone, struct report *report) {
    char path[PATH_BYTES] = "";
    bool worded = copy_behind_words(line, path);
    if (worded && strstr(line, "xpanded Symbol search path"))
        return true; /* the same once more, as the line before told it */
    if (!worded && !alone)
        return false;
    if (!worded)
        text_copy(path, sizeof path, line + strspn(line, " \t"));
    for (size_t end = strlen(path); end > 0 && strchr(" \t\r\n", path[end - 1]); end--)
        path[end - 1] = '\0';
    bool says = worded || asks_servers(path) || is_url(path) || is_misspelt_url(path) ||
                is_folder(path) || strchr(path, ';');
    if (says)
        judge_path(report, path);
    return says;
}
