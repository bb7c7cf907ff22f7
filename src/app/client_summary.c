// SPDX-License-Identifier: MIT
#include "app/client_summary.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { ELEMENT_BYTES = 280, SUMMARY_FINDINGS_MAX = 500 };

/* The debugger says no more than that. */
static const char failed[] = "The debugger could not open it, so nothing in it is found.";
static const char correct[] = "Correct the element, or leave it out.";

static const struct {
    const char *word;
    enum finding_weight weight;
    const char *name, *sentence, *cure;
} responses[] = {
    {"ok", FINDING_GOOD, "usable", "The debugger could open it.", NULL},
    {"deferred", FINDING_GOOD, "deferred",
     "The debugger has not tried it yet, and does once it needs a file: what comes is told by !sym "
     "noisy and .reload /f.",
     NULL},
    {"error", FINDING_PROBLEM, "failed", failed, correct},
};

/* The last one is for all others. */
static const struct {
    unsigned long code;
    const char *sentence, *cure;
} reasons[] = {
    {2, "It is not there, as seen from that machine.", "Make the folder, or correct the element."},
    {3, "It is not there, as seen from that machine.", "Make the folder, or correct the element."},
    {5, "It may not be read by that user.", "Let that user read it."},
    {21, "Its drive is empty.", correct},
    {53, "Its server is not found from that machine.", "Correct the name, or the way to it."},
    {67, "Its server has no such share.", "Correct the element, or share the folder."},
    {123, "Its name is none that a path may have: a quote, a star or a blank is too many.",
     correct},
    {1326, "Its server does not accept that user's password.",
     "Log in there with Explorer or net use, or put symgate in front and give it the credentials."},
    {0, failed, correct},
};

static void tell(struct report *report, enum finding_weight weight, const char *name,
                 const char *element, const char *sentence, const char *cure) {
    char thing[ELEMENT_BYTES];
    text_mask_secrets(thing, sizeof thing, element, strlen(element), false);
    if (report->count < SUMMARY_FINDINGS_MAX && !report_has(report, name, thing))
        report_add(report, weight, name, thing, sentence, cure);
}

const char *client_summary_head(const char *line) {
    const char *stars = strstr(line, "****");
    return stars && strstr(stars, "ath validation summary") ? stars : NULL;
}

/* Behind the word stands how long it took, where that is told, and then the element. */
static void take_element(const char *behind, char out[ELEMENT_BYTES]) {
    behind += strspn(behind, " \t");
    size_t digits = strspn(behind, "0123456789");
    size_t blanks = strspn(behind + digits, " \t");
    if (digits && blanks && behind[digits + blanks])
        behind += digits + blanks;
    text_copy(out, ELEMENT_BYTES, behind);
    for (size_t end = strlen(out); end > 0 && strchr(" \t", out[end - 1]); end--)
        out[end - 1] = '\0';
}

bool client_summary_row(const char *line, struct report *report) {
    char element[ELEMENT_BYTES];
    line += strspn(line, " \t>|");
    if (!*line || text_starts_folded(line, "response "))
        return true;
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        size_t length = strlen(responses[i].word);
        if (!text_starts_folded(line, responses[i].word) || !strchr(" \t", line[length]))
            continue;
        take_element(line + length, element);
        if (element[0])
            tell(report, responses[i].weight, responses[i].name, element, responses[i].sentence,
                 responses[i].cure);
        return true;
    }
    return false;
}

bool client_summary_error(const char *line, struct report *report) {
    static const char before[] = " attempts to access '", behind[] = "' failed: 0x";
    char element[ELEMENT_BYTES];
    const char *begin = strstr(line, before);
    const char *end = begin ? strstr(begin, behind) : NULL;
    if (!end)
        return false;
    begin += sizeof before - 1;
    text_copy_n(element, sizeof element, begin, (size_t)(end - begin));
    unsigned long code = strtoul(end + sizeof behind - 1, NULL, 16);
    size_t last = sizeof reasons / sizeof *reasons - 1, i = 0;
    while (i < last && reasons[i].code != code)
        i++;
    tell(report, FINDING_PROBLEM, "failed", element, reasons[i].sentence, reasons[i].cure);
    return true;
}
