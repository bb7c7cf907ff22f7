// SPDX-License-Identifier: MIT
#include "app/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char *const weights[] = {"good", "warning", "problem"};

void report_add(struct report *report, enum finding_weight weight, const char *name,
                const char *thing, const char *sentence, const char *cure) {
    struct finding *more = NEW_ARRAY(struct finding, report->count + 1);
    if (report->count)
        memcpy(more, report->list, report->count * sizeof *more);
    free(report->list);
    report->list = more;
    struct finding *finding = &report->list[report->count++];
    finding->weight = weight;
    text_copy(finding->name, sizeof finding->name, name);
    text_copy(finding->thing, sizeof finding->thing, thing);
    text_copy(finding->sentence, sizeof finding->sentence, sentence);
    text_copy(finding->cure, sizeof finding->cure, cure ? cure : "");
    report->warnings += weight == FINDING_WARNING;
    report->problems += weight == FINDING_PROBLEM;
}

bool report_has(const struct report *report, const char *name, const char *thing) {
    for (unsigned i = 0; i < report->count; i++)
        if (strcmp(report->list[i].name, name) == 0 && strcmp(report->list[i].thing, thing) == 0)
            return true;
    return false;
}

void report_release(struct report *report) {
    free(report->list);
    *report = (struct report){0};
}

void report_append_text(struct buffer *out, const struct report *report) {
    for (unsigned i = 0; i < report->count; i++) {
        const struct finding *finding = &report->list[i];
        buffer_format(out, "%-7s %s [%s]\n        %s\n", weights[finding->weight], finding->thing,
                      finding->name, finding->sentence);
        if (finding->cure[0])
            buffer_format(out, "     -> %s\n", finding->cure);
    }
    buffer_format(out, "%u problems, %u warnings\n", report->problems, report->warnings);
}

void report_append_json(struct buffer *out, const struct report *report) {
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < report->count; i++) {
        const struct finding *finding = &report->list[i];
        const char *const rows[][2] = {
            {"weight", weights[finding->weight]},
            {"name", finding->name},
            {"thing", finding->thing},
            {"sentence", finding->sentence},
            {"cure", finding->cure},
        };
        buffer_append_text(out, i ? ",\n{" : "\n{");
        for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
            buffer_format(out, "%s\"%s\": \"", n ? ", " : "", rows[n][0]);
            buffer_append_json(out, rows[n][1]);
            buffer_append_text(out, "\"");
        }
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "\n]\n");
}
