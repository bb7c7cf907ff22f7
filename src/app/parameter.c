// SPDX-License-Identifier: MIT
#include "app/parameter.h"

#include <string.h>

#include "app/config.h"
#include "base/text.h"

#define IDENTITY(key, type, field)                                                                 \
    SECTION_IDENTITY, key, type, offsetof(struct config_identity, field)
#define GENERAL(key, type, field) SECTION_GENERAL, key, type, offsetof(struct config_general, field)
#define SERVER(key, type, field) SECTION_SERVER, key, type, offsetof(struct config_server, field)
#define TIMEOUT(key, field)                                                                        \
    SECTION_TIMEOUTS, key, PARAMETER_TIME, offsetof(struct config_timeouts, field)
#define BREAKER(key, type, field) SECTION_BREAKER, key, type, offsetof(struct config_breaker, field)

/* clang-format off */
static const struct parameter table[] = {
    {IDENTITY("name", PARAMETER_TEXT, name), .standard = "\"symgate\"",
     .help = "Title of the page."},
    {IDENTITY("host", PARAMETER_TEXT, host),
     .help = "The name by which clients reach this server; changes through the API are accepted under it."},
    {IDENTITY("administrator", PARAMETER_TEXT, administrator),
     .help = "Whom to ask: shown on the page."},
    {IDENTITY("default_sympath", PARAMETER_TEXT, default_sympath),
     .help = "The symbol path that the page tells people to set; by default it is made from the server's own address."},

    {GENERAL("listen", PARAMETER_LIST, listen), .standard = "[\"0.0.0.0:8080\", \"[::]:8080\"]",
     .help = "Addresses to serve on. --listen wins over it."},
    {GENERAL("dataLocation", PARAMETER_PATH, data_location),
     .standard_told = "`/var/lib/symgate` as root, else `symgate` below `$XDG_STATE_HOME` or `~/.local/state`",
     .help = "Where everything goes that has no place of its own. --data wins over it."},
    {GENERAL("cacheLocation", PARAMETER_PATH, cache_location), .standard_told = "`cache` in the data folder",
     .help = "The global cache, a tree in symbol-store shape. What lies there already is served. A network share is read and not written: new files go to `cache` in the data folder."},
    {GENERAL("workers", PARAMETER_NUMBER, workers), .most = 256, .standard = "0", .standard_told = "one a processor",
     .help = "How many event loops serve clients."},
    {GENERAL("enableStatistics", PARAMETER_BOOLEAN, enable_statistics), .standard = "true",
     .help = "Keeps what was asked, by name, server and time, and the last requests. Counters and the log do not depend on it."},
    {GENERAL("statisticsNames", PARAMETER_NUMBER, statistics.names_max), .least = 100, .most = 10000000, .standard = "200000",
     .help = "How many names have statistics of their own; the least used ones beyond it count together."},
    {GENERAL("statisticsIds", PARAMETER_NUMBER, statistics.ids_max), .least = 100, .most = 100000000, .standard = "1000000",
     .help = "The same for single files of those names."},
    {GENERAL("statisticsSize", PARAMETER_SIZE, statistics.bytes_max), .least = 16777216, .standard = "\"2 GiB\"",
     .help = "How large the file of statistics may become. Near it, the oldest and least used details go."},
    {GENERAL("statisticsRetention", PARAMETER_TIME, statistics.retention_ms), .standard = "0",
     .help = "How long history by day, requests, and names that nobody asks for any more are kept, in whole days; 0: for ever."},
    {GENERAL("requestsKept", PARAMETER_NUMBER, statistics.requests_max), .least = 1000, .most = 10000000, .standard = "200000",
     .help = "How many of the last requests can be looked up."},
    {GENERAL("failuresKept", PARAMETER_NUMBER, statistics.failures_max), .least = 1000, .most = 10000000, .standard = "50000",
     .help = "How many of the last failures can be looked up, beside those."},
    {GENERAL("blacklist", PARAMETER_PATTERNS, blacklist), .standard = "[]",
     .help = "Names that are never asked for and never served, whatever lies in the cache."},
    {GENERAL("watchList", PARAMETER_PATTERNS, watch_list), .standard = "[]",
     .help = "Names of critical modules: the adviser tells when one was asked for and nobody has it."},
    {GENERAL("pathMap", PARAMETER_MAP, path_map), .standard = "{}",
     .help = "Replaces beginnings of Windows paths and shares by local directories, in remotes, cache locations and log file names. The longest beginning that fits counts."},
    {GENERAL("failureStatus", PARAMETER_NUMBER, failure_status), .least = 400, .most = 599, .standard = "404",
     .help = "HTTP status for later, busy and failed. Symbol clients go on to their next server only at 404; crash services may want 503."},
    {GENERAL("requestTimeout", PARAMETER_TIME, request_timeout_ms), .least = 1, .standard = "25",
     .help = "How long a client is held before it is told to come again, unless it announces its own limit. The search goes on."},
    {GENERAL("minFreeSpace", PARAMETER_SIZE, free_min_bytes), .standard_told = "5 % of the disk, at most 10 GiB",
     .help = "Space to be left on a cache's disk: below it symbols are delivered and not kept. 0 switches it off."},
    {GENERAL("spillLimit", PARAMETER_SIZE, spill_limit), .standard = "\"256 MiB\"",
     .help = "How much may be held outside the caches, in all, while a disk cannot be written."},
    {GENERAL("absencesMax", PARAMETER_NUMBER, absences_max), .least = 1000, .standard = "8000000",
     .help = "How many answers of \"not here\" are remembered, in all."},
    {GENERAL("hedgeAfter", PARAMETER_TIME_NULL, hedge_after_ms), .standard = "5",
     .help = "After so much silence of a server the next one is asked beside it; null: never, 0: at once."},
    {GENERAL("logClients", PARAMETER_TEXT, log_clients), .standard = "\"full\"",
     .help = "What the log keeps of client addresses: full, shortened or none."},
    {GENERAL("adminToken", PARAMETER_SECRET, admin_token),
     .help = "Lets whoever sends it as a bearer token do what otherwise only a client on the server's own machine may."},

    {SERVER("name", PARAMETER_TEXT, name), .standard_told = "the identifier",
     .help = "The server's name for people."},
    {SERVER("identifier", PARAMETER_TEXT, identifier), .standard_told = "the name, else the remote's host, made unique",
     .help = "The server's key in logs and statistics."},
    {SERVER("remote", PARAMETER_PATH, remote),
     .help = "Where it is: a URL (http, https), a directory, or a network share (`\\\\server\\share\\dir`, `//server/share/dir`, `smb://server/share/dir`). Required."},
    {SERVER("user", PARAMETER_TEXT, user), .standard_told = "nobody; shares: a guest",
     .help = "Who asks. With NTLM and for shares `DOMAIN\\user` is understood. Azure DevOps wants a password (its token) and no user.", .remotes = REMOTE_URL | REMOTE_SHARE},
    {SERVER("password", PARAMETER_SECRET, password),
     .help = "The user's password.", .remotes = REMOTE_URL | REMOTE_SHARE},
    {SERVER("token", PARAMETER_SECRET, access.token),
     .help = "HTTP: shown as `Authorization: Bearer …`.", .remotes = REMOTE_URL},
    {SERVER("authentication", PARAMETER_TEXT, access.authentication_name), .standard_told = "basic with a user or password, bearer with a token, else none",
     .help = "HTTP: how it is shown who asks: none, basic, digest, ntlm, negotiate (Kerberos) or bearer.", .remotes = REMOTE_URL},
    {SERVER("headers", PARAMETER_SECRETS, access.headers), .standard = "{}",
     .help = "HTTP: headers that are sent besides.", .remotes = REMOTE_URL},
    {SERVER("clientCertificate", PARAMETER_PATH, access.client_certificate),
     .help = "HTTPS: a certificate that is shown: a PEM file, or PKCS #12 (`.p12`, `.pfx`).", .remotes = REMOTE_URL},
    {SERVER("clientKey", PARAMETER_PATH, access.client_key), .standard_told = "the certificate's file",
     .help = "HTTPS: the file with the certificate's key (PEM).", .remotes = REMOTE_URL},
    {SERVER("clientKeyPassword", PARAMETER_SECRET, access.client_key_password),
     .help = "HTTPS: what the key is encrypted with.", .remotes = REMOTE_URL},
    {SERVER("proxy", PARAMETER_TEXT, access.proxy), .standard_told = "`http_proxy`, `https_proxy`, `no_proxy` of the environment",
     .help = "HTTP: the proxy that leads there, `http://host:port` or `https://host:port`; `\"\"`: none, whatever the environment says.", .remotes = REMOTE_URL},
    {SERVER("proxyUser", PARAMETER_TEXT, access.proxy_user),
     .help = "HTTP: who asks the proxy.", .remotes = REMOTE_URL},
    {SERVER("proxyPassword", PARAMETER_SECRET, access.proxy_password),
     .help = "HTTP: the password for the proxy.", .remotes = REMOTE_URL},
    {SERVER("proxyAuthentication", PARAMETER_TEXT, access.proxy_authentication_name), .standard_told = "basic with proxyUser or proxyPassword, else none",
     .help = "HTTP: how the proxy is shown who asks: none, basic, digest, ntlm or negotiate.", .remotes = REMOTE_URL},
    {SERVER("noProxy", PARAMETER_LIST, access.no_proxy), .standard_told = "no_proxy of the environment where its proxy counts, else nothing",
     .help = "HTTP: hosts (with all below them), addresses and networks (`10.0.0.0/8`) that are reached without a proxy; `*`: all.", .remotes = REMOTE_URL},
    {SERVER("caFile", PARAMETER_PATH, access.ca_file), .standard_told = "the system's authorities",
     .help = "HTTPS: a PEM file with the authorities that are believed for this server; where it redirects to, and for its proxy, the system's are believed as well.", .remotes = REMOTE_URL},
    {SERVER("tlsVersion", PARAMETER_TEXT, access.tls_version_name), .standard_told = "1.2 or 1.3",
     .help = "HTTPS: 1.2 or 1.3: no other version is spoken with this server.", .remotes = REMOTE_URL},
    {SERVER("acceptBadCertificate", PARAMETER_BOOLEAN, access.accept_bad_certificate), .standard = "false",
     .help = "HTTPS: true accepts whatever certificate this server shows. Dangerous: whoever stands between can read and change everything.", .remotes = REMOTE_URL},
    {SERVER("domain", PARAMETER_TEXT, domain),
     .help = "Shares: the user's domain or workgroup.", .remotes = REMOTE_SHARE},
    {SERVER("keytab", PARAMETER_PATH, keytab),
     .help = "Shares: a Kerberos keytab. A ticket is got with it, kept in the data folder and renewed; no password is used then.", .remotes = REMOTE_SHARE},
    {SERVER("principal", PARAMETER_TEXT, principal), .standard_told = "the keytab's first",
     .help = "Shares: whose key of the keytab is used.", .remotes = REMOTE_SHARE},
    {SERVER("cacheLocation", PARAMETER_PATH, cache_location), .standard_told = "the global cache",
     .help = "A cache of its own for this server's files. A directory without one is served in place. A network share is read for the names that this server may be asked for, and not written."},
    {SERVER("enabled", PARAMETER_BOOLEAN, enabled), .standard = "true",
     .help = "Whether it is asked at all."},
    {SERVER("kinds", PARAMETER_LIST, kinds), .standard = "[\"pdb\", \"pe\", \"elf\", \"macho\", \"sym\", \"other\"]",
     .help = "The kinds of symbol file that it is asked for."},
    {SERVER("retryTimeout", PARAMETER_TIME, retry_ms), .standard = "60",
     .help = "How long a \"not here\" of this server counts before it is asked again for the same symbol."},
    {SERVER("retryTimout", PARAMETER_TIME, retry_misspelled_ms), .alias_of = "retryTimeout",
     .help = "pySymProxy's documented misspelling of retryTimeout."},
    {SERVER("maxRequests", PARAMETER_NUMBER, requests_max), .least = 1, .most = 10000, .standard = "10",
     .help = "How many questions are put to it at once; the others wait in its queue."},
    {SERVER("parallelRanges", PARAMETER_NUMBER, parallel_ranges), .least = 0, .most = 6, .standard = "4",
     .help = "HTTP: over how many connections a file of more than 64 MiB may come at once, where that is faster and places are free (each counts under maxRequests); 0 or 1: one.", .remotes = REMOTE_URL},
    {SERVER("priority", PARAMETER_NUMBER, priority), .least = 1, .most = 1000000, .standard_told = "the position in the list",
     .help = "Smaller is asked first; servers with equal numbers are asked together."},
    {SERVER("hedgeAfter", PARAMETER_TIME_NULL, hedge_after_ms), .standard_told = "general.hedgeAfter",
     .help = "The same for this server alone."},
    {SERVER("revalidate", PARAMETER_TIME_NULL, revalidate_ms), .standard_told = "5 minutes",
     .help = "Directories and shares: when a kept file is asked for and was not compared for so long, size and time at the source are looked at in the background, and a changed file is kept anew for later requests. 0 or null: never.", .remotes = REMOTE_DIRECTORY | REMOTE_SHARE},
    {SERVER("whitelist", PARAMETER_PATTERNS, whitelist), .standard_told = "everything",
     .help = "Only names that one of these patterns matches are asked for; an empty list allows nothing."},
    {SERVER("blacklist", PARAMETER_PATTERNS, blacklist), .standard = "[]",
     .help = "Names that this server is never asked for."},
    {SERVER("userAgent", PARAMETER_TEXT, user_agent), .standard = "\"Microsoft-Symbol-Server/10.0.10036.206\"",
     .help = "What symgate calls itself toward this server.", .remotes = REMOTE_URL},
    {SERVER("layout", PARAMETER_TEXT, layout_name), .standard = "\"auto\"",
     .help = "How files lie there: symstore, two-tier, ssqp, breakpad, debuginfod, build-id, unified, slashsymbols; auto finds out whether a symbol store has two tiers."},
    {SERVER("forms", PARAMETER_LIST, form_names), .standard_told = "plain, compressed, pointer; plain alone for Microsoft's server and object stores",
     .help = "The forms of a file that it is asked for, in this order: plain, compressed (app.pd_), pointer (file.ptr)."},
    {SERVER("pointerRoots", PARAMETER_LIST, pointer_roots), .standard = "[]",
     .help = "Directories and shares, as pointer files write them, that pointers of this server may lead into besides its own tree. pathMap counts for them."},
    {SERVER("noLongerIndexedAuthoritative", PARAMETER_BOOLEAN, unindexed_ends), .standard = "false",
     .help = "A pointer file of this server that says `MSG: NoLongerIndexed` ends the search: no other server is asked, as with the setting of Microsoft's SymProxy."},
    {SERVER("index", PARAMETER_TEXT, index_name), .standard = "\"none\"",
     .help = "The index that the server publishes: `000Admin` (SymStore's) or none. While it is whole and young the server is asked only for what it lists; only for stores whose every file is listed there."},
    {SERVER("indexRefresh", PARAMETER_TIME, index_refresh_ms), .least = 1, .standard_told = "24 hours",
     .help = "How long the index counts before it is looked at again, in the background; until that is done the server is asked as if it had none."},
    {SERVER("casing", PARAMETER_TEXT, casing_name), .standard = "\"preserve\"",
     .help = "For stores that mind the case of their paths: preserve asks as the client spelled it, lower and upper change the whole path."},
    {SERVER("followLinks", PARAMETER_BOOLEAN, follow_links), .standard = "false",
     .help = "Directories: follow symbolic links, below the root only.", .remotes = REMOTE_DIRECTORY},
    {SERVER("forwardChecksum", PARAMETER_BOOLEAN, forward_checksum), .standard = "false",
     .help = "HTTP: passes on what clients send as `SymbolChecksum`, for servers that want it (NuGet's).", .remotes = REMOTE_URL},
    {SERVER("absentStatus", PARAMETER_NUMBERS, absent_statuses), .least = 400, .most = 599, .standard = "[]",
     .help = "HTTP statuses besides 404 and 410 that mean \"not here\", as 403 of some object stores.", .remotes = REMOTE_URL},
    {SERVER("timeouts", PARAMETER_TIMEOUTS, timeouts),
     .help = "Limits for the conversation with this server.", .remotes = REMOTE_URL | REMOTE_SHARE},
    {SERVER("breaker", PARAMETER_BREAKER, breaker), .standard_told = "symgate's own rules",
     .help = "When failures make this server rest, or a host that it redirects to, as Microsoft's SymProxy is told it. Without any of these values, or without the object, symgate's own rules count."},

    {TIMEOUT("connect", connect_ms), .least = 1, .standard = "3",
     .help = "Until a connection stands."},
    {TIMEOUT("firstByte", first_byte_ms), .least = 1, .standard = "60",
     .help = "Until the answer begins, from the moment the question has its place. Silence is no harm before that: the next server is asked beside it (hedgeAfter)."},
    {TIMEOUT("stall", stall_ms), .least = 1, .standard = "10",
     .help = "A body that stops for so long is taken up again."},

    {BREAKER("trigger", PARAMETER_TIME, trigger_ms), .standard_told = "10m, where another of these is given",
     .help = "Failures within so long count together; 0: none makes it rest."},
    {BREAKER("count", PARAMETER_NUMBER, count), .most = BREAKER_FAILURES_MAX, .standard_told = "5, where another of these is given",
     .help = "So many failures (no connection, no answer in time, a status 5xx, a reset) make it rest; 0: none does."},
    {BREAKER("blackout", PARAMETER_TIME, blackout_ms), .standard_told = "15m, where another of these is given",
     .help = "It rests for so long, then one question tries it; 0: it does not rest for failures."},
};
/* clang-format on */

const struct parameter *parameters(size_t *out_count) {
    *out_count = sizeof table / sizeof *table;
    return table;
}

const struct parameter *parameter_find(enum parameter_section section, const char *key) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].section == section && strcmp(table[i].key, key) == 0)
            return &table[i];
    return NULL;
}

const char *parameter_suggest(enum parameter_section section, const char *key) {
    const char *nearest = NULL;
    size_t least = strlen(key) / 3 + 2;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].section != section || table[i].alias_of)
            continue;
        size_t distance = text_distance(table[i].key, key);
        if (distance < least) {
            least = distance;
            nearest = table[i].key;
        }
    }
    return nearest;
}
