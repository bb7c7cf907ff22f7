// SPDX-License-Identifier: MIT
//
// A source: a place where symbol files come from. This is the interface that every kind implements
// (source_http, source_directory, source_smb), and what they have in common: options, queue,
// counters, fingerprint. A source is made from the configuration and read-only from then on; its
// queue, rest and connections outlive it over a reload when the new one has the same fingerprint. A
// source knows neither cache nor decoders.
#pragma once

#include "base/counter.h"
#include "base/hash.h"
#include "base/histogram.h"
#include "source/access.h"
#include "source/cancel.h"
#include "source/range_pace.h"
#include "source/source_queue.h"
#include "symbol/attempt.h"
#include "symbol/content.h"
#include "symbol/reader.h"
#include "symbol/store_path.h"

enum { HEDGE_NEVER = -1, STATUSES_MAX = 8, SOURCES_MAX = 63 };

struct source_options {
    const char *identifier; /* unique; the key in logs and statistics */
    const char *name;       /* for people */
    const char *remote;     /* URL or directory */
    bool enabled;
    bool is_cache;    /* holds what others have: its failures count as not there, and what it has is
                         no better than what comes from those after it */
    bool unaskable;   /* there is no way to its remote: allowed, but every question fails */
    unsigned kinds;   /* bits 1 << enum symbol_kind that may be asked for */
    int priority;     /* smaller first; equal ones are asked together */
    int64_t retry_ms; /* how long its "no" counts */
    unsigned requests_max;
    int64_t hedge_after_ms;   /* or HEDGE_NEVER */
    unsigned parallel_ranges; /* http: over how many connections a long body may come; 0, 1: one */
    int64_t revalidate_ms;    /* how long a kept file is not compared again; 0: never */
    int64_t connect_ms;       /* 3 s */
    int64_t first_byte_ms;    /* 60 s: silent so long, failed */
    int64_t stall_ms;         /* 10 s: a body that stops so long is taken up again */
    struct breaker breaker;
    const char *user_agent;
    bool forward_checksum;             /* http: what clients say in SymbolChecksum is passed on */
    int absent_statuses[STATUSES_MAX]; /* besides 404 and 410; 0 ends */
    struct source_access access;       /* http */
    struct source_route route;         /* http */
    bool follow_links;                 /* directories */
    enum layout layout;
    enum casing casing;
    enum form forms[FORMS_MAX]; /* the forms that are asked for, in this order */
    unsigned form_count;
    bool published_index;     /* it is asked only for what its index lists (source_index.h) … */
    int64_t index_refresh_ms; /* … which counts for so long before it is looked at again */
    bool unindexed_ends;      /* a pointer that says NoLongerIndexed is the no of all sources */
    const char *state_directory; /* where a directory source remembers that its root was a mount
                                    point; may be NULL */
};

/* Where a broken body is to be taken up. */
struct resume {
    uint64_t offset;
    uint64_t size; /* of the whole, or SIZE_UNKNOWN */
    char validator[VALIDATOR_BYTES];
    int64_t last_modified;
};

/* A file as it was found before. */
struct file_mark {
    bool known; /* the rest tells it from another, or from the same one changed */
    uint64_t size;
    int64_t last_modified;
    char validator[VALIDATOR_BYTES];
};

/* One question put to one source. Lives on the worker's stack; note is filled with url, status and
   times up to the head. */
struct source_call {
    const char *path;            /* below the source's root: one of those that store_paths gives */
    const struct resume *resume; /* NULL: from the start */
    const char *checksums;       /* the client's SymbolChecksum; NULL: none */
    const struct file_mark *unless; /* not NULL: SOURCE_SAME, or the file, where it is still this */
    struct cancel *cancel;
    int also_absent;       /* an HTTP status that is a no here besides the source's own; 0: none */
    bool fresh_connection; /* do not use a kept one */
    int64_t retry_after_s; /* out: what Retry-After said, -1 when nothing */
    int64_t date_s;        /* out: the server's clock, where its answer told it; else 0 */
    bool behind;           /* out: it failed at another host, to which the source had redirected */
    struct attempt_note *note; /* out */
};

enum source_answer {
    SOURCE_FOUND,  /* content and reader are there; content.start: was a resume honoured? */
    SOURCE_ABSENT, /* its own no */
    SOURCE_FAILED, /* err says why */
    SOURCE_LOCAL,  /* a file to be served in place: *out_local */
    SOURCE_SAME,   /* the file that the call is marked with; only with a mark */
};

struct source_local {
    int fd; /* the caller's */
    uint64_t size;
    int64_t modified_ns;
    bool settled; /* older than 10 s and unchanged: may be kept in the table for a moment */
};

struct source;
struct source_index;

struct source_ops {
    const char *type; /* "http", "directory", "smb" */
    int64_t idle_ms;  /* how long a worker without a job is kept; 0: 10 s */
    /* What a worker thread keeps between jobs (connections); may return NULL. */
    void *(*worker_new)(void);
    void (*worker_free)(void *worker);
    /* Asks. Blocks; on a worker. Honours connect, first-byte and stall limits and the cancel.
       SOURCE_LOCAL only when `in_place` is set; otherwise a local file is read like any other. */
    enum source_answer (*ask)(struct source *source, void *worker, struct source_call *call,
                              bool in_place, struct content *out_content,
                              struct reader **out_reader, struct source_local *out_local,
                              struct error *err);
    void (*free)(struct source *source);
};

/* Counted by those who run attempts; of the rest, a source itself counts its ranges. */
struct source_counters {
    counter asked;     /* questions put to it */
    counter found;     /* delivered a body that led */
    counter absent;    /* its own no */
    counter failed;    /* failures of every cause */
    counter failed_ms; /* when the last one was, by the wall's clock; 0: there was none */
    counter lost;      /* found, but another had delivered first */
    counter login;     /* answers that were a login page */
    counter bytes;
    counter ranges;          /* parts asked for beside others (http_ranges.h) */
    counter ranges_taken_up; /* of them, asked for again after a break */
    counter ranges_given_up; /* bodies that went back to one connection: refused, or too many breaks
                              */
    counter failed_by[ERROR_KIND_COUNT]; /* failures by cause */
    counter times[HISTOGRAM_STEPS];      /* from the place to the head, of answers */
    counter time_us;                     /* the same, added up */
};

/* A tree that pointers of a source may lead into, as they write its root. */
struct pointer_root {
    char *prefix;
    struct source *source; /* what reads it; NULL: the source itself */
};

struct source {
    const struct source_ops *ops;
    struct source_options options; /* strings are owned */
    uint64_t fingerprint; /* of where and how it is asked; credentials only inside the keyed hash */
    uint64_t label;       /* of its identifier alone: the same wherever it moves */
    struct source_queue *queue;       /* a reference */
    struct source_counters *counters; /* shared over reloads, the queue's (queue_source_counters) */
    struct range_memory range_memory; /* what parallel ranges have gained here */
    _Atomic(enum layout) found_layout;  /* AUTO until source_layout knows it */
    struct pointer_root *pointer_roots; /* set before anybody asks, read-only from then on */
    unsigned pointer_root_count;
    struct source_index *index; /* a reference; NULL: none is published, or it does not count */
    struct pool *pool;          /* threads that read files served in place; NULL for http */
};

/* Copies options into a source under construction and makes queue, counters and fingerprint: for
   the constructors of the kinds. `key` is the data folder's. */
void source_init(struct source *source, const struct source_ops *ops,
                 const struct source_options *options, const struct hash_key *key);

/* What its answers depend on: where it is asked, in which forms and layout, what counts as its no,
   and where its pointers lead. Another value: what it said before says nothing. 0: its layout is
   not known yet. */
uint64_t source_mark(const struct source *source);

/* Takes over queue, rests, counters and index of an older source with the same fingerprint
   (reload); places and breaker are set anew. */
void source_take_over(struct source *source, struct source *older);

/* Lets pointers of this source lead below `prefix` ("\\\\build\\symbols"), which `other` reads
   (taken over; NULL: the source itself). Several prefixes of one reader are added in a row. Before
   anybody asks. */
void source_add_pointer_root(struct source *source, const char *prefix, struct source *other);

/* Frees through ops->free, which ends with source_release. NULL is allowed. */
void source_free(struct source *source);

/* Gives back what source_init made. */
void source_release(struct source *source);

/* The forms that it is asked for, as bits. */
unsigned source_forms(const struct source *source);

/* The same for a no that ends a search (unindexed_ends), so that such a one is remembered apart. */
unsigned source_forms_ended(const struct source *source);

/* Is this still the file of a mark? A mark may be NULL. */
bool file_mark_fits(const struct file_mark *mark, const struct content *content);

/* Does the source say no to this call with this HTTP status? */
bool source_absent_status(const struct source *source, const struct source_call *call, int status);
