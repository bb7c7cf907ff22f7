// SPDX-License-Identifier: MIT
#include "source/http_ranges.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    PART_BYTES = 4 << 20,
    WORTH_BYTES = 64 << 20,
    PARTS_MAX = 16,
    PARTS_IN_ALL_MAX = 64, /* gathered ahead in the whole process: 256 MiB */
    BREAKS_MAX = 5,
    BORROW_AGAIN_MS = 1000,
    LOOK_EVERY_MS = 250,
};

enum range_part_state { PART_MISSING, PART_ASKED, PART_COMING, PART_HERE, PART_REFUSED };

struct range_part {
    enum range_part_state state;
    bool open;                      /* asked for to the end of the file */
    uint64_t at;                    /* the first byte that is not read yet */
    uint64_t end;                   /* behind its last one */
    struct http_transfer *transfer; /* from ASKED on */
    uint64_t heard_bytes;           /* how far it had come … */
    int64_t heard_ms;               /* … when it moved last */
};

struct http_ranges {
    struct reader reader;
    struct source *source;
    struct http_worker *worker;
    struct http_request request;
    char *url;
    char validator[VALIDATOR_BYTES];
    int64_t last_modified;
    uint64_t start;
    uint64_t at; /* what was read */
    uint64_t size;
    struct range_part parts[PARTS_MAX]; /* in order */
    unsigned count;
    struct range_pace pace;
    unsigned borrowed; /* places */
    int64_t borrow_ms; /* not before */
    int64_t driven_ms;
    unsigned breaks;
    struct error why; /* nothing leads on */
};

static atomic_uint parts_in_all;

static struct http_ranges *ranges_of(struct reader *reader) {
    return (struct http_ranges *)(void *)reader;
}

/* --- parts --- */

static bool is_under_way(const struct range_part *part) {
    return part->state == PART_ASKED || part->state == PART_COMING;
}

/* How far its bytes are here. */
static uint64_t reach(const struct range_part *part) {
    if (part->state != PART_COMING && part->state != PART_HERE)
        return part->at;
    uint64_t to = part->at + http_transfer_gathered(part->transfer);
    return to < part->end ? to : part->end;
}

static unsigned under_way(const struct http_ranges *ranges) {
    unsigned n = 0;
    for (unsigned i = 0; i < ranges->count; i++)
        n += is_under_way(&ranges->parts[i]);
    return n;
}

/* Only one part, that reads to the end: what follows is a body as any other. */
static bool is_single(const struct http_ranges *ranges) {
    const struct range_part *first = &ranges->parts[0];
    return ranges->count == 1 && first->open && first->end == ranges->size &&
           first->state == PART_COMING;
}

static bool insert(struct http_ranges *ranges, unsigned index, uint64_t at, uint64_t end) {
    if (ranges->count == PARTS_MAX)
        return false;
    struct range_part *place = &ranges->parts[index];
    memmove(place + 1, place, (ranges->count - index) * sizeof *place);
    *place = (struct range_part){.state = PART_MISSING, .at = at, .end = end};
    ranges->count++;
    atomic_fetch_add(&parts_in_all, 1);
    return true;
}

static void take_out(struct http_ranges *ranges, unsigned index) {
    struct range_part *part = &ranges->parts[index];
    http_transfer_free(part->transfer);
    memmove(part, part + 1, (--ranges->count - index) * sizeof *part);
    atomic_fetch_sub(&parts_in_all, 1);
}

/* A part that nobody brings: where the one before it is open and still comes, it reads on. */
static void absorb(struct http_ranges *ranges, unsigned index) {
    struct range_part *before = index > 0 ? &ranges->parts[index - 1] : NULL;
    if (!before || !before->open || before->state != PART_COMING)
        return;
    bool last = index + 1 == ranges->count;
    before->end = last ? ranges->size : ranges->parts[index].end;
    take_out(ranges, index);
}

/* Nothing of it is here, or no more: it has to be asked for (again). */
static void forget(struct http_ranges *ranges, unsigned index, enum range_part_state state) {
    struct range_part *part = &ranges->parts[index];
    http_transfer_free(TAKE(part->transfer));
    part->state = state;
    part->open = false;
    absorb(ranges, index);
}

/* Ends a part where it is: what came stays, the rest is to be asked for by itself. */
static void cut(struct http_ranges *ranges, unsigned index) {
    struct range_part *part = &ranges->parts[index];
    uint64_t to = reach(part);
    uint64_t end = part->end;
    if (to == part->at || !insert(ranges, index + 1, to, end)) {
        forget(ranges, index, PART_MISSING);
        return;
    }
    http_transfer_stop(part->transfer);
    part->end = to;
    part->open = false;
    part->state = PART_HERE;
}

static void give_up(struct http_ranges *ranges) {
    if (ranges->pace.most == 1)
        return; /* already */
    range_memory_set(&ranges->source->range_memory, 1, clock_ms());
    ranges->pace.most = 1;
    range_pace_give_up(&ranges->pace);
    count(&ranges->source->counters->ranges_given_up);
}

static void broke(struct http_ranges *ranges, unsigned index, const struct error *why) {
    if (ranges->breaks++ < BREAKS_MAX) {
        count(&ranges->source->counters->ranges_taken_up);
        cut(ranges, index);
        return;
    }
    give_up(ranges);
    if (index == 0)
        ranges->why = *why;
    else
        cut(ranges, index);
}

/* A pause that the source itself asks for counts as with any other answer of its; another host's is
   none of the source's. */
static void note_pause(const struct http_ranges *ranges, const struct http_answer *answer) {
    bool pause = answer->status == 429 || answer->retry_after_s > 0;
    if (pause && ranges->request.at_home)
        rest_note(queue_rest(ranges->source->queue), ERROR_THROTTLED, answer->status,
                  ranges->request.key_hash, answer->retry_after_s);
}

static void refuse(struct http_ranges *ranges, unsigned index) {
    const struct http_answer *answer = http_transfer_answer(ranges->parts[index].transfer);
    int status = answer->status;
    note_pause(ranges, answer);
    give_up(ranges);
    if (index == 0)
        error_set(&ranges->why, ERROR_RESET,
                  "source \"%s\" answered with status %d where a part of the body was to come",
                  ranges->source->options.identifier, status);
    else
        forget(ranges, index, PART_REFUSED);
}

/* Is the answer this very part of the same file? */
static bool fits(const struct http_ranges *ranges, const struct range_part *part) {
    const struct http_answer *answer = http_transfer_answer(part->transfer);
    uint64_t end = part->open ? ranges->size : part->end;
    bool same = http_answer_belongs(answer, ranges->validator, ranges->last_modified);
    return answer->status == 206 && answer->range_start == part->at &&
           answer->range_end == end - 1 && answer->range_total == ranges->size && same &&
           answer->coding == CODING_NONE && !answer->lengths_differ;
}

/* Asks for a part; false: it cannot be. */
static bool begin(struct http_ranges *ranges, unsigned index) {
    char text[64];
    struct range_part *part = &ranges->parts[index];
    if (part->open)
        snprintf(text, sizeof text, "%llu-", (unsigned long long)part->at);
    else
        snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)part->at,
                 (unsigned long long)(part->end - 1));
    struct http_request request = ranges->request;
    request.range = text;
    request.if_range = ranges->validator;
    part->transfer = http_transfer_new(ranges->worker, &request, &ranges->why);
    if (!part->transfer)
        return false;
    if (!part->open)
        http_transfer_gather_up_to(part->transfer, PART_BYTES);
    part->state = PART_ASKED;
    part->heard_bytes = part->at;
    part->heard_ms = clock_ms();
    if (!part->open)
        count(&ranges->source->counters->ranges);
    return true;
}

/* Adds the next stretch behind the last part; false: there is none, or no room for it. */
static bool add_next(struct http_ranges *ranges, unsigned limit) {
    struct range_part *last = ranges->count > 0 ? &ranges->parts[ranges->count - 1] : NULL;
    uint64_t next = last ? last->end : ranges->at;
    if (last && last->open && last->end == ranges->size) {
        next = reach(last) + PART_BYTES;
        if (limit < 2 || next >= ranges->size || last->state != PART_COMING)
            return false;
    }
    if (next >= ranges->size || ranges->count > 2 * limit ||
        (last && atomic_load(&parts_in_all) >= PARTS_IN_ALL_MAX))
        return false;
    uint64_t left = ranges->size - next;
    bool open = limit == 1;
    uint64_t end = open || left < PART_BYTES ? ranges->size : next + PART_BYTES;
    if (!insert(ranges, ranges->count, next, end))
        return false;
    ranges->parts[ranges->count - 1].open = open;
    if (last && last->open)
        last->end = next;
    return true;
}

/* --- driving --- */

/* Looks after one part; true: the parts have changed. */
static bool look_after(struct http_ranges *ranges, unsigned index, int64_t now_ms) {
    struct range_part *part = &ranges->parts[index];
    if (!is_under_way(part))
        return false;
    if (part->state == PART_ASKED && http_answer_final(http_transfer_answer(part->transfer))) {
        part->heard_ms = now_ms;
        part->state = PART_COMING;
        if (fits(ranges, part))
            return false;
        part->state = PART_ASKED;
        refuse(ranges, index);
        return true;
    }
    uint64_t to = reach(part);
    if (to > part->heard_bytes) {
        part->heard_bytes = to;
        part->heard_ms = now_ms;
    }
    bool followed = index + 1 < ranges->count && ranges->parts[index + 1].state != PART_ASKED;
    if (part->state == PART_COMING && to == part->end && (!part->open || followed)) {
        http_transfer_stop(part->transfer);
        part->state = PART_HERE;
        return false;
    }
    struct error why = {0};
    if (part->state == PART_COMING && to == part->end)
        return false;
    if (http_transfer_over(part->transfer))
        http_transfer_why(part->transfer, &why);
    else if (now_ms - part->heard_ms >= ranges->source->options.stall_ms)
        error_set(&why, ERROR_STALLED, "source \"%s\" stopped in the middle of the body",
                  ranges->source->options.identifier);
    else
        return false;
    broke(ranges, index, &why);
    return true;
}

/* Ends all parts under way but the first of them. */
static void end_others(struct http_ranges *ranges) {
    for (unsigned i = ranges->count; i-- > 0 && under_way(ranges) > 1;)
        if (is_under_way(&ranges->parts[i]))
            cut(ranges, i);
}

/* Borrows as many as are wanted, or as are free; then not again for a while. */
static void borrow_up_to(struct http_ranges *ranges, unsigned wanted, int64_t now_ms) {
    while (ranges->borrowed < wanted && now_ms >= ranges->borrow_ms) {
        if (queue_borrow(ranges->source->queue))
            ranges->borrowed++;
        else
            ranges->borrow_ms = now_ms + BORROW_AGAIN_MS;
    }
}

static void return_all_but(struct http_ranges *ranges, unsigned kept) {
    if (ranges->borrowed <= kept)
        return;
    queue_return(ranges->source->queue, ranges->borrowed - kept);
    ranges->borrowed = kept;
}

/* Has as many places as the level needs, if there are; none as soon as others wait for them. */
static void set_places(struct http_ranges *ranges, unsigned level, int64_t now_ms) {
    if (ranges->borrowed > 0 && queue_waited(ranges->source->queue)) {
        end_others(ranges);
        return_all_but(ranges, 0);
        ranges->borrow_ms = now_ms + BORROW_AGAIN_MS;
        return;
    }
    unsigned wanted = level - 1;
    borrow_up_to(ranges, wanted, now_ms);
    /* What still runs in places that are not wanted any more ends first. */
    unsigned running = under_way(ranges);
    unsigned used = running > 1 ? running - 1 : 0;
    return_all_but(ranges, wanted > used ? wanted : used);
}

static void begin_parts(struct http_ranges *ranges, unsigned level) {
    unsigned limit = level < ranges->borrowed + 1 ? level : ranges->borrowed + 1;
    while (under_way(ranges) < limit) {
        unsigned i = 0;
        while (i < ranges->count && ranges->parts[i].state != PART_MISSING &&
               !(i == 0 && ranges->parts[i].state == PART_REFUSED))
            i++;
        if (i == ranges->count && !add_next(ranges, limit))
            return;
        if (!begin(ranges, i))
            return;
    }
}

static uint64_t arrived(const struct http_ranges *ranges) {
    uint64_t bytes = ranges->at - ranges->start;
    for (unsigned i = 0; i < ranges->count; i++)
        bytes += reach(&ranges->parts[i]) - ranges->parts[i].at;
    return bytes;
}

static void drive(struct http_ranges *ranges) {
    int64_t now_ms = clock_ms();
    int64_t away_ms = now_ms - ranges->driven_ms;
    ranges->driven_ms = now_ms;
    if (!http_worker_perform(ranges->worker))
        error_set(&ranges->why, ERROR_SYSTEM, "source \"%s\": libcurl failed",
                  ranges->source->options.identifier);
    /* A disk that took long is no silence of the source. */
    for (unsigned i = 0; i < ranges->count && away_ms > 2 * LOOK_EVERY_MS; i++)
        ranges->parts[i].heard_ms += away_ms;
    for (unsigned i = 0; i < ranges->count && !is_single(ranges); i++) {
        if (look_after(ranges, i, now_ms))
            break; /* the rest the next time, which is soon */
    }
    unsigned learned = range_pace_learned(&ranges->pace);
    unsigned level = range_pace_look(&ranges->pace, ranges->borrowed + 1, arrived(ranges), now_ms);
    if (range_pace_learned(&ranges->pace) != learned)
        range_memory_set(&ranges->source->range_memory, range_pace_learned(&ranges->pace), now_ms);
    set_places(ranges, level, now_ms);
    begin_parts(ranges, level);
}

/* --- reading --- */

/* What the first part has; HTTP_TRANSFER_NOTHING: wait. */
static ssize_t read_first(struct http_ranges *ranges, void *bytes, size_t length,
                          struct error *err) {
    struct range_part *part = &ranges->parts[0];
    if (part->state != PART_COMING && part->state != PART_HERE)
        return HTTP_TRANSFER_NOTHING;
    bool single = is_single(ranges);
    uint64_t left = part->end - part->at;
    if (!single && left < length)
        length = (size_t)left;
    if (length == 0)
        return HTTP_TRANSFER_NOTHING;
    struct error why = {0};
    ssize_t got = single ? http_transfer_read(part->transfer, bytes, length, LOOK_EVERY_MS, &why)
                         : http_transfer_try(part->transfer, bytes, length, &why);
    if (got > 0) {
        part->at += (uint64_t)got;
        part->heard_bytes = part->at;
        part->heard_ms = clock_ms();
        ranges->at = part->at;
        return got;
    }
    if (!single)
        return HTTP_TRANSFER_NOTHING; /* broken: the next look takes it up */
    bool silent = got < 0 && why.kind == ERROR_STALLED &&
                  clock_ms() - part->heard_ms < ranges->source->options.stall_ms;
    if (silent)
        return HTTP_TRANSFER_NOTHING;
    if (got < 0 && err)
        *err = why;
    return got;
}

static void drop_read(struct http_ranges *ranges) {
    while (ranges->count > 0 && ranges->parts[0].state == PART_HERE &&
           ranges->parts[0].at == ranges->parts[0].end)
        take_out(ranges, 0);
}

static ssize_t ranges_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct http_ranges *ranges = ranges_of(reader);
    for (;;) {
        drop_read(ranges);
        drive(ranges);
        if (ranges->why.kind != ERROR_NONE) {
            if (err)
                *err = ranges->why;
            return -1;
        }
        drop_read(ranges);
        if (ranges->count == 0 && ranges->at == ranges->size)
            return 0;
        if (ranges->count == 0)
            continue;
        ssize_t got = read_first(ranges, bytes, length, err);
        if (got != HTTP_TRANSFER_NOTHING)
            return got;
        if (!is_single(ranges) && !http_worker_wait(ranges->worker, ranges->request.cancel,
                                                    clock_ms() + LOOK_EVERY_MS, err))
            return -1;
    }
}

static bool ranges_ready(struct reader *reader) {
    struct http_ranges *ranges = ranges_of(reader);
    drop_read(ranges);
    if (ranges->count == 0)
        return ranges->at == ranges->size;
    const struct range_part *first = &ranges->parts[0];
    if (is_single(ranges))
        return http_transfer_ready(first->transfer);
    return http_worker_perform(ranges->worker) && reach(first) > first->at;
}

static void ranges_close(struct reader *reader) {
    struct http_ranges *ranges = ranges_of(reader);
    while (ranges->count > 0)
        take_out(ranges, ranges->count - 1);
    if (ranges->borrowed > 0)
        queue_return(ranges->source->queue, ranges->borrowed);
    secret_free(ranges->url);
    free(ranges);
}

static const struct reader_ops ranges_ops = {
    .read = ranges_read, .ready = ranges_ready, .close = ranges_close};

bool http_ranges_worth(const struct source *source, const struct http_answer *answer,
                       const struct content *content) {
    return source->options.parallel_ranges > 1 && !content->encoded && content->validator[0] &&
           content->size != SIZE_UNKNOWN && content->size - content->start >= WORTH_BYTES &&
           (answer->status == 206 || answer->ranges) && !answer->chunked &&
           range_memory_get(&source->range_memory, clock_ms()) != 1;
}

struct reader *http_ranges_new(const struct http_lead *lead) {
    struct http_ranges *ranges = NEW(struct http_ranges);
    const struct content *content = lead->content;
    int64_t now_ms = clock_ms();
    ranges->reader.ops = &ranges_ops;
    ranges->source = lead->source;
    ranges->worker = lead->worker;
    ranges->request = *lead->request;
    ranges->url = memory_text(http_transfer_url(lead->transfer));
    ranges->request.url = ranges->url;
    memcpy(ranges->validator, content->validator, sizeof ranges->validator);
    ranges->last_modified = content->last_modified;
    ranges->start = ranges->at = content->start;
    ranges->size = content->size;
    ranges->driven_ms = now_ms;
    if (!insert(ranges, 0, content->start, content->size))
        abort(); /* there is room for one */
    struct range_part *first = &ranges->parts[0];
    first->open = true;
    first->state = PART_COMING;
    first->transfer = lead->transfer;
    first->heard_bytes = first->at;
    first->heard_ms = now_ms;
    range_pace_init(&ranges->pace, lead->source->options.parallel_ranges,
                    range_memory_get(&lead->source->range_memory, now_ms), now_ms);
    return &ranges->reader;
}
