// SPDX-License-Identifier: MIT
#include "app/config_judge.h"

#include "app/config.h"

enum { LINE_BYTES = 1024 };

static void append(struct buffer *out, const char *name, const struct config_problems *problems,
                   enum problem_severity severity) {
    unsigned count = 0;
    buffer_format(out, "\"%s\": [", name);
    for (unsigned i = 0; i < problems->count; i++) {
        char line[LINE_BYTES];
        if (problems->list[i].severity != severity)
            continue;
        config_problem_format(&problems->list[i], "edited", line, sizeof line);
        buffer_append_text(out, count++ ? ", \"" : "\"");
        buffer_append_json(out, line);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]");
}

void config_judge(void *nothing, const char *text, size_t length, struct buffer *out) {
    (void)nothing;
    struct config_problems problems;
    struct config *config = config_parse("edited", text, length, NULL, &problems);
    buffer_append_text(out, "{");
    append(out, "errors", &problems, PROBLEM_ERROR);
    buffer_append_text(out, ", ");
    append(out, "warnings", &problems, PROBLEM_WARNING);
    buffer_append_text(out, "}\n");
    config_free(config);
    config_problems_release(&problems);
}
