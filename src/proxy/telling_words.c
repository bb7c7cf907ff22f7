// SPDX-License-Identifier: MIT
#include "proxy/telling_words.h"

#define NOTHING "Nothing needs to be done."
#define ITSELF                                                                                     \
    "Nothing needs to be done: the lookup of the file itself decides. Why that goes as it does: "  \
    "symgate explain {argument}"
#define FORGET "If it has been published since: symgate forget {argument}"

const struct words telling_words[TOLD_COUNT] = {
    [TOLD_HIT] = {"The file was here already and was served from the cache.", NOTHING},
    [TOLD_JOINED] = {"The file was arriving for another request, and this one was served from it.",
                     NOTHING},
    [TOLD_FETCHED] = {"The file was fetched from {server} for this request.", NOTHING},
    [TOLD_LOCAL] = {"The file lies in the directory of {server} and was served from there.",
                    NOTHING},
    [TOLD_NOT_KEPT] = {"The file was delivered, but it could not be kept: {what}.",
                       "Each request fetches it again until the cache can take it: look at its "
                       "free space, its permissions, general.minFreeSpace, and at what lies there "
                       "in the file's place."},
    [TOLD_NOT_SETTLED] = {"The file was delivered, and not kept: {what}.",
                          "Nothing needs to be done: it is kept once it has not been changed for "
                          "ten seconds."},
    [TOLD_CUT] = {"The answer was broken off, since what came proved false or stopped coming.",
                  "The attempts below say which server sent it; ask again, and look at what was "
                  "refused: symgate quarantine"},
    [TOLD_HUNG_UP] = {"The client hung up before its answer was complete.",
                      "If it gives up too early, raise the client's own timeout. A fetch that has "
                      "begun goes on here: what a request would get now is told below."},
    [TOLD_LEFT] = {"The client hung up before its answer began.",
                   "If it gives up too early, raise the client's own timeout. A question that a "
                   "server has been asked goes on here: what a request would get now is told "
                   "below."},
    [TOLD_LATER] = {"The search was not over when the client's limit came; it went on.",
                    "Ask again: what was found by then is served at once. If it is so each time, "
                    "look at how long the servers below took; a shorter hedgeAfter asks the next "
                    "one earlier."},
    [TOLD_BUSY] = {"Too much was to be done, so that a server could not be asked: {what}.",
                   "Ask again. If it happens often, raise maxRequests of the server that is "
                   "waited for."},
    [TOLD_INVALID] = {"This was no proper request for a symbol: {what}.",
                      "A symbol path ends in <name>/<id>/<name>; set the debugger's symbol path to "
                      "srv*<this address>/symbols."},
    [TOLD_ABSENT] = {"Every server that may be asked was asked and said that it does not have the "
                     "file.",
                     "Check that this very build was published, with this id. " FORGET},
    [TOLD_ABSENT_PARTLY] =
        {"Those servers that were asked said that they do not have the file, and "
         "of the others that was known, as told for each.",
         "Check that this very build was published, with this id. " FORGET},
    [TOLD_REMEMBERED] = {"Every server that may be asked has said earlier that it does not have "
                         "the file, and that still counted; nobody was asked again.",
                         FORGET " (or lower retryTimeout of the server that will have it)"},
    [TOLD_UNLISTED] = {"No server that might be asked listed the file in its index; nobody was "
                       "asked.",
                       "Check that this very build was published, with this id."},
    [TOLD_PLACELESS] = {"No server that might be asked had a place for such a file in its layout; "
                        "nobody was asked.",
                        "Add a server for files of this kind, or correct layout of the one that "
                        "should have it."},
    [TOLD_KNOWN] = {"Every server that might be asked was known not to have the file, some by "
                    "their no of earlier, others by their index or layout; nobody was asked.",
                    FORGET " What counts for each server now is told below."},
    [TOLD_KNOWN_SOMEHOW] = {"It was known without asking that no server had the file; whether by a "
                            "no of earlier, an index or a layout was not recorded.",
                            FORGET " What counts for each server now is told below."},
    [TOLD_WITHDRAWN] = {"The store has a note in place of the file: {what}.",
                        "Ask whoever runs that store; the note was left there on purpose."},
    [TOLD_UNINDEXED] =
        {"A store says that the file is no longer indexed, and that counts for all "
         "servers: {what}.",
         "Set noLongerIndexedAuthoritative of that server to false if the others are "
         "to be asked all the same."},
    [TOLD_FOLLOW_UP] = {"This name stands for another form of a file (compressed, or a pointer), "
                        "which lies in no cache; no server is asked for it.",
                        ITSELF},
    [TOLD_EXCLUDED] = {"A filter left no server to ask: \"{rule}\".",
                       "Ask again: that filter is not in force any more, or not for this name."},
    [TOLD_EXCLUDED_STILL] = {"A filter left no server to ask: \"{rule}\".",
                             "It is in force still: the servers below say for which; change it "
                             "there if this name is wanted."},
    [TOLD_EXCLUDED_GLOBALLY] = {"The name was excluded by \"{rule}\" of general.blacklist; nobody "
                                "was asked.",
                                "Take that pattern out of general.blacklist, or make it narrower, "
                                "if this name is wanted."},
    [TOLD_EXCLUDED_ELSE] = {"A filter left no server to ask: \"{rule}\".",
                            "That filter is not in force any more, but others keep the name out "
                            "now: see below."},
    [TOLD_EXCLUDED_NAMELESS_STILL] = {"Whitelists, kinds or enabled left no server to ask.",
                                      "So it is now, for the servers that there are: see below; "
                                      "change the one that should have the file."},
    [TOLD_EXCLUDED_NAMELESS] = {"Whitelists, kinds or enabled left no server to ask.",
                                "Ask again: they have been changed since."},
    [TOLD_EXCLUDED_NAMELESS_ELSE] = {"Whitelists, kinds or enabled left no server to ask.",
                                     "They have been changed since, but other filters keep the "
                                     "name out now: see below."},
    [TOLD_FAILED] = {"A server that may have the file could not answer: {what}.",
                     "Ask again, and run symgate doctor on the server's machine if it goes on."},

    [TOLD_GLOBAL] = {"The name is excluded by \"{rule}\" of general.blacklist; nobody is asked.",
                     "Take that pattern out of general.blacklist, or make it narrower, if this "
                     "name is wanted."},
    [TOLD_DISABLED] = {"{Server} is switched off.",
                       "Set \"enabled\": true for {server} if it is to be asked."},
    [TOLD_KIND] = {"{Server} is not asked for files of this kind ({what}).",
                   "Add \"{what}\" to kinds of {server} if it may be asked for it."},
    [TOLD_WHITELIST] = {"No pattern of the whitelist of {server} fits the name.",
                        "Add a pattern for this name to the whitelist of {server} if it may be "
                        "asked for it; patterns are case-sensitive and begin at the name's start."},
    [TOLD_BLACKLIST] = {"The name is excluded by \"{rule}\" of the blacklist of {server}.",
                        "Take that pattern out of the blacklist of {server}, or make it narrower, "
                        "if it may be asked."},
    [TOLD_GIVEN_UP] = {"The pattern \"{rule}\" was given up at its match limit, which counts as "
                       "excluding.",
                       "Write that pattern simpler: nested repeats make it slow."},
    [TOLD_FOLLOWS] = {"{Server} holds what other servers have, and none of them may be asked.",
                      "Change the filter of the server whose files it holds."},
    [TOLD_NOBODY] = {"No server may be asked for this name: {what}.",
                     "The servers below say which filter keeps each of them out; change the one "
                     "of the server that should have the file."},

    [TOLD_NOW_HERE] = {"The file lies in {place} and would be served at once.", NOTHING},
    [TOLD_NOW_OTHER_FORM] = {"The file lies in {place} in another form, and would be served from "
                             "there.",
                             NOTHING},
    [TOLD_NOW_UNDER_WAY] = {"The file is being searched for or arriving at this moment.",
                            "A request would join it and be served from what arrives."},
    [TOLD_NOW_ASKED] =
        {"The file is not here; {server} would be asked first.",
         "Load the symbol again, or try it from here: symgate explain --ask {argument}"},
    [TOLD_NOW_PAUSED] = {"The file is not here; {server} would be asked first, in {time}: it rests "
                         "{what}. A request waits for that, or is told later when its own limit "
                         "comes first.",
                         "Wait for that. A smaller maxRequests of {server} may keep it from asking "
                         "for pauses."},
    [TOLD_NOW_PAUSED_BESIDE] = {"The file is not here; {server} would be asked first, but {what}.",
                                "Nothing needs to be done; a smaller maxRequests of {server} may "
                                "keep it from asking for pauses."},
    [TOLD_NOW_REPLAY] = {"symgate has just started and still reads what servers said no to; a "
                         "request would wait for that.",
                         "Ask again in a moment."},
    [TOLD_NOW_ABSENT] = {"Every server that may be asked has said that it does not have the file, "
                         "and that still counts; {server} is asked again in {time}.",
                         FORGET},
    [TOLD_NOW_UNLISTED] = {"No server that may be asked has the file, by what their indexes list.",
                           "Check that this very build was published, with this id."},
    [TOLD_NOW_PLACELESS] = {"No server that may be asked has a place for such a file in its "
                            "layout.",
                            "Add a server for files of this kind, or correct layout of the one "
                            "that should have it."},
    [TOLD_NOW_RESTING] = {"{Server} may have the file, but rests {what} and is asked again in "
                          "{time}.",
                          "Wait for that, or see what is wrong with it: symgate doctor. SIGHUP has "
                          "it tried at once, unless it asked for the rest itself."},
    [TOLD_NOW_UNASKABLE] = {"{Server} may have the file, but there is no way to its remote from "
                            "here: it is a Windows path that nothing maps.",
                            "Map it in general.pathMap; symgate check prints the line to write."},
    [TOLD_NOW_FOLLOW_UP] = {"This name stands for another form of a file (compressed, or a "
                            "pointer). It is answered with 404 unless that very file lies in a "
                            "cache; no server is asked for it.",
                            ITSELF},
    [TOLD_NOW_TIER_MARK] = {"index2.txt tells debuggers that a store has two tiers. This one has "
                            "one, so the answer is 404.",
                            NOTHING},
    [TOLD_NOW_PING] = {"This path only shows that a symbol server is here; it names no symbol.",
                       NOTHING},
    [TOLD_NOW_UNKNOWN] = {"This path names no symbol: {what}.",
                          "A symbol path is <name>/<id>/<name>, as in "
                          "ntdll.pdb/1EB9FACB04EA273BB24BA52C8B8D336A1/ntdll.pdb."},
    [TOLD_NOW_INVALID] = {"This path is refused: {what}.",
                          "A symbol path is <name>/<id>/<name>, as in "
                          "ntdll.pdb/1EB9FACB04EA273BB24BA52C8B8D336A1/ntdll.pdb."},

    [TOLD_SERVER_ASKED] = {"{Server} would be asked.", ""},
    [TOLD_SERVER_SPARED] =
        {"{Server} may be asked, but need not be: the file is here, or on its way.", ""},
    [TOLD_SERVER_CROWDED] =
        {"{Server} would be asked, but so many wait for it that it may have to be "
         "passed over.",
         "Wait a moment. If it happens often, raise maxRequests of {server}."},
    [TOLD_SERVER_REMEMBERED] = {"{Server} has said that it does not have the file, and is asked "
                                "again in {time}.",
                                FORGET},
    [TOLD_SERVER_UNLISTED] = {"The index that {server} publishes does not list the file, so it is "
                              "not asked.",
                              "If the index is wrong, set \"index\": \"none\" for {server}."},
    [TOLD_SERVER_PLACELESS] = {"The layout of {server} has no place for such a file, so it is not "
                               "asked.",
                               ""},
    [TOLD_SERVER_UNASKABLE] = {"There is no way to the remote of {server} from here: it is a "
                               "Windows path that nothing maps.",
                               "Map it in general.pathMap; symgate check prints the line to "
                               "write."},
    [TOLD_SERVER_RESTING] = {"{Server} rests {what} and is asked again in {time}.",
                             "See what is wrong with it: symgate doctor. SIGHUP has it tried at "
                             "once, unless it asked for the rest itself."},
    [TOLD_SERVER_PAUSED] = {"{Server} rests {what}, and would be asked in {time}; whoever needs it "
                            "waits for that.",
                            "Wait for that. A smaller maxRequests of {server} may keep it from "
                            "asking for pauses."},
    [TOLD_SERVER_PROBED] = {"{Server} rests {what}; the next question tries whether it is back.",
                            "See what is wrong with it if the rests go on: symgate doctor"},
    [TOLD_SERVER_ENDED] = {"{Server} is not asked, since an earlier server's answer that the file "
                           "is no longer indexed counts for all.",
                           "Set noLongerIndexedAuthoritative of that earlier server to false if "
                           "the others are to be asked all the same."},

    [TOLD_ATTEMPT_WAITING] = {"{Server} had not answered yet.", ""},
    [TOLD_ATTEMPT_QUEUED] =
        {"{Server} was not asked yet: all its places were taken, or it rested as "
         "it had asked.",
         ""},
    [TOLD_ATTEMPT_FOUND] = {"{Server} sent the file.", ""},
    [TOLD_ATTEMPT_ABSENT] = {"{Server} said that it does not have the file.", ""},
    [TOLD_ATTEMPT_REMEMBERED] = {"{Server} was not asked: its no of earlier still counted.",
                                 FORGET},
    [TOLD_ATTEMPT_FILTERED] = {"{Server} was not asked: its filters, kinds or enabled kept it out.",
                               ""},
    [TOLD_ATTEMPT_PAUSED] = {"{Server} may have the file, but rested as it had asked and was not "
                             "asked.",
                             "Ask again when that is over. A smaller maxRequests of {server} may "
                             "keep it from asking for pauses."},
    [TOLD_ATTEMPT_WITHDRAWN] =
        {"{Server} was not asked: before its turn came another one had sent the file.", ""},
    [TOLD_ATTEMPT_WITHDRAWN_UNINDEXED] = {"{Server} was not asked: before its turn came another "
                                          "one had said that the file is no longer indexed.",
                                          ""},
    [TOLD_ATTEMPT_WITHDRAWN_OVER] = {"{Server} was not asked: before its turn came another one had "
                                     "begun to send a file, or nobody wanted it any more.",
                                     ""},
    [TOLD_ATTEMPT_LOST] = {"{Server} was asked too, but another one sent the file first.", ""},
    [TOLD_ATTEMPT_LOST_UNINDEXED] = {"{Server} was asked too, and not waited for: another one said "
                                     "that the file is no longer indexed.",
                                     ""},
    [TOLD_ATTEMPT_LOST_OVER] = {"{Server} was asked too, and not waited for: another one had begun "
                                "to send a file, or nobody wanted it any more.",
                                ""},
    [TOLD_ATTEMPT_TWIN] = {"{Server} was asked on a second connection too, and answered on the "
                           "other one first.",
                           ""},
    [TOLD_ATTEMPT_ASIDE] = {"What {server} has was put aside for a better one: {what}.", ""},

    [TOLD_SHELF_NOTHING] = {"The file does not lie in {place}.", ""},
    [TOLD_SHELF_GOOD] = {"The file lies in {place}.", ""},
    [TOLD_SHELF_OTHER] = {"The file lies in {place} in another form.", ""},
    [TOLD_SHELF_FALSE] =
        {"What lies in {place} is not what its name says, so it is left out: {what}.",
         "Remove it there; symgate then keeps the right file in its place."},
    [TOLD_SHELF_HANGS] = {"The disk of {place} does not answer, so it is passed over.",
                          "Look at that disk or mount; symgate takes it up again by itself."},
};

const struct words telling_failures[ERROR_KIND_COUNT] = {
    [ERROR_NONE] = {"{Server} did not fail.", NOTHING},
    [ERROR_INVALID] = {"{Server} could not be asked for this name: {what}.",
                       "The name cannot be written for that server; nothing can be changed here."},
    [ERROR_CONFIG] = {"No server could be asked as the configuration says: {what}.",
                      "Run symgate check, which names the line."},
    [ERROR_SYSTEM] = {"The operating system refused what was needed: {what}.",
                      "Look at the limits of the process (open files, memory) and at "
                      "permissions."},
    [ERROR_DISK] = {"The file could not be written or read on this machine: {what}.",
                    "Make room on the disk of the cache and the data folder, and look at "
                    "permissions."},
    [ERROR_CONNECT] = {"{Server} cannot be reached: {what}.",
                       "Check its address in the configuration, the name service, firewalls and "
                       "the proxy on the way."},
    [ERROR_TLS] = {"The secure connection to {server} failed: {what}.",
                   "An authority of your own is named by caFile; a certificate that has expired is "
                   "renewed; where it is for another name, write that name into remote; \"wrong "
                   "version number\" comes from a port that speaks plain http."},
    [ERROR_TIMEOUT] = {"{Server} was silent for longer than its limit: {what}.",
                       "If it is slow and not dead, raise timeouts.firstByte of {server}."},
    [ERROR_STALLED] = {"The file stopped coming from {server}: {what}.",
                       "Ask again; what has come is taken up. If it is slow by nature, raise "
                       "timeouts.stall of {server}."},
    [ERROR_RESET] = {"The connection to {server} broke: {what}.",
                     "Ask again. If it goes on, something on the way (a firewall, a proxy) cuts "
                     "it, or the port speaks https and remote says http."},
    [ERROR_STATUS] = {"{Server} answered with status {status} and not with the file: {what}.",
                      "Look at that server, or ask whoever runs it."},
    [ERROR_THROTTLED] = {"{Server} asked for a pause: {what}.",
                         "Wait; it is asked again when the pause is over. A smaller maxRequests "
                         "makes it ask less often."},
    [ERROR_REDIRECT] = {"{Server} leads elsewhere without end, or to where nobody may go: {what}.",
                        "Write the address that it leads to as remote of {server}."},
    [ERROR_HTML] = {"{Server} sent a web page in place of the file, as servers do that want "
                    "somebody to sign in: {what}.",
                    "Give {server} the credentials that it wants (authentication, user, password, "
                    "token or headers), or a remote that needs none."},
    [ERROR_EMPTY] = {"{Server} sent an empty file: {what}.",
                     "The file on that server is broken; have it published again."},
    [ERROR_TEXT] = {"{Server} sent plain text in place of the file: {what}.",
                    "See what it says: symgate quarantine"},
    [ERROR_LENGTH] = {"What {server} sent is not as long as announced: {what}.",
                      "Ask again. If it goes on, the file on that server is cut (have it published "
                      "again), or a proxy on the way cuts it."},
    [ERROR_ENCODING] = {"What {server} sent is packed in a way that cannot be undone: {what}.",
                        "The file on that server is broken, or packed by something unknown here; "
                        "have it published again."},
    [ERROR_IDENTITY] = {"What {server} sent is not the file that was asked for, or is cut: {what}.",
                        "The file on that server lies in a wrong place or is damaged; have it "
                        "published again."},
    [ERROR_DIFFERENT] = {"{Server} sent other bytes when the file was taken up: {what}.",
                         "Ask again; the file was changed meanwhile, or its machines have "
                         "different ones."},
    [ERROR_CHANGED] = {"The file changed at {server} while it was read: {what}.",
                       "Ask again once it has been written."},
    [ERROR_UNMOUNTED] = {"The directory of {server} is not there or not in order: {what}.",
                         "Mount it, or correct remote of {server}."},
    [ERROR_UNMAPPED] = {"There is no way to the remote of {server} from here: it is a Windows path "
                        "that nothing maps.",
                        "Map it in general.pathMap; symgate check prints the line to write."},
    [ERROR_ELSEWHERE] = {"A pointer at {server} leads where it may not: {what}.",
                         "If that place is to be trusted, add it to pointerRoots of {server}; a "
                         "path of a Windows drive has to be mapped by general.pathMap, too, and a "
                         "URL is never followed."},
    [ERROR_WITHDRAWN] = {"{Server} has a note in place of the file: {what}.",
                         "Ask whoever runs that store; the note was left there on purpose."},
    [ERROR_UNINDEXED] = {"{Server} says that the file is no longer indexed: {what}.",
                         "Ask whoever runs that store."},
    [ERROR_LOOP] = {"{Server} is this symgate itself: its question came back.",
                    "Take {server} out of the configuration."},
    [ERROR_RESTING] = {"{Server} may have the file, but rested {what} and was not asked.",
                       "Ask again when it has come back; symgate doctor says what is wrong with "
                       "it."},
    [ERROR_BUSY] = {"The queue of {server} was full, so that it was not asked.",
                    "Ask again. If it happens often, raise maxRequests of {server}."},
    [ERROR_CANCELLED] = {"The question to {server} was taken back: {what}.", "Ask again."},
    [ERROR_REMOVED] = {"{Server} went with a new configuration before it had answered.",
                       "Ask again: the new configuration counts."},
};

const struct words telling_host_rests = {
    "{Server} leads to a host that rests and was not asked: {what}.",
    "Ask again when that host has come back; symgate doctor says what is wrong with it."};

const struct status_words telling_statuses[] = {
    {203,
     203,
     {"{Server} answered with status 203, a page of some proxy or sign-in service: {what}.",
      "Give {server} the credentials that it wants; Azure DevOps takes a personal access token as "
      "password."}},
    {401,
     401,
     {"{Server} does not let symgate in (status 401): {what}.",
      "Correct user, password, token or headers of {server}; a token may have expired."}},
    {403,
     403,
     {"{Server} forbids it (status 403): {what}.",
      "If {server} says 403 for every file that it does not have, as object stores do, write "
      "\"absentStatus\": [403]; else its credentials lack a right."}},
    {407,
     407,
     {"The proxy on the way to {server} does not let symgate through (status 407): {what}.",
      "Correct proxyUser, proxyPassword or proxyAuthentication of {server}."}},
    {500,
     599,
     {"{Server} is in trouble itself (status {status}): {what}.",
      "Ask again later; it is asked anew with each request, and rests after several failures."}},
};

const size_t telling_status_count = sizeof telling_statuses / sizeof *telling_statuses;
