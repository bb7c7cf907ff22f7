// SPDX-License-Identifier: MIT
//
// What happened, or would, in plain words: for each verdict and each cause one sentence, and one
// that says what to do. Both are templates in a table; words in braces are filled in:
//
//   {server} {Server}  server "identifier", or "a server"; with a capital at the beginning
//   {rule} {what} {key} {time} {status} {place}   the facts of the same name
//
// Pure; no I/O.
#pragma once

#include "base/error.h"
#include "proxy/policy.h"

enum told {
    /* how a request ended */
    TOLD_HIT,
    TOLD_JOINED,
    TOLD_FETCHED,
    TOLD_LOCAL,
    TOLD_NOT_KEPT,
    TOLD_NOT_SETTLED, /* since its source may still write it */
    TOLD_CUT,
    TOLD_HUNG_UP,
    TOLD_LEFT, /* hung up before the answer began */
    TOLD_LATER,
    TOLD_BUSY,
    TOLD_INVALID,
    TOLD_ABSENT,
    TOLD_ABSENT_PARTLY, /* some needed not be asked */
    TOLD_REMEMBERED,
    TOLD_UNLISTED,
    TOLD_PLACELESS,
    TOLD_KNOWN,         /* by more than one of these three */
    TOLD_KNOWN_SOMEHOW, /* by one of them; it was not recorded by which */
    TOLD_WITHDRAWN,
    TOLD_UNINDEXED,
    TOLD_FOLLOW_UP,
    TOLD_EXCLUDED, /* by a filter that keeps nobody out any more */
    TOLD_EXCLUDED_STILL,
    TOLD_EXCLUDED_GLOBALLY, /* by everybody's blacklist, as it was then */
    TOLD_EXCLUDED_ELSE,     /* others do so now */
    TOLD_EXCLUDED_NAMELESS_STILL,
    TOLD_EXCLUDED_NAMELESS,      /* by none that is a pattern, … */
    TOLD_EXCLUDED_NAMELESS_ELSE, /* … and patterns do so now */
    TOLD_FAILED,                 /* for a cause that is not known */
    /* filters */
    TOLD_GLOBAL,
    TOLD_DISABLED,
    TOLD_KIND,
    TOLD_WHITELIST,
    TOLD_BLACKLIST,
    TOLD_GIVEN_UP,
    TOLD_FOLLOWS,
    TOLD_NOBODY,
    /* what would happen to a request now */
    TOLD_NOW_HERE,
    TOLD_NOW_OTHER_FORM,
    TOLD_NOW_UNDER_WAY,
    TOLD_NOW_ASKED,
    TOLD_NOW_PAUSED,
    TOLD_NOW_PAUSED_BESIDE, /* and another one is asked in the meantime */
    TOLD_NOW_REPLAY,
    TOLD_NOW_ABSENT,
    TOLD_NOW_UNLISTED,
    TOLD_NOW_PLACELESS,
    TOLD_NOW_RESTING,
    TOLD_NOW_UNASKABLE,
    TOLD_NOW_FOLLOW_UP,
    TOLD_NOW_TIER_MARK,
    TOLD_NOW_PING,
    TOLD_NOW_UNKNOWN,
    TOLD_NOW_INVALID,
    /* what would happen to a question to one server now */
    TOLD_SERVER_ASKED,
    TOLD_SERVER_SPARED,  /* might be asked; the file is here, or on its way */
    TOLD_SERVER_CROWDED, /* would be asked; its queue is full */
    TOLD_SERVER_REMEMBERED,
    TOLD_SERVER_UNLISTED,
    TOLD_SERVER_PLACELESS, /* its layout has no place for the file */
    TOLD_SERVER_UNASKABLE,
    TOLD_SERVER_RESTING,
    TOLD_SERVER_PAUSED,
    TOLD_SERVER_PROBED,
    TOLD_SERVER_ENDED,
    /* what a question to one server came to, when it did not fail */
    TOLD_ATTEMPT_WAITING,
    TOLD_ATTEMPT_QUEUED,
    TOLD_ATTEMPT_FOUND,
    TOLD_ATTEMPT_ABSENT,
    TOLD_ATTEMPT_REMEMBERED,
    TOLD_ATTEMPT_FILTERED,
    TOLD_ATTEMPT_PAUSED,
    TOLD_ATTEMPT_WITHDRAWN, /* since another one sent the file */
    TOLD_ATTEMPT_WITHDRAWN_UNINDEXED,
    TOLD_ATTEMPT_WITHDRAWN_OVER, /* for another reason */
    TOLD_ATTEMPT_LOST,           /* asked, and the answer was not waited for: likewise */
    TOLD_ATTEMPT_LOST_UNINDEXED,
    TOLD_ATTEMPT_LOST_OVER,
    TOLD_ATTEMPT_TWIN,  /* its other connection answered first */
    TOLD_ATTEMPT_ASIDE, /* it has the file of another build */
    /* what lies on a shelf */
    TOLD_SHELF_NOTHING,
    TOLD_SHELF_GOOD,
    TOLD_SHELF_OTHER,
    TOLD_SHELF_FALSE,
    TOLD_SHELF_HANGS,
    TOLD_COUNT
};

/* What is filled in; any text may be NULL or empty. */
struct facts {
    const char *server; /* an identifier */
    const char *rule;
    const char *what; /* as it was noted when it happened; "": nothing is added */
    const char *key;  /* "<name>/<id>" */
    const char *time; /* "3h" */
    const char *place;
    int status;
};

struct telling {
    char sentence[640];
    char cure[640];
};

/* What was noted of a failure, without what the sentence says itself: the name of the server at its
   beginning (`source "acme": `), and its status. "": that was all. */
const char *telling_what(const char *what, const char *server);

/* Tells one of the above. */
void tell(enum told told, const struct facts *facts, struct telling *out_telling);

/* Tells why a server, or a search, failed; ERROR_STATUS by facts->status too. */
void tell_failure(enum error_kind kind, const struct facts *facts, struct telling *out_telling);

/* What a filter's word is told by; not POLICY_ADMITTED. */
enum told told_of_policy(enum policy_word word);
