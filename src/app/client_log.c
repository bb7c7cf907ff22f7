// SPDX-License-Identifier: MIT
#include "app/client_log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app/client_meaning.h"
#include "app/client_path.h"
#include "app/client_summary.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"

enum { LINE_BYTES = 4096, ELEMENT_BYTES = 280, FINDINGS_MAX = 500, URLS_MAX = 16 };

struct reading {
    struct report *report;
    char element[ELEMENT_BYTES]; /* that was named last */
    bool in_summary;             /* the next line may be a row of the table of a symbol path … */
    char before[ELEMENT_BYTES];  /* … behind what stood before its head, as a time */

    /* of symsrv's search that is under way */
    char stores[LINE_BYTES];    /* with '*' between them; "": not known */
    bool stores_next;           /* the next line tells them, behind what stood before "SYMSRV:" */
    unsigned store;             /* the one on HTTP that is asked, counted among those */
    char first_get[LINE_BYTES]; /* what it was asked for first */
    char asked[ELEMENT_BYTES];  /* what was asked over HTTP last; "": nothing yet */

    /* of debuginfod's */
    char urls[URLS_MAX][ELEMENT_BYTES]; /* by their number */
    unsigned url_count;
    unsigned committed;         /* one more than the number of that which sends the file; 0: none */
    const struct meaning *held; /* of a line that the next one says the URL of */
};

static void tell(struct reading *reading, const struct meaning *meaning, const char *element) {
    char thing[ELEMENT_BYTES] = "the client";
    if (element[0])
        text_mask_secrets(thing, sizeof thing, element, strlen(element), false);
    if (meaning && reading->report->count < FINDINGS_MAX &&
        !report_has(reading->report, meaning->name, thing))
        report_add(reading->report, meaning->weight, meaning->name, thing, meaning->sentence,
                   meaning->cure);
}

/* --- elements -------------------------------------------------------------------------------- */

/* The URL, share or path that a line names; empty: none. */
static void find_element(const char *line, char out[ELEMENT_BYTES]) {
    const char *begin = strstr(line, "://");
    out[0] = '\0';
    if (begin) {
        while (begin > line && isalpha((unsigned char)begin[-1]))
            begin--;
    } else {
        begin = strstr(line, "\\\\");
        const char *drive = strstr(line, ":\\");
        if (!begin && drive > line)
            begin = drive - 1;
    }
    if (!begin)
        return;
    /* A password may hold what ends an element elsewhere. */
    const char *authority = strstr(begin, "://");
    size_t login = authority ? (size_t)(authority + 3 - begin) : 0;
    login += login ? text_login_length(begin + login) : 0;
    size_t length = login + strcspn(begin + login, "*;\"'<>|\t");
    const char *dash = strstr(begin, " - ");
    if (dash && (size_t)(dash - begin) < length)
        length = (size_t)(dash - begin);
    char element[ELEMENT_BYTES];
    text_copy_n(element, sizeof element, begin, length);
    char *space = strstr(element, "://") ? strchr(element, ' ') : NULL;
    if (space)
        *space = '\0';
    for (size_t end = strlen(element); end > 0 && strchr(":,.", element[end - 1]); end--)
        element[end - 1] = '\0';
    text_mask_url(out, ELEMENT_BYTES, element);
}

/* The index-th store of the search that is under way. False: there are fewer. */
static bool take_store(const struct reading *reading, unsigned index, char out[LINE_BYTES]) {
    const char *at = reading->stores;
    for (; index > 0 && *at; index--) {
        at += strcspn(at, "*");
        at += *at == '*';
    }
    text_copy_n(out, LINE_BYTES, at, strcspn(at, "*"));
    return *at != '\0';
}

/* The store that a path lies in, in place of the path; it stays where it lies in none. */
static void name_store(const struct reading *reading, char element[ELEMENT_BYTES]) {
    char store[LINE_BYTES];
    for (unsigned i = 0; take_store(reading, i, store); i++)
        if (store[0] && !strstr(store, "://") && text_starts_folded(element, store)) {
            text_copy(element, ELEMENT_BYTES, store);
            return;
        }
}

/* The index-th store on HTTP of which this may be a path. */
static bool find_http_store(const struct reading *reading, const char *path, unsigned index,
                            char out[ELEMENT_BYTES]) {
    char store[LINE_BYTES], own[LINE_BYTES];
    for (unsigned i = 0; take_store(reading, i, store); i++) {
        const char *authority = strstr(store, "://");
        const char *root = authority ? strchr(authority + 3, '/') : NULL;
        root = root ? root : "/";
        text_copy_n(own, sizeof own, root, strcspn(root, "?#"));
        if (!authority || !text_starts_folded(path, own) || index-- > 0)
            continue;
        text_mask_url(out, ELEMENT_BYTES, store);
        return true;
    }
    return false;
}

/* "HTTPGET: /path/name/id/file": the host is not told. Where the first question comes once more it
   is put to the next store that has this path. */
static void take_get(struct reading *reading, const char *path) {
    if (!reading->first_get[0])
        text_copy(reading->first_get, sizeof reading->first_get, path);
    else if (strcmp(reading->first_get, path) == 0)
        reading->store++;
    if (!find_http_store(reading, path, reading->store, reading->element) &&
        !find_http_store(reading, path, 0, reading->element))
        text_copy(reading->element, sizeof reading->element, path);
}

/* --- symsrv and dbghelp ---------------------------------------------------------------------- */

static void take_stores(struct reading *reading, const char *line) {
    text_copy(reading->stores, sizeof reading->stores, line + strspn(line, " \t>|"));
    reading->stores_next = false;
    reading->store = 0;
    reading->first_get[0] = '\0';
    reading->asked[0] = '\0';
}

/* What stands between the first colon and a dash: a module, or a file. */
static void take_subject(const char *line, char out[ELEMENT_BYTES]) {
    const char *begin = strchr(line, ':');
    begin = begin ? begin + 1 + strspn(begin + 1, " ") : line;
    const char *dash = strstr(begin, " - ");
    char subject[ELEMENT_BYTES];
    text_copy_n(subject, sizeof subject, begin, dash ? (size_t)(dash - begin) : 0);
    text_mask_url(out, ELEMENT_BYTES, subject);
}

static bool is_on_drive(const char *element) {
    return isalpha((unsigned char)element[0]) && element[1] == ':';
}

static void read_dbghelp(struct reading *reading, const char *line, const char *folded) {
    const struct meaning *meaning = client_meaning(folded);
    char subject[ELEMENT_BYTES];
    take_subject(line, subject);
    /* It tries many folders: that none of them has the file is told by its last line. */
    if (!strstr(folded, "file not found"))
        tell(reading, meaning, subject);
}

/* line: the part of the whole one that is symsrv's own. */
static void read_symsrv(struct reading *reading, const char *whole, const char *line,
                        const char *folded) {
    const char *get = strstr(line, "HTTPGET: ");
    char element[ELEMENT_BYTES];
    if (strstr(folded, "byindex:")) {
        reading->stores_next = true;
        text_copy_n(reading->before, sizeof reading->before, whole, (size_t)(line - whole));
        return;
    }
    find_element(line, element);
    if (element[0]) {
        name_store(reading, element);
        text_copy(reading->element, sizeof reading->element, element);
    } else if (get) {
        take_get(reading, get + strlen("HTTPGET: "));
    }
    /* That a folder of one's own has not got the file yet is the usual thing. */
    bool missed = strstr(folded, "path not found") || strstr(folded, "file not found");
    bool result = strstr(folded, "result:") != NULL;
    if (get)
        text_copy(reading->asked, sizeof reading->asked, reading->element);
    else if (!missed || !is_on_drive(reading->element))
        tell(reading, client_meaning(folded),
             result && reading->asked[0] ? reading->asked : reading->element);
}

/* --- debuginfod ------------------------------------------------------------------------------ */

static const char *only_url(const struct reading *reading) {
    if (reading->committed > 0 && reading->urls[reading->committed - 1][0])
        return reading->urls[reading->committed - 1];
    return reading->url_count == 1 ? reading->urls[0] : "one of the servers";
}

static void tell_held(struct reading *reading, const char *url) {
    tell(reading, reading->held, url);
    reading->held = NULL;
}

/* The number behind some words; URLS_MAX: they do not stand there, or it is too large. */
static unsigned number_behind(const char *line, const char *words) {
    size_t length = strlen(words);
    if (!text_starts(line, words) || !isdigit((unsigned char)line[length]))
        return URLS_MAX;
    unsigned long number = strtoul(line + length, NULL, 10);
    return number < URLS_MAX ? (unsigned)number : URLS_MAX;
}

/* "url N URL" names one, "url N MESSAGE" says what became of it. False: it is no such line. */
static bool read_url(struct reading *reading, const char *line, const char *folded) {
    unsigned number = number_behind(line, "url ");
    if (number == URLS_MAX)
        return false;
    char *url = reading->urls[number];
    if (strstr(line, "://") && !client_meaning(folded)) {
        find_element(line, url);
        reading->url_count = number >= reading->url_count ? number + 1 : reading->url_count;
    } else if (client_meaning(folded)) {
        reading->held = client_meaning(folded);
    }
    tell_held(reading, url[0] ? url : only_url(reading));
    return true;
}

/* False: it is no line of debuginfod's. */
static bool read_debuginfod(struct reading *reading, const char *line, const char *folded) {
    if (read_url(reading, line, folded))
        return true;
    if (reading->held)
        tell_held(reading, only_url(reading));
    unsigned committed = number_behind(folded, "committed to url ");
    if (committed < URLS_MAX)
        reading->committed = committed + 1;
    if (text_starts(folded, "server urls"))
        reading->committed = 0;
    if (strstr(folded, "server urls \"\"") || strstr(folded, "debuginfod_urls=\"\"") ||
        text_ends_folded(folded, "debuginfod_urls=")) {
        tell(reading, client_meaning_no_server(), "the client");
        return true;
    }
    if (text_starts(folded, "server response") || strstr(folded, "got file from server")) {
        reading->held = client_meaning(folded);
        return true;
    }
    /* The last word on all servers: they have been told one by one. */
    if (text_starts(folded, "not found ")) {
        if (client_meaning(folded) == client_meaning_no_server())
            tell(reading, client_meaning_no_server(), "the client");
        return true;
    }
    return false;
}

/* "SYMCHK: module    FAILED  - …" */
static void take_module(const char *line, char out[ELEMENT_BYTES]) {
    const char *module = line + strlen("SYMCHK: ");
    char name[ELEMENT_BYTES];
    text_copy_n(name, sizeof name, module, strcspn(module, " "));
    text_mask_url(out, ELEMENT_BYTES, name);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void read_other(struct reading *reading, const char *line, const char *folded) {
    char element[ELEMENT_BYTES];
    const char *module = strstr(folded, "not be loaded for ");
    find_element(line, element);
    if (module)
        text_mask_url(element, sizeof element,
                      line + (module - folded) + strlen("not be loaded for "));
    else if (text_starts(folded, "symchk: "))
        take_module(line, element);
    if (element[0])
        text_copy(reading->element, sizeof reading->element, element);
    tell(reading, client_meaning(folded), reading->element);
}

/* Where a line's own text begins: behind blanks and the marks of a quotation, and, where "SYMSRV:"
   or "DBGHELP:" stands further behind, behind a time or a prompt too. */
static const char *own_text(const char *line) {
    static const char *const marks[] = {"SYMSRV:", "DBGHELP:"};
    line += strspn(line, " \t>|");
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = strstr(line, marks[i]);
        if (mark > line && strchr(" \t>|])", mark[-1]))
            return mark;
    }
    return line;
}

/* Behind what stood before the line above, where the same stands here; a time runs on. */
static const char *behind_the_same(const char *line, const char *before) {
    const char *at = line;
    for (; *before; before++, at++)
        if (*at != *before && !(isdigit((unsigned char)*at) && isdigit((unsigned char)*before)))
            return line;
    return at;
}

/* The table of the elements of a symbol path. False: the line is none of it. */
static bool read_summary(struct reading *reading, const char *whole) {
    const char *head = client_summary_head(whole);
    if (head)
        text_copy_n(reading->before, sizeof reading->before, whole, (size_t)(head - whole));
    else if (reading->in_summary)
        reading->in_summary =
            client_summary_row(behind_the_same(whole, reading->before), reading->report);
    reading->in_summary = reading->in_summary || head;
    return reading->in_summary || client_summary_error(whole, reading->report);
}

static void read_line(struct reading *reading, const char *whole) {
    char folded[LINE_BYTES];
    const char *line = own_text(whole);
    text_copy(folded, sizeof folded, line);
    text_fold(folded);
    if (reading->stores_next)
        take_stores(reading, behind_the_same(whole, reading->before));
    else if (read_summary(reading, whole))
        return;
    else if (text_starts(folded, "symsrv"))
        read_symsrv(reading, whole, line, folded);
    else if (client_path_read(line, false, reading->report))
        return;
    else if (text_starts(folded, "dbghelp:"))
        read_dbghelp(reading, line, folded);
    else if (!read_debuginfod(reading, line, folded))
        read_other(reading, line, folded);
}

static void read_lines(struct reading *reading, const char *text, size_t length) {
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line_length = end ? (size_t)(end - text) : length;
        size_t step = line_length + (end ? 1 : 0);
        char line[LINE_BYTES];
        text_copy_n(line, sizeof line, text, line_length);
        line[strcspn(line, "\r")] = '\0';
        read_line(reading, line);
        text += step;
        length -= step;
    }
    if (reading->held)
        tell_held(reading, only_url(reading));
}

/* A text of one line may be a path. */
static bool read_path(const char *text, size_t length, struct report *report) {
    char line[LINE_BYTES];
    while (length > 0 && strchr("\r\n \t", text[length - 1]))
        length--;
    if (length == 0 || length >= sizeof line || memchr(text, '\n', length) ||
        memchr(text, '\0', length))
        return false;
    text_copy_n(line, sizeof line, text, length);
    return client_path_read(line, true, report);
}

static void read_text(const char *text, size_t length, struct report *report) {
    struct reading reading = {.report = report};
    if (!read_path(text, length, report))
        read_lines(&reading, text, length);
}

/* What Windows programs write begins with a mark that says how it is coded. */
static void read_coded(const char *text, size_t length, struct report *report) {
    bool big = length >= 2 && memcmp(text, "\xFE\xFF", 2) == 0;
    bool little = length >= 2 && memcmp(text, "\xFF\xFE", 2) == 0;
    if (!big && !little) {
        size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        read_text(text + mark, length - mark, report);
        return;
    }
    CLEANUP(free_block) char *plain = memory_new(length / 2 * 3 + 1);
    read_text(plain, utf8_from_utf16(plain, text + 2, length - 2, big), report);
}

void client_log_read(const char *text, size_t length, struct report *report) {
    read_coded(text, length, report);
    if (report->count == 0)
        report_add(report, FINDING_WARNING, "nothing", "the log",
                   "Nothing in it tells of a search for symbols.",
                   "Paste what !sym noisy and .reload print, what DEBUGINFOD_VERBOSE=1 prints, or "
                   "a symbol path.");
}
