// SPDX-License-Identifier: MIT
//
// What a checkup has found, in words.
#include <string.h>

#include "base/numbers.h"
#include "base/text.h"
#include "proxy/checkup.h"
#include "proxy/telling.h"

enum { SLOW_MS = 5 * 1000, CLOCK_S = 5 * 60 };

static void say(struct checkup_told *out, enum checkup_weight weight, const char *name,
                const char *sentence, const char *cure) {
    out->weight = weight;
    text_copy(out->name, sizeof out->name, name);
    text_copy(out->sentence, sizeof out->sentence, sentence);
    text_copy(out->cure, sizeof out->cure, cure ? cure : "");
}

static const struct {
    const char *name, *sentence, *cure;
} words[CHECKUP_WORDS] = {
    [CHECKUP_PAGE] =
        {"page",
         "A web page comes for a file that nobody can have, where a symbol server says "
         "404.",
         "Correct remote: it leads to a site that answers everything, or to a sign-in. "
         "If it wants credentials, give user and password, token or headers."},
    [CHECKUP_ANYTHING] =
        {"anything",
         "Something comes for a file that nobody can have, where a symbol server says 404.",
         "Correct remote: it leads to a server that answers everything with the same."},
    [CHECKUP_LOGIN] = {"login",
                       "It redirects to a page, as servers do that want somebody to sign in.",
                       "Give it credentials: token, or user and password (docs/sources.md)."},
    [CHECKUP_FALSE] = {"false", "What comes for a file that it should have is not that file.",
                       "Look at that file on the server; it may lie in a wrong place, be damaged, "
                       "or a page of its own."},
    [CHECKUP_MISSING] = {"missing",
                         "It does not have the symbol that was asked for, in any layout.",
                         "If it should: is remote the root of the store, and is the file published "
                         "with this id?"},
};

static void tell_word(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    bool missing = checkup->word == CHECKUP_MISSING;
    text_format(sentence, sizeof sentence, "%s%s%s (%s)", words[checkup->word].sentence,
                checkup->word == CHECKUP_FALSE ? " It is told so: " : "",
                checkup->word == CHECKUP_FALSE ? checkup->why.what : "", checkup->url);
    say(out, missing ? CHECKUP_WARNING : CHECKUP_PROBLEM, words[checkup->word].name, sentence,
        words[checkup->word].cure);
}

static const char *name_of_failure(const struct checkup *checkup) {
    if (checkup->why.kind == ERROR_TLS)
        return "certificate";
    if (checkup->why.kind == ERROR_CANCELLED)
        return "timeout";
    if (checkup->status == 407)
        return "proxy";
    return error_kind_name(checkup->why.kind);
}

static const char keep_names_from_it[] =
    "Put it behind quicker servers, and keep names from it that it never has: symgate advise";

/* The question that was cut off had lasted so much longer than the others that it hangs. */
static bool hangs(const struct checkup *checkup) {
    return checkup->cut_ms >= SLOW_MS && checkup->cut_ms > 2 * checkup->took_ms;
}

static void tell_hanging(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], took[32], cut[32];
    number_format_time(took, sizeof took, checkup->took_ms > 0 ? checkup->took_ms : 1);
    number_format_time(cut, sizeof cut, checkup->cut_ms / 1000 * 1000);
    text_format(sentence, sizeof sentence,
                "It answers other questions within %s, and had not answered this one after %s: %s",
                took, cut, checkup->url);
    say(out, CHECKUP_PROBLEM, "timeout", sentence,
        "Look at what that server does with the file: its disk, or a server behind it, may hang. "
        "Requests wait for it up to timeouts.firstByte, and ask the next server after hedgeAfter.");
}

/* The time of the checkup was over, and not that of a question. */
static void tell_unfinished(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], took[32];
    number_format_time(took, sizeof took, checkup->took_ms);
    text_format(
        sentence, sizeof sentence,
        "It answers, within %s, but so slowly that the time of a checkup was not enough for "
        "all questions.",
        took);
    say(out, CHECKUP_WARNING, "slow", sentence, keep_names_from_it);
}

/* What a sentence about this failure adds; the status alone it tells itself. */
static const char *what_failed(const struct source *source, const struct checkup *checkup) {
    const char *identifier = source->options.identifier;
    char status_alone[sizeof checkup->why.what];
    text_format(status_alone, sizeof status_alone, "source \"%s\" answered with status %d",
                identifier, checkup->status);
    if (checkup->why.kind == ERROR_CANCELLED)
        return "there was no answer within the time of a checkup";
    if (strcmp(checkup->why.what, status_alone) == 0)
        return checkup->url;
    return telling_what(checkup->why.what, identifier);
}

static void tell_failed(const struct source *source, const struct checkup *checkup,
                        struct checkup_told *out) {
    struct telling telling;
    bool cancelled = checkup->why.kind == ERROR_CANCELLED;
    const struct facts facts = {.server = source->options.identifier,
                                .what = what_failed(source, checkup),
                                .status = checkup->status};
    tell_failure(cancelled ? ERROR_TIMEOUT : checkup->why.kind, &facts, &telling);
    say(out, CHECKUP_PROBLEM, name_of_failure(checkup), telling.sentence,
        checkup->why.hint[0] ? checkup->why.hint : telling.cure);
}

static bool shows_credentials(const struct source *source) {
    const struct source_access *access = &source->options.access;
    return access->authentication != AUTHENTICATION_NONE || access->header_names.count ||
           access->client_certificate;
}

static void tell_credentials(const struct source *source, int status, struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    bool shown = shows_credentials(source);
    text_format(sentence, sizeof sentence,
                shown ? "It does not accept the credentials that it is shown (status %d)."
                      : "It wants credentials (status %d), and is shown none.",
                status);
    say(out, CHECKUP_PROBLEM, "credentials", sentence,
        shown ? "Renew them: a token may have expired, a password may have been changed."
              : "Give it user and password, token or headers (docs/sources.md).");
}

static void tell_unreadable(const struct source *source, int status, struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    text_format(sentence, sizeof sentence,
                "It forbids the file that was asked for (status %d), and says no where it has "
                "none: the file is there and may not be read.",
                status);
    say(out, CHECKUP_PROBLEM, "credentials", sentence,
        shows_credentials(source)
            ? "Let its user read the file there, or give it one that may."
            : "Let everybody, or the web server itself, read the file there; or give it user and "
              "password, token or headers of somebody who may (docs/sources.md).");
}

/* Where a no is wanted. Only a server that is seen to have files is surely one that forbids those
   that it does not have; to call a 403 a no in any other case would make absences of failures. */
static void tell_forbids(const struct source *source, const struct checkup *checkup,
                         struct checkup_told *out) {
    char sentence[sizeof out->sentence], cure[sizeof out->cure];
    int status = checkup->forbids;
    if (!checkup->found && (checkup->status == 401 || (status && shows_credentials(source)))) {
        tell_credentials(source, checkup->status, out);
        return;
    }
    if (!status) {
        tell_unreadable(source, checkup->status, out);
        return;
    }
    text_format(sentence, sizeof sentence,
                "It answers status %d for a file that it does not have, which counts as a failure "
                "and not as a no.%s",
                status,
                checkup->found    ? ""
                : checkup->sought ? " It does so for the symbol that was asked for too, in every "
                                    "layout: it does not have that, or lets nobody in without "
                                    "credentials."
                                  : " It may also be that it lets nobody in without credentials.");
    if (checkup->found)
        text_format(cure, sizeof cure, "Write \"absentStatus\": [%d] into the server.", status);
    else
        text_format(cure, sizeof cure,
                    "See which it is with a symbol that it %shas: symgate doctor --symbol NAME/ID",
                    checkup->sought ? "surely " : "");
    say(out, CHECKUP_PROBLEM, "absentStatus", sentence, cure);
}

/* It has been seen to have files. */
static void say_where(const struct checkup *checkup, struct checkup_told *out, const char *name,
                      const char *sentence, const char *line) {
    char cure[sizeof out->cure];
    if (checkup->forbids)
        text_format(cure, sizeof cure,
                    "Write %s and \"absentStatus\": [%d] into the server, since it answers so for "
                    "what it does not have.",
                    line, checkup->forbids);
    else
        text_format(cure, sizeof cure, "Write %s into the server.", line);
    say(out, CHECKUP_PROBLEM, name, sentence, cure);
}

static void tell_guessed(const struct source *source, const struct checkup *checkup,
                         struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    text_format(sentence, sizeof sentence,
                "Its layout cannot be told, since index2.txt fails (%s): whatever it does not have "
                "counts as a failure and not as a no.",
                telling_what(checkup->why.what, source->options.identifier));
    say(out, CHECKUP_PROBLEM, "layout", sentence,
        checkup->found
            ? "Write \"layout\": \"symstore\" into the server."
            : "Write its layout into the server: \"layout\": \"symstore\", or \"two-tier\". "
              "Which it is tells a symbol that it has: symgate doctor --symbol NAME/ID");
}

static const char *const forms[] = {
    [FORM_PLAIN] = "plain", [FORM_COMPRESSED] = "compressed", [FORM_POINTER] = "pointer"};

/* The configuration's line with the form that the file was found in besides those that it has. */
static void write_forms(const struct source *source, enum form found, char *out, size_t size) {
    const struct source_options *options = &source->options;
    text_copy(out, size, "\"forms\": [");
    for (unsigned i = 0; i < options->form_count; i++)
        text_format(out + strlen(out), size - strlen(out), "\"%s\", ", forms[options->forms[i]]);
    text_format(out + strlen(out), size - strlen(out), "\"%s\"]", forms[found]);
}

static void tell_form(const struct source *source, const struct checkup *checkup,
                      struct checkup_told *out) {
    char sentence[sizeof out->sentence], line[96];
    text_format(sentence, sizeof sentence,
                "It has the symbol, but in the form \"%s\", which it is not asked for.",
                forms[checkup->form]);
    write_forms(source, checkup->form, line, sizeof line);
    say_where(checkup, out, "form", sentence, line);
}

/* Perhaps in a form, too, that it is not asked for. */
static void tell_layout(const struct source *source, const struct checkup *checkup,
                        struct checkup_told *out) {
    char sentence[sizeof out->sentence], line[192], form[64] = "", also[112] = "";
    if (checkup->form) {
        text_format(form, sizeof form, " and the form \"%s\"", forms[checkup->form]);
        text_copy(also, sizeof also, ", ");
        write_forms(source, checkup->form, also + strlen(also), sizeof also - strlen(also));
    }
    text_format(sentence, sizeof sentence,
                "It has the symbol, but in the layout \"%s\"%s and not where it is looked for.",
                layout_name(checkup->layout), form);
    text_format(line, sizeof line, "\"layout\": \"%s\"%s", layout_name(checkup->layout), also);
    say_where(checkup, out, "layout", sentence, line);
}

static void tell_pointer(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], cure[sizeof out->cure], also[112] = "";
    bool dead = checkup->why.kind == ERROR_ELSEWHERE;
    text_format(sentence, sizeof sentence,
                "In place of the symbol that was asked for it has a pointer, and no file comes of "
                "it: %s.",
                checkup->why.what);
    if (checkup->forbids)
        text_format(
            also, sizeof also,
            " Write \"absentStatus\": [%d] into the server, since it answers so for what it "
            "does not have.",
            checkup->forbids);
    text_format(cure, sizeof cure, "%s%s",
                dead ? "Put the file back there, or publish it anew. If it is there, look at where "
                       "pathMap leads that path."
                     : "Nothing needs to be done if that is on purpose. See how the server does "
                       "with a symbol that it has: symgate doctor --symbol NAME/ID",
                also);
    say(out, dead ? CHECKUP_PROBLEM : CHECKUP_WARNING, "pointer", sentence, cure);
}

static void tell_good(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], took[32];
    bool slow = checkup->took_ms > SLOW_MS;
    number_format_time(took, sizeof took, checkup->took_ms > 0 ? checkup->took_ms : 1);
    text_format(sentence, sizeof sentence, "It answers within %s%s.", took,
                checkup->found ? ", and has the symbol that was asked for" : "");
    if (slow)
        say(out, CHECKUP_WARNING, "slow", sentence, keep_names_from_it);
    else
        say(out, CHECKUP_FINE, "server", sentence, NULL);
}

void checkup_tell(const struct source *source, const struct checkup *checkup,
                  struct checkup_told *out_told) {
    struct telling telling;
    switch (checkup->word) {
    case CHECKUP_GOOD:
        tell_good(checkup, out_told);
        return;
    case CHECKUP_OFF:
        say(out_told, CHECKUP_FINE, "off", "It is switched off and was not asked.", NULL);
        return;
    case CHECKUP_UNASKABLE:
        tell(TOLD_SERVER_UNASKABLE, &(struct facts){.server = source->options.identifier},
             &telling);
        say(out_told, CHECKUP_PROBLEM, "unmapped", telling.sentence, telling.cure);
        return;
    case CHECKUP_FAILED:
        if (checkup->why.kind == ERROR_CANCELLED && checkup->answers > 0)
            (hangs(checkup) ? tell_hanging : tell_unfinished)(checkup, out_told);
        else
            tell_failed(source, checkup, out_told);
        return;
    case CHECKUP_FORBIDS:
        tell_forbids(source, checkup, out_told);
        return;
    case CHECKUP_LAYOUT:
        tell_layout(source, checkup, out_told);
        return;
    case CHECKUP_GUESSED:
        tell_guessed(source, checkup, out_told);
        return;
    case CHECKUP_FORM:
        tell_form(source, checkup, out_told);
        return;
    case CHECKUP_POINTER:
        tell_pointer(checkup, out_told);
        return;
    case CHECKUP_PLACELESS:
        say(out_told, CHECKUP_PROBLEM, "layout",
            "Its layout has no place for any kind of file that it may be asked for, so that nobody "
            "ever asks it.",
            "Correct layout or kinds of the server.");
        return;
    case CHECKUP_PAGE:
    case CHECKUP_ANYTHING:
    case CHECKUP_LOGIN:
    case CHECKUP_FALSE:
    case CHECKUP_MISSING:
    case CHECKUP_WORDS:
        break;
    }
    tell_word(checkup, out_told);
}

bool checkup_tell_clock(const struct checkup *checkup, struct checkup_told *out_told) {
    char sentence[sizeof out_told->sentence], off[32];
    int64_t off_s = checkup->ahead_s < 0 ? -checkup->ahead_s : checkup->ahead_s;
    int64_t unit_s = off_s < 2 * 3600 ? 60 : 3600;
    if (off_s <= CLOCK_S)
        return false;
    number_format_time(off, sizeof off, (off_s + unit_s / 2) / unit_s * unit_s * 1000);
    text_format(sentence, sizeof sentence, "Its clock is %s %s this machine's.", off,
                checkup->ahead_s < 0 ? "behind" : "ahead of");
    say(out_told, CHECKUP_WARNING, "clock", sentence,
        "Set the clock that is wrong: Kerberos, signed URLs and certificates depend on it.");
    return true;
}
