// SPDX-License-Identifier: MIT
#include "app/client_log.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { LINE_BYTES = 4096, ELEMENT_BYTES = 280, FINDINGS_MAX = 500 };

/* What a line means that holds one of these words (with | between), in any case. The first that
   fits counts. */
static const struct meaning {
    const char *words;
    const char *name;
    enum finding_weight weight;
    const char *sentence;
    const char *cure;
} meanings[] = {
    {"80190194|http_status_not_found|response code said error|404 not found", "absent",
     FINDING_WARNING, "It says that it does not have the file.",
     "Is this very build published there, with this id? In front of several servers, symgate "
     "remembers such a no and spares the question."},
    {"80190193|http_status_forbidden|403 forbidden", "forbidden", FINDING_PROBLEM,
     "It forbids the file (403), and many clients ask no further server then.",
     "Renew the credentials; where it is a store of objects that says 403 for whatever it does not "
     "have, put symgate in front, with \"absentStatus\": [403]."},
    {"80190191|http_status_denied|401 unauthorized", "credentials", FINDING_PROBLEM,
     "It wants credentials (401), and the client has none or wrong ones.",
     "Put symgate in front and give it the credentials, so that clients need none."},
    {"80190197|http_status_proxy_auth_req|407 proxy", "proxy", FINDING_PROBLEM,
     "The proxy on the way wants credentials (407).",
     "Give them to the client, or put symgate in front with proxyUser and proxyPassword."},
    {"801901f4|801901f6|801901f7|801901f8|http_status_server_error|http_status_bad_gateway|"
     "http_status_service_unavail|http_status_gateway_timeout",
     "server-error", FINDING_PROBLEM,
     "It is in trouble itself (5xx), and many clients ask no further server then.",
     "Try again later; symgate in front goes on to the next server and rests this one."},
    {"2ee2|internet_timeout|winhttp_timeout|timeout was reached|timed out", "timeout",
     FINDING_PROBLEM, "It did not answer in time, or the file was too large for the client's time.",
     "Put symgate in front: it goes on fetching, and the next try is a hit."},
    {"2ee7|name_not_resolved|couldn't resolve host|could not resolve", "name", FINDING_PROBLEM,
     "Its name is not known to the name service of that machine.",
     "Correct the name, or the name service that the client uses."},
    {"2efd|2efe|cannot_connect|connection_aborted|connection_reset|connection_error|"
     "couldn't connect|could not connect|connection refused",
     "connect", FINDING_PROBLEM, "It cannot be reached from that machine, or breaks off.",
     "Is it running, is the port right, does a firewall or a proxy stand between?"},
    {"2f8f|2f05|2f06|2f0d|2f7d|secure_failure|sec_cert|sec_invalid|invalid_ca|ssl peer "
     "certificate|ssl connect error|certificate verify",
     "certificate", FINDING_PROBLEM, "Its certificate is not accepted on that machine.",
     "Have the certificate renewed, or make its authority known there; is that machine's clock "
     "right?"},
    {"symsrv load failure|symsrv.dll load failure|symsrv.dll not found", "symsrv", FINDING_PROBLEM,
     "symsrv.dll could not be loaded, so no symbol server is asked at all.",
     "Use the dbghelp.dll and symsrv.dll of the Debugging Tools, side by side; the ones of the "
     "system do not ask servers."},
    {"e_pdb_corrupt|pdb is corrupt|- corrupt", "corrupt", FINDING_PROBLEM, "The file is damaged.",
     "Remove it from the local cache, so that it is fetched again."},
    {"mismatched|age mismatch|e_pdb_invalid_sig", "mismatch", FINDING_PROBLEM,
     "A file of that name is there, but of another build.",
     "Find the symbols of this very build: their id must be the module's."},
    {"access denied|access is denied|permission denied", "permission", FINDING_PROBLEM,
     "It may not be read by that user.", "Let that user read it."},
    {"path not found|network path was not found|bad network", "unreachable", FINDING_WARNING,
     "The folder or share is not there, as seen from that machine.",
     "Correct the element, or mount the share."},
    {"server urls \"\"|debuginfod_urls", "no-server", FINDING_PROBLEM,
     "No server is configured: DEBUGINFOD_URLS is empty.",
     "Set DEBUGINFOD_URLS to the server's address."},
    {"no symbols loaded|symbols could not be loaded|- export symbols", "no-symbols",
     FINDING_PROBLEM, "In the end no symbols were loaded for it.",
     "See what its servers answered, above."},
    {"got file from server|private symbols|public symbols|result: 0x00000000", "found",
     FINDING_GOOD, "The file came.", NULL},
    {"file not found|not found|no such file", "absent", FINDING_WARNING,
     "It does not have the file.", "Is this very build published there, with this id?"},
};

struct reading {
    struct report *report;
    char element[ELEMENT_BYTES]; /* that was named last */
};

/* --- lines ----------------------------------------------------------------------------------- */

static bool holds_one(const char *line, const char *words) {
    while (*words) {
        size_t length = strcspn(words, "|");
        char word[64];
        text_copy_n(word, sizeof word, words, length);
        if (strstr(line, word))
            return true;
        words += length + (words[length] == '|');
    }
    return false;
}

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
    text_mask_url(out, ELEMENT_BYTES, element);
}

static bool told_already(const struct report *report, const char *name, const char *thing) {
    for (unsigned i = 0; i < report->count; i++)
        if (strcmp(report->list[i].name, name) == 0 && strcmp(report->list[i].thing, thing) == 0)
            return true;
    return false;
}

static void tell(struct reading *reading, const struct meaning *meaning) {
    const char *thing = reading->element[0] ? reading->element : "the client";
    if (reading->report->count < FINDINGS_MAX &&
        !told_already(reading->report, meaning->name, thing))
        report_add(reading->report, meaning->weight, meaning->name, thing, meaning->sentence,
                   meaning->cure);
}

static void read_line(struct reading *reading, const char *line) {
    char folded[LINE_BYTES], element[ELEMENT_BYTES];
    text_copy(folded, sizeof folded, line);
    text_fold(folded);
    find_element(line, element);
    if (element[0])
        text_copy(reading->element, sizeof reading->element, element);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (holds_one(folded, meanings[i].words)) {
            tell(reading, &meanings[i]);
            return;
        }
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
}

/* --- symbol paths ------------------------------------------------------------------------------
 */

static bool is_url(const char *text) {
    return text_starts_folded(text, "http://") || text_starts_folded(text, "https://");
}

static bool asks_servers(const char *element) {
    return text_starts_folded(element, "srv*") || text_starts_folded(element, "symsrv*") ||
           text_starts_folded(element, "cache*");
}

static void judge_stores(struct report *report, const char *element) {
    unsigned urls = 0, stores = 0;
    bool ordered = true;
    for (const char *at = strchr(element, '*'); at; at = strchr(at + 1, '*')) {
        stores += at[1] != '\0' && at[1] != '*';
        urls += is_url(at + 1);
        ordered = ordered && !(is_url(at + 1) && strchr(at + 1, '*'));
    }
    if (!ordered)
        report_add(report, FINDING_PROBLEM, "order", element,
                   "A server on HTTP stands before other stores of the element, where only "
                   "folders may: nothing can be kept there.",
                   "Put the URL last: srv*FOLDER*URL");
    else if (stores == 0 && !text_starts_folded(element, "cache*"))
        report_add(report, FINDING_PROBLEM, "empty", element, "It names no store to be asked.",
                   "Write srv*FOLDER*URL");
    else if (urls > 0 && stores == 1)
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
    else if (is_url(element))
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

static void read_path(struct report *report, const char *path) {
    char elements[LINE_BYTES], before[LINE_BYTES] = ";";
    text_copy(elements, sizeof elements, path);
    char *rest = elements, *element;
    while (report->count < FINDINGS_MAX && (element = strsep(&rest, ";"))) {
        char mark[LINE_BYTES + 2];
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

/* The path in a line such as "set _NT_SYMBOL_PATH=srv*…". */
static const char *path_in(const char *line) {
    const char *names[] = {"_NT_SYMBOL_PATH=", "_NT_ALT_SYMBOL_PATH=", ".sympath "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *found = strstr(line, names[i]);
        if (found)
            return found + strlen(names[i]);
    }
    return line + strspn(line, " \t");
}

/* One line that is no line of a log. */
static bool is_path(const char *text, size_t length, char out[LINE_BYTES]) {
    char line[LINE_BYTES];
    while (length > 0 && strchr("\r\n \t", text[length - 1]))
        length--;
    if (length == 0 || length >= sizeof line || memchr(text, '\n', length) ||
        memchr(text, '\0', length))
        return false;
    text_copy_n(line, sizeof line, text, length);
    const char *path = path_in(line);
    text_copy(out, LINE_BYTES, path);
    return path != line || asks_servers(path) || is_url(path) || strchr(path, ';');
}

void client_log_read(const char *text, size_t length, struct report *report) {
    char path[LINE_BYTES];
    if (is_path(text, length, path)) {
        read_path(report, path);
        return;
    }
    struct reading reading = {.report = report};
    read_lines(&reading, text, length);
    if (report->count == 0)
        report_add(report, FINDING_WARNING, "nothing", "the log",
                   "Nothing in it tells of a search for symbols.",
                   "Paste what !sym noisy and .reload print, what DEBUGINFOD_VERBOSE=1 prints, or "
                   "a symbol path.");
}
