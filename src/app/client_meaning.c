// SPDX-License-Identifier: MIT
#include "app/client_meaning.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { WORD_BYTES = 64 };

static const struct meaning no_server = {
    .words = "function not implemented|err=-38",
    .name = "no-server",
    .weight = FINDING_PROBLEM,
    .sentence = "No server is configured: DEBUGINFOD_URLS is empty.",
    .cure = "Set DEBUGINFOD_URLS to the server's address.",
};

/* The first that fits counts. */
static const struct meaning meanings[] = {
    {"80190194", "http_status_not_found|http 404|error: 404|404 not found", "absent",
     FINDING_WARNING, "It says that it does not have the file.",
     "Is this very build published there, with this id? In front of several servers, symgate "
     "remembers such a no and spares the question."},
    {"80190193", "http_status_forbidden|http 403|error: 403|403 forbidden", "forbidden",
     FINDING_PROBLEM, "It forbids the file (403), and many clients ask no further server then.",
     "Renew the credentials; where it is a store of objects that says 403 for whatever it does not "
     "have, put symgate in front, with \"absentStatus\": [403]."},
    {"80190191", "http_status_denied|http 401|error: 401|401 unauthorized", "credentials",
     FINDING_PROBLEM, "It wants credentials (401), and the client has none or wrong ones.",
     "Put symgate in front and give it the credentials, so that clients need none."},
    {"80190197", "http_status_proxy_auth_req|http 407|error: 407|407 proxy", "proxy",
     FINDING_PROBLEM, "The proxy on the way wants credentials (407).",
     "Give them to the client, or put symgate in front with proxyUser and proxyPassword."},
    {"801901f4|801901f6|801901f7|801901f8",
     "http_status_server_error|http_status_bad_gateway|http_status_service_unavail|"
     "http_status_gateway_timeout|http 50|error: 50",
     "server-error", FINDING_PROBLEM,
     "It is in trouble itself (5xx), and many clients ask no further server then.",
     "Try again later; symgate in front goes on to the next server and rests this one."},
    {"80070512", "error_app_hang", "later", FINDING_WARNING,
     "It says that the file is still on its way: symgate goes on fetching it.",
     "Ask once more in a moment (.reload /f): then it is there."},
    {"800c2ee2|80072ee2|12002", "internet_timeout|winhttp_timeout|timeout was reached|timed out",
     "timeout", FINDING_PROBLEM,
     "It did not answer in time, or the file was too large for the client's time.",
     "Put symgate in front: it goes on fetching, and the next try is a hit."},
    {"800c2ee7|80072ee7|12007",
     "name_not_resolved|couldn't resolve host|could not resolve|couldn't resolve proxy", "name",
     FINDING_PROBLEM, "Its name is not known to the name service of that machine.",
     "Correct the name, or the name service that the client uses."},
    {"800c2efd|80072efd|12029|800c2efe|80072efe|12030",
     "cannot_connect|connection_aborted|connection_reset|connection_error|couldn't connect|"
     "could not connect|failed to connect|connection refused|no route to host",
     "connect", FINDING_PROBLEM, "It cannot be reached from that machine, or breaks off.",
     "Is it running, is the port right, does a firewall or a proxy stand between?"},
    {"800c2f8f|80072f8f|12175|800c2f05|80072f05|12037|800c2f06|80072f06|12038|800c2f0d|80072f0d|"
     "12045|800c2f7d|80072f7d|12157",
     "secure_failure|sec_cert|sec_invalid|invalid_ca|secure_channel_error|ssl peer certificate|"
     "ssl connect error|certificate verify|ssl certificate problem",
     "certificate", FINDING_PROBLEM, "Its certificate is not accepted on that machine.",
     "Have the certificate renewed, or make its authority known there; is that machine's clock "
     "right?"},
    {NULL, "symsrv load failure|symsrv.dll load failure|symsrv.dll not found", "symsrv",
     FINDING_PROBLEM, "symsrv.dll could not be loaded, so no symbol server is asked at all.",
     "Use the dbghelp.dll and symsrv.dll of the Debugging Tools, side by side; the ones of the "
     "system do not ask servers."},
    {NULL, "no symbols loaded|symbols could not be loaded|- export symbols|mismatched or not found",
     "no-symbols", FINDING_PROBLEM, "In the end no symbols were loaded for it.",
     "See what its servers answered, above."},
    {NULL, "e_pdb_corrupt|pdb is corrupt|- corrupt", "corrupt", FINDING_PROBLEM,
     "The file is damaged.", "Remove it from the local cache, so that it is fetched again."},
    {NULL, "mismatched|age mismatch|e_pdb_invalid_sig", "mismatch", FINDING_PROBLEM,
     "A file of that name is there, but of another build.",
     "Find the symbols of this very build: their id must be the module's."},
    {NULL, "access denied|access is denied|permission denied", "permission", FINDING_PROBLEM,
     "It may not be read by that user.", "Let that user read it."},
    {"80070035|80070043", "network path was not found|bad network|network name cannot be found",
     "unreachable", FINDING_PROBLEM, "The share is not there, as seen from that machine.",
     "Correct the element, or see that the share opens there."},
    {NULL, "path not found", "not-there", FINDING_WARNING,
     "The file or its folder is not there, as seen from that machine: the debugger says the same "
     "of both.",
     "See that the share opens there; the file itself may just not be published."},
    {"801900c8",
     "http_status_ok|got file from server|private symbols|public symbols|result: 0x00000000",
     "found", FINDING_GOOD, "The file came.", NULL},
    {NULL, "response code said error", "refused", FINDING_WARNING,
     "It answered with an error, most often that it does not have the file (404).",
     "DEBUGINFOD_VERBOSE=1 of a newer client tells the number."},
    {NULL, "file not found|not found|no such file", "absent", FINDING_WARNING,
     "It does not have the file.", "Is this very build published there, with this id?"},
};

/* Calls for each of the parts between |, until one fits. */
static bool any_fits(const char *parts, const char *line,
                     bool (*fits)(const char *line, const char *part)) {
    while (parts && *parts) {
        char part[WORD_BYTES];
        size_t length = strcspn(parts, "|");
        text_copy_n(part, sizeof part, parts, length);
        if (fits(line, part))
            return true;
        parts += length + (parts[length] == '|');
    }
    return false;
}

static bool holds_word(const char *line, const char *word) {
    return strstr(line, word) != NULL;
}

/* Five digits may be anything, a size as well: they are an error where "error", a colon and the
   like stand before them, and no word behind. */
static bool is_told_as_error(const char *line, const char *begin, const char *end) {
    static const char *const before[] = {":", "(", "=", "error", "code", "status"};
    while (begin > line && begin[-1] == ' ')
        begin--;
    end += strspn(end, " ");
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t length = strlen(before[i]);
        if ((size_t)(begin - line) >= length && memcmp(begin - length, before[i], length) == 0)
            return !*end || strchr("),.:-", *end);
    }
    return false;
}

/* Ids are hexadecimal and hold any number: only a whole token is one. */
static bool holds_code(const char *line, const char *code) {
    size_t length = strlen(code);
    bool decimal = length < strlen("800c2ee2");
    for (const char *at = strstr(line, code); at; at = strstr(at + 1, code)) {
        bool prefixed = at >= line + 2 && at[-2] == '0' && at[-1] == 'x';
        const char *begin = prefixed ? at - 2 : at;
        bool begins = begin == line || !isalnum((unsigned char)begin[-1]);
        bool whole = begins && !isalnum((unsigned char)at[length]);
        if (whole && (!decimal || is_told_as_error(line, begin, at + length)))
            return true;
    }
    return false;
}

const struct meaning *client_meaning(const char *line) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (any_fits(meanings[i].codes, line, holds_code) ||
            any_fits(meanings[i].words, line, holds_word))
            return &meanings[i];
    return any_fits(no_server.words, line, holds_word) ? &no_server : NULL;
}

const struct meaning *client_meaning_no_server(void) {
    return &no_server;
}
