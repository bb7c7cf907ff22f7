// SPDX-License-Identifier: MIT
//
// The last outcomes with their attempts, in memory: blocks of packets, of which the oldest is freed
// once the others hold enough. Any thread; the lock is held for one outcome at a time.
#pragma once

#include "record/outcome.h"

enum { RECENT_BYTES_MAX = 64 * 1024 * 1024 };

struct recent;

/* Keeps at least the last outcomes_max, as far as they fit into RECENT_BYTES_MAX, and at most a
   block's worth more; with 0 none. */
struct recent *recent_new(unsigned outcomes_max);
void recent_free(struct recent *recent);

/* Keeps a packet (record/packet.h), which is copied. */
void recent_add(struct recent *recent, const char *packet);

/* Shows the newest outcome with this request id; false when none is kept. No lock is held
   meanwhile. */
bool recent_find(struct recent *recent, const char *id, outcome_show *show, void *context);

/* Shows the newest ones first, at most count_max, until show returns false. No lock is held
   meanwhile; those that fall out under way are left out. */
void recent_each(struct recent *recent, unsigned count_max, outcome_show *show, void *context);
