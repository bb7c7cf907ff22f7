// SPDX-License-Identifier: MIT
//
// What the tests of this folder share: a cache on a scratch folder, keys, contents, whole copies.
#pragma once

#include "store/cache.h"
#include "unit/base/check.h"
#include "unit/base/gate.h"
#include "unit/base/scratch.h"

enum { BENCH_OPEN_FILES_MAX = 4 };

static const char bench_id[] = "0123456789ABCDEF0123456789ABCDEF1";

struct bench {
    char *folder;
    char *root; /* the global shelf's directory, not made yet */
    struct shelf *shelf;
    struct spill *spill;
    struct cache *cache;
    struct question question; /* for app.pdb and bench_id */
};

/* A cache with one shelf, 100 searches and 1 MiB of small bodies; open_files_max complete copies
   are held. */
void bench_open(struct bench *bench, unsigned open_files_max);
void bench_close(struct bench *bench);

/* For cmocka: *state is a bench of its own, open, with BENCH_OPEN_FILES_MAX. */
int bench_setup(void **state);

/* The other half of bench_setup. */
int bench_teardown(void **state);

/* Writes a file of text at a path on the shelf, with its directories. */
void bench_put(const struct bench *bench, const char *path, const char *text);

/* A question for name and id. */
struct question bench_question(const char *name, const char *id);

/* What a source's head says. */
struct content bench_content(uint64_t size);

/* Text of a known pattern, "offset-dependent" so that a byte in the wrong place is seen. */
void bench_fill(char *bytes, size_t length, uint64_t offset);

/* Claims a new copy for the bench's question: SEARCHING, a reference, one asker. */
struct copy *bench_searching(struct bench *bench);

/* Ends a copy under way that a test is done with. */
void bench_give_up(struct bench *bench, struct copy *copy);

/* Begins a claimed copy on the global shelf, as the attempt that leads does. */
void bench_begin(struct bench *bench, struct copy *copy, uint64_t size);

/* Claims a new copy and begins it: ARRIVING, a reference, one asker. */
struct copy *bench_arriving(struct bench *bench, const struct question *question, uint64_t size);

/* Appends the next bytes of the known pattern. */
void bench_append(struct copy *copy, size_t length);

/* The phase of the moment. */
enum copy_phase bench_phase(struct copy *copy);

/* Puts a whole file on the shelf by the whole way: claim, begin, append, whole, complete. A
 * reference. */
struct copy *bench_keep(struct bench *bench, const struct question *question, size_t size);

/* Does what copy_file leads to hold bench_fill's bytes from 0 to length? */
void bench_check(struct copy *copy, uint64_t length);

/* How many descriptors this process has open. */
unsigned bench_descriptors(void);

/* How many files lie in the shelf's staging room. */
unsigned bench_staged(const struct bench *bench);
