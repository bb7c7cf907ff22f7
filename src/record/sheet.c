// SPDX-License-Identifier: MIT
#include "record/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "record/packet.h"

struct sheet *sheet_new(void) {
    struct sheet *sheet = NEW(struct sheet);
    table_init(&sheet->names);
    table_init(&sheet->ids);
    table_init(&sheet->pairs);
    table_init(&sheet->sources);
    evidence_init(&sheet->evidence);
    return sheet;
}

void sheet_free(struct sheet *sheet) {
    if (!sheet)
        return;
    table_release(&sheet->names);
    table_release(&sheet->ids);
    table_release(&sheet->pairs);
    table_release(&sheet->sources);
    evidence_release(&sheet->evidence);
    arena_release(&sheet->arena);
    free(sheet->minutes);
    free(sheet);
}

bool sheet_empty(const struct sheet *sheet) {
    return sheet->minute_count == 0 && sheet->sources.count == 0 && sheet->request_count == 0 &&
           sheet->evidence.marks.count == 0;
}

/* --- what a request counts as --- */

bool sheet_judge(const struct outcome *outcome, struct lookup *out_lookup) {
    if (!outcome->about_symbol)
        return false;
    out_lookup->verdict = outcome->verdict;
    out_lookup->counts =
        outcome->verdict != VERDICT_INVALID && outcome->text.name[0] && !outcome->follow_up;
    if (!out_lookup->counts)
        out_lookup->verdict = VERDICT_INVALID;
    out_lookup->success = verdict_delivered(out_lookup->verdict);
    return true;
}

/* --- sums --- */

/* NULL: there is no room. */
static void *find_sum(struct sheet *sheet, struct table *table, size_t max, size_t bytes,
                      const char *first, const char *second) {
    void *sum = sum_find(table, &sheet->arena, max, bytes, first, second, 0);
    sheet->lost += sum == NULL;
    return sum;
}

/* A file called "(other)" counts among those: every list has that name once. */
static const char *name_of_sum(const char *name) {
    return strcmp(name, "(other)") == 0 ? "" : name;
}

static struct name_sum *find_name(struct sheet *sheet, struct table *table, size_t max,
                                  const char *name, const char *id) {
    return find_sum(sheet, table, max, sizeof(struct name_sum), name, id);
}

static void add_to_sum(struct name_sum *sum, const struct outcome *outcome,
                       const struct lookup *lookup) {
    if (!sum)
        return;
    sum->requests++;
    sum->exclusions += lookup->verdict == VERDICT_EXCLUDED;
    sum->success += lookup->success;
    sum->hits += lookup->verdict == VERDICT_HIT;
    sum->bytes += outcome->bytes;
    sum->time_us += (uint64_t)(outcome->total_us > 0 ? outcome->total_us : 0);
    if (outcome->wall_ns < sum->last_ns)
        return; /* loops are not in step */
    sum->last_ns = outcome->wall_ns;
    sum->verdict = lookup->verdict;
}

static struct minute_sum *find_minute(struct sheet *sheet, int64_t at_s) {
    for (unsigned i = sheet->minute_count; i-- > 0;)
        if (sheet->minutes[i].at_s == at_s)
            return &sheet->minutes[i];
    if (sheet->minute_count == SHEET_MINUTES_MAX) {
        sheet->lost++;
        return NULL;
    }
    if (sheet->minute_count == sheet->minute_room) {
        unsigned room = sheet->minute_room ? 2 * sheet->minute_room : 2;
        struct minute_sum *more = NEW_ARRAY(struct minute_sum, room);
        if (sheet->minute_count)
            memcpy(more, sheet->minutes, sheet->minute_count * sizeof *more);
        free(sheet->minutes);
        sheet->minutes = more;
        sheet->minute_room = room;
    }
    struct minute_sum *minute = &sheet->minutes[sheet->minute_count++];
    *minute = (struct minute_sum){.at_s = at_s};
    return minute;
}

static void add_to_minute(struct sheet *sheet, const struct outcome *outcome,
                          const struct lookup *lookup) {
    int64_t at_s = outcome->wall_ns / 1000000000;
    struct minute_sum *minute = find_minute(sheet, at_s - at_s % 60);
    if (!minute)
        return;
    minute->verdicts[lookup->verdict]++;
    minute->bytes += outcome->bytes;
    if (!lookup->counts)
        return;
    uint64_t waited_us = outcome->waited_us > 0 ? (uint64_t)outcome->waited_us : 0;
    minute->waits.counts[histogram_step(SCALE_TIME, waited_us)]++;
}

static void keep_request(struct sheet *sheet, const struct outcome *outcome,
                         const struct attempt_note *notes) {
    bool hit = outcome->verdict == VERDICT_HIT && !outcome->broken;
    if (sheet->request_count >= SHEET_REQUESTS_MAX || (hit && sheet->hit_count >= SHEET_HITS_MAX)) {
        sheet->lost++;
        sheet->trace_lost |= outcome->note_count > 0;
        return;
    }
    struct packet_size size;
    packet_measure(outcome, notes, &size);
    struct sheet_request *request = arena_take(&sheet->arena, sizeof *request + size.bytes);
    packet_write(request->packet, &size, outcome, notes);
    if (sheet->last)
        sheet->last->next = request;
    else
        sheet->first = request;
    sheet->last = request;
    sheet->request_count++;
    sheet->hit_count += hit;
}

/* Whose files are here already. Hits are the most of all requests: those of one name that follow
   each other look for their sum once. */
static void add_hit(struct sheet *sheet, struct name_sum *sum, const struct outcome *outcome) {
    const char *source = outcome->text.source;
    struct evidence_sum *kept = sum ? sum->kept : NULL;
    if (!kept || strcmp(kept->key.first, source) != 0)
        kept = evidence_kept(&sheet->evidence, &sheet->arena, source, outcome->text.name);
    if (sum)
        sum->kept = kept;
    if (kept)
        kept->kept++;
}

/* Did it fail before anybody was asked? */
static bool asked_nobody(const struct outcome *outcome) {
    return outcome->note_count == 0 && !outcome->joined && verdict_open(outcome->verdict);
}

void sheet_add(struct sheet *sheet, const struct outcome *outcome, const struct attempt_note *notes,
               const struct lookup *lookup) {
    add_to_minute(sheet, outcome, lookup);
    keep_request(sheet, outcome, notes);
    if (!lookup->counts)
        return;
    const char *name = name_of_sum(outcome->text.name), *id = outcome->text.key_id;
    struct name_sum *sum = find_name(sheet, &sheet->names, SHEET_NAMES_MAX, name, "");
    add_to_sum(sum, outcome, lookup);
    add_to_sum(find_name(sheet, &sheet->ids, SHEET_IDS_MAX, name, id), outcome, lookup);
    if (outcome->verdict == VERDICT_HIT)
        add_hit(sheet, sum, outcome);
    else if (asked_nobody(outcome))
        evidence_open(&sheet->evidence, &sheet->arena, outcome->text.name, id);
}

/* --- what servers answer --- */

static void add_answer(struct pair_sum *sum, const struct attempt_note *note) {
    sum->found += note->result == ATTEMPT_FOUND;
    sum->absent += note->result == ATTEMPT_ABSENT;
    sum->failed += note->result == ATTEMPT_FAILED;
    sum->time_us += note->total_ms > 0 ? (uint64_t)note->total_ms * 1000 : 0;
    sum->bytes += note->bytes;
}

static void add_to_source(struct source_sum *sum, const struct attempt_note *note,
                          int64_t wall_ms) {
    int64_t head_us = note->head_ms > 0 ? note->head_ms * 1000 : 0;
    add_answer(&sum->all, note);
    if (note->result != ATTEMPT_FAILED) {
        sum->times.counts[histogram_step(SCALE_TIME, (uint64_t)head_us)]++;
        return;
    }
    sum->failed_ms = wall_ms;
    text_copy(sum->failure, sizeof sum->failure, note->what);
}

void sheet_add_answer(struct sheet *sheet, const struct reply *reply, int64_t wall_ms) {
    const struct attempt_note *note = reply->note;
    evidence_add(&sheet->evidence, &sheet->arena, reply, wall_ms);
    if (note->result != ATTEMPT_FOUND && note->result != ATTEMPT_ABSENT &&
        note->result != ATTEMPT_FAILED)
        return;
    struct pair_sum *pair = find_sum(sheet, &sheet->pairs, SHEET_PAIRS_MAX, sizeof(struct pair_sum),
                                     name_of_sum(reply->key->name), note->source);
    struct source_sum *source = find_sum(sheet, &sheet->sources, SHEET_SOURCES_MAX,
                                         sizeof(struct source_sum), note->source, "");
    if (pair)
        add_answer(pair, note);
    if (source)
        add_to_source(source, note, wall_ms);
}
