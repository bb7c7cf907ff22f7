// SPDX-License-Identifier: MIT
#include "source/http_answer.h"

#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/text.h"

enum { VALUE_BYTES = 512, HEAD_BYTES_MAX = 256 * 1024, HEADS_MAX = 20 };

static void begin(struct http_answer *answer) {
    *answer = (struct http_answer){.head_bytes = answer->head_bytes,
                                   .heads = answer->heads,
                                   .length = SIZE_UNKNOWN,
                                   .range_start = SIZE_UNKNOWN,
                                   .range_end = SIZE_UNKNOWN,
                                   .range_total = SIZE_UNKNOWN,
                                   .retry_after_s = RETRY_UNTOLD};
}

void http_answer_init(struct http_answer *answer) {
    answer->head_bytes = 0;
    answer->heads = 0;
    begin(answer);
}

bool http_answer_final(const struct http_answer *answer) {
    return answer->complete && answer->status >= 200;
}

const char *http_answer_endless(const struct http_answer *answer) {
    if (answer->head_bytes <= HEAD_BYTES_MAX && answer->heads <= HEADS_MAX)
        return NULL;
    return answer->status == 401 || answer->status == 407
               ? "it asks for credentials again and again, and does not take these"
               : "the head of its answer never ends";
}

bool http_answer_belongs(const struct http_answer *answer, const char *validator,
                         int64_t last_modified) {
    if (validator[0])
        return strcmp(answer->etag, validator) == 0;
    return last_modified > 0 && answer->last_modified == last_modified;
}

bool http_answer_leads_on(const struct http_answer *answer) {
    return answer->complete && answer->status >= 300 && answer->status <= 399 && answer->located;
}

/* "HTTP/1.1 200 OK" */
static void take_status(struct http_answer *answer, const char *line) {
    answer->heads++;
    begin(answer);
    const char *at = strchr(line, ' ');
    for (int digits = 0; at && digits < 3; digits++) {
        at++;
        if (*at < '0' || *at > '9')
            return;
        answer->status = answer->status * 10 + (*at - '0');
    }
}

static void take_length(struct http_answer *answer, const char *value) {
    uint64_t length;
    if (!number_parse(value, &length) || length > INT64_MAX ||
        (answer->length != SIZE_UNKNOWN && answer->length != length)) {
        answer->lengths_differ = true;
        return;
    }
    answer->length = length;
}

/* "bytes 100-199/200", the total may be "*"; anything else leaves all unknown. */
static void take_range(struct http_answer *answer, const char *value) {
    if (!text_starts_folded(value, "bytes "))
        return;
    char text[VALUE_BYTES];
    text_copy(text, sizeof text, value + strlen("bytes "));
    char *dash = strchr(text, '-');
    char *slash = strchr(text, '/');
    if (!dash || !slash || slash < dash)
        return;
    *dash = '\0';
    *slash = '\0';
    uint64_t start;
    uint64_t end;
    uint64_t total = SIZE_UNKNOWN;
    if (!number_parse(text, &start) || !number_parse(dash + 1, &end) ||
        (strcmp(slash + 1, "*") != 0 && !number_parse(slash + 1, &total)))
        return;
    answer->range_start = start;
    answer->range_end = end;
    answer->range_total = total;
}

static void take_coding(struct http_answer *answer, const char *value) {
    if (text_same(value, "identity") || value[0] == '\0')
        return;
    bool gzip = text_same(value, "gzip") || text_same(value, "x-gzip");
    answer->coding = gzip && answer->coding == CODING_NONE ? CODING_GZIP : CODING_OTHER;
}

/* A weak validator promises too little for a body to be taken up by it. */
static void take_etag(struct http_answer *answer, const char *value) {
    size_t length = strlen(value);
    if (length < 2 || value[0] != '"' || value[length - 1] != '"' ||
        !text_copy(answer->etag, sizeof answer->etag, value))
        answer->etag[0] = '\0';
}

static void take_retry_after(struct http_answer *answer, const char *value) {
    uint64_t seconds;
    if (number_parse(value, &seconds)) {
        answer->retry_after_s = seconds < INT32_MAX ? (int64_t)seconds : INT32_MAX;
        return;
    }
    time_t when = curl_getdate(value, NULL);
    int64_t left_s = (int64_t)when - clock_wall_s();
    if (when >= 0)
        answer->retry_after_s = left_s > 0 ? left_s : 0;
}

static void take_modified(struct http_answer *answer, const char *value) {
    time_t when = curl_getdate(value, NULL);
    answer->last_modified = when > 0 ? (int64_t)when : 0;
}

static void take_date(struct http_answer *answer, const char *value) {
    time_t when = curl_getdate(value, NULL);
    answer->date = when > 0 ? (int64_t)when : 0;
}

static void take_type(struct http_answer *answer, const char *value) {
    answer->html =
        text_starts_folded(value, "text/html") || text_starts_folded(value, "application/xhtml");
    answer->text = text_starts_folded(value, "text/plain");
}

static void take_accept_ranges(struct http_answer *answer, const char *value) {
    answer->ranges = text_same(value, "bytes");
}

static void take_transfer(struct http_answer *answer, const char *value) {
    answer->chunked = answer->chunked || text_ends_folded(value, "chunked");
}

static void take_location(struct http_answer *answer, const char *value) {
    answer->located = value[0] != '\0';
}

/* Microsoft's SymProxy and symgate answer 404 while they still search, so that clients go on: "the
 * application hangs", which is no word on whether the file is there. */
static void take_agent_status(struct http_answer *answer, const char *value) {
    (void)value;
    answer->undecided = true;
}

static void take_verdict(struct http_answer *answer, const char *value) {
    static const char *const undecided[] = {"later", "busy", "failed"};
    for (size_t i = 0; i < sizeof undecided / sizeof *undecided; i++)
        answer->undecided |= text_same(value, undecided[i]);
}

static const struct {
    const char *name;
    void (*take)(struct http_answer *answer, const char *value);
} fields[] = {
    {"accept-ranges", take_accept_ranges},
    {"content-length", take_length},
    {"content-range", take_range},
    {"content-encoding", take_coding},
    {"content-type", take_type},
    {"etag", take_etag},
    {"date", take_date},
    {"last-modified", take_modified},
    {"location", take_location},
    {"retry-after", take_retry_after},
    {"symbol-agent-status", take_agent_status},
    {"transfer-encoding", take_transfer},
    {"x-symgate-verdict", take_verdict},
};

static void take_field(struct http_answer *answer, char *line) {
    char *colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (text_same(line, fields[i].name))
            fields[i].take(answer, value);
}

void http_answer_line(struct http_answer *answer, const char *line, size_t length) {
    answer->head_bytes += length;
    while (length > 0 && strchr("\r\n \t", line[length - 1]))
        length--;
    /* Values that are longer than this are none that count here, but for what a Location says,
     * which is asked of the library. */
    char text[VALUE_BYTES];
    text_copy_n(text, sizeof text, line, length);
    if (text_starts_folded(text, "HTTP/")) {
        take_status(answer, text);
        return;
    }
    /* What comes behind the head are trailers. */
    if (answer->complete)
        return;
    if (length == 0) {
        answer->complete = true;
        return;
    }
    take_field(answer, text);
}
