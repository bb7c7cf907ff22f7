// SPDX-License-Identifier: MIT
#include "smb/share.h"

#include <errno.h>
#include <fcntl.h>
#include <libsmbclient.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "smb/folder.h"
#include "smb/reach.h"
#include "smb/ticket.h"

enum {
    URL_BYTES = 8 * 1024,
    PARTS_MAX = 8,
    ROOT_NAMES_BYTES = 64 * 1024 * 1024,
    FOLDER_NAMES_BYTES = 4 * 1024 * 1024,
};

struct share {
    struct smb_connect how;
    SMBCCTX *context;
    char root[URL_BYTES]; /* its URL, without a slash at its end */
    char shown[SMB_PATH_BYTES];
    enum smb_folding folding;
    struct folder root_folder;
    SMBCFILE *file; /* open, or NULL */
    uint64_t at;    /* where its next read begins */
};

/* --- errors --- */

static enum error_kind kind_of(int why) {
    switch (why) {
    case ETIMEDOUT:
        return ERROR_TIMEOUT;
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOTCONN:
    case EPIPE:
        return ERROR_RESET;
    default:
        return ERROR_DISK;
    }
}

/* The connection could not be made, or the directory is not to be had. */
static bool root_failed(const struct share *share, int why, struct error *err) {
    const char *shown = share->shown;
    switch (why) {
    case EACCES:
    case EPERM:
        error_set(err, ERROR_CONNECT, "\"%s\" does not let %s%s in", shown,
                  share->how.user[0] ? "user " : "guests", share->how.user);
        return error_hint(err, "See that user, password and domain are right, and that the user "
                               "may read the share.");
    case ENOENT:
    case ENODEV:
    case ENOTDIR:
        error_set(err, ERROR_UNMOUNTED, "there is no share or directory \"%s\"", shown);
        return error_hint(err, "See how the share is called and that the directory is there.");
    case EINVAL:
        error_set(err, ERROR_CONNECT, "could not connect to \"%s\"", shown);
        return error_hint(err, "See that the server's name can be resolved and that it speaks "
                               "SMB 2 or 3.");
    default:
        return error_os(err, kind_of(why) == ERROR_DISK ? ERROR_UNMOUNTED : kind_of(why), why,
                        "\"%s\" is not in order", shown);
    }
}

static bool file_failed(const char *doing, const char *path, int why, struct error *err) {
    return error_os(err, kind_of(why), why, "could not %s \"%s\"", doing, path);
}

/* --- the connection --- */

static void give_credentials(SMBCCTX *context, const char *server, const char *share_name,
                             char *group, int group_size, char *user, int user_size, char *password,
                             int password_size) {
    (void)server;
    (void)share_name;
    const struct share *share = smbc_getOptionUserData(context);
    const struct smb_connect *how = &share->how;
    if (how->domain[0])
        text_copy(group, (size_t)group_size, how->domain);
    text_copy(user, (size_t)user_size, how->user[0] ? how->user : "guest");
    text_copy(password, (size_t)password_size, how->password);
}

/* What libsmbclient has to say is told by errno; its log would go to standard error. */
static void drop_log(void *context, int level, const char *line) {
    (void)context;
    (void)level;
    (void)line;
}

static bool is_kerberos(const struct share *share) {
    return share->how.keytab[0] != '\0';
}

static SMBCCTX *make_context(struct share *share) {
    const struct smb_connect *how = &share->how;
    SMBCCTX *context = smbc_new_context();
    if (!context)
        abort();
    smbc_setDebug(context, 0);
    smbc_setLogCallback(context, NULL, drop_log);
    smbc_setOptionUserData(context, share);
    smbc_setFunctionAuthDataWithContext(context, give_credentials);
    smbc_setPort(context, (uint16_t)how->port);
    smbc_setTimeout(context, (int)how->silence_ms);
    smbc_setOptionOneSharePerServer(context, true);
    /* Who is configured is let in as such or not at all. */
    smbc_setOptionNoAutoAnonymousLogin(context, how->user[0] || is_kerberos(share));
    smbc_setOptionUseKerberos(context, is_kerberos(share));
    smbc_setOptionFallbackAfterKerberos(context, false);
    if (smbc_init_context(context))
        return context;
    smbc_free_context(context, true);
    return NULL;
}

static int stat_url(struct share *share, const char *url, struct stat *out_found) {
    errno = 0;
    if (smbc_getFunctionStat(share->context)(share->context, url, out_found) == 0)
        return 0;
    return errno ? errno : EIO;
}

static bool look_at_root(struct share *share, struct stat *out_found, struct error *err) {
    int why = stat_url(share, share->root, out_found);
    if (why == 0 && !S_ISDIR(out_found->st_mode))
        why = ENOTDIR;
    return why == 0 || root_failed(share, why, err);
}

static bool connect_anew(struct share *share, struct error *err) {
    if (share->context)
        smbc_free_context(share->context, true);
    share->context = make_context(share);
    if (!share->context)
        return error_set(err, ERROR_SYSTEM, "libsmbclient could not be set up");
    struct stat found;
    return look_at_root(share, &found, err);
}

/* A new ticket needs a new session: the old one ends with the old ticket. */
static bool keep_ticket(struct share *share, struct error *err) {
    if (!is_kerberos(share))
        return true;
    const struct smb_connect *how = &share->how;
    bool renewed;
    if (!ticket_renew(how->keytab, how->principal, how->tickets, &renewed, err))
        return false;
    return !renewed || !share->context || connect_anew(share, err);
}

/* Appends "/" and each component of a path, encoded. */
static bool append_path(char url[URL_BYTES], const char *path) {
    size_t length = strlen(url);
    if (!path[0])
        return true;
    if (length + 2 > URL_BYTES)
        return false;
    url[length] = '/';
    return text_encode_percent(url + length + 1, URL_BYTES - length - 1, path, "/");
}

static bool name_root(struct share *share) {
    const struct smb_connect *how = &share->how;
    bool v6 = strchr(how->host, ':') != NULL;
    text_format(share->shown, sizeof share->shown, "//%s/%s%s%s", how->host, how->share,
                how->directory[0] ? "/" : "", how->directory);
    return text_format(share->root, URL_BYTES, v6 ? "smb://[%s]" : "smb://%s", how->host) &&
           append_path(share->root, how->share) && append_path(share->root, how->directory);
}

static void share_free(struct share *share) {
    if (share->context)
        smbc_free_context(share->context, true);
    folder_release(&share->root_folder);
    free(share);
}

struct share *share_new(const struct smb_connect *how, struct error *err) {
    struct share *share = NEW(struct share);
    share->how = *how;
    share->folding = (enum smb_folding)how->folding;
    folder_init(&share->root_folder, ROOT_NAMES_BYTES);
    if (is_kerberos(share))
        setenv("KRB5CCNAME", how->tickets, 1);
    if (!name_root(share))
        error_set(err, ERROR_CONFIG, "the path of the share is too long");
    else if (reach(how->host, (unsigned)how->port, (int64_t)how->connect_ms, err) &&
             keep_ticket(share, err) && connect_anew(share, err))
        return share;
    share_free(share);
    return NULL;
}

enum smb_folding share_folding(const struct share *share) {
    return share->folding;
}

/* --- looking for a file --- */

/* The parts of a path, and as much of it as has been found. */
struct walk {
    struct share *share;
    char asked[SMB_PATH_BYTES]; /* the parts lie in here */
    const char *parts[PARTS_MAX];
    unsigned count;
    char url[URL_BYTES]; /* found so far */
};

static enum share_found walk_on(struct walk *walk, unsigned depth, struct error *err);

static enum share_found open_url(struct share *share, const char *url, const char *shown,
                                 struct error *err) {
    errno = 0;
    SMBCFILE *file = smbc_getFunctionOpen(share->context)(share->context, url, O_RDONLY, 0);
    if (file) {
        share->file = file;
        share->at = 0;
        return SHARE_FOUND;
    }
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
        return SHARE_ABSENT;
    file_failed("open", shown, errno, err);
    return SHARE_FAILED;
}

static enum share_found walk_into(struct walk *walk, unsigned depth, const char *name,
                                  struct error *err) {
    size_t before = strlen(walk->url);
    if (!append_path(walk->url, name)) {
        walk->url[before] = '\0';
        return SHARE_ABSENT;
    }
    enum share_found found = depth + 1 == walk->count ? open_url(walk->share, walk->url, name, err)
                                                      : walk_on(walk, depth + 1, err);
    walk->url[before] = '\0';
    return found;
}

static bool find_names(struct walk *walk, unsigned depth, struct folder_matches *out_matches,
                       struct error *err) {
    struct share *share = walk->share;
    if (depth == 0) {
        folder_find(&share->root_folder, walk->parts[0], out_matches);
        return true;
    }
    CLEANUP(folder_release) struct folder folder;
    struct stat untold = {0};
    folder_init(&folder, FOLDER_NAMES_BYTES);
    if (!folder_read(&folder, share->context, walk->url, &untold, err))
        return false;
    folder_find(&folder, walk->parts[depth], out_matches);
    return true;
}

static enum share_found walk_on(struct walk *walk, unsigned depth, struct error *err) {
    struct folder_matches matches;
    if (!find_names(walk, depth, &matches, err))
        return SHARE_FAILED;
    for (unsigned i = 0; i < matches.count; i++) {
        enum share_found found = walk_into(walk, depth, matches.names[i], err);
        if (found != SHARE_ABSENT)
            return found;
    }
    return SHARE_ABSENT;
}

/* Cuts the path at its slashes. False for what no server can have: SMB gives some characters a
   meaning, among them the colon (a stream of a file) and the wildcards. */
static bool split(struct walk *walk, const char *path) {
    text_copy(walk->asked, sizeof walk->asked, path);
    for (const char *at = path; *at; at++)
        if ((unsigned char)*at < ' ' || strchr("\\:*?\"<>|", *at))
            return false;
    for (char *at = walk->asked; at; walk->count++) {
        const char *part = at;
        at = strchr(at, '/');
        if (at)
            *at++ = '\0';
        if (walk->count == PARTS_MAX || part[0] == '\0' || strcmp(part, ".") == 0 ||
            strcmp(part, "..") == 0)
            return false;
        walk->parts[walk->count] = part;
    }
    return true;
}

/* A server that answers to a name in the other case as well needs no listings. */
static void learn_folding(struct share *share) {
    const char *name = folder_name_to_try(&share->root_folder);
    char swapped[FOLDER_NAME_BYTES];
    char url[URL_BYTES];
    if (!name)
        return;
    text_copy(swapped, sizeof swapped, name);
    folder_swap_case(swapped);
    text_copy(url, sizeof url, share->root);
    struct stat found;
    int why = append_path(url, swapped) ? stat_url(share, url, &found) : EIO;
    if (why == 0)
        share->folding = SMB_FOLDS;
    if (why == ENOENT)
        share->folding = SMB_FOLDS_NOT;
}

/* The exact path is not there; is the root, and does another spelling lead to the file? */
static enum share_found find_spelled(struct walk *walk, struct error *err) {
    struct share *share = walk->share;
    struct stat root;
    if (!look_at_root(share, &root, err))
        return SHARE_FAILED;
    if (share->folding == SMB_FOLDS)
        return SHARE_ABSENT;
    if (!folder_read(&share->root_folder, share->context, share->root, &root, err))
        return SHARE_FAILED;
    if (share->folding == SMB_FOLDING_UNKNOWN)
        learn_folding(share);
    if (share->folding == SMB_FOLDS)
        return SHARE_ABSENT;
    return walk_on(walk, 0, err);
}

enum share_found share_open(struct share *share, const char *path, struct error *err) {
    share_close(share);
    if (!keep_ticket(share, err))
        return SHARE_FAILED;
    CLEANUP(free_block) struct walk *walk = NEW(struct walk);
    walk->share = share;
    text_copy(walk->url, sizeof walk->url, share->root);
    size_t root_length = strlen(walk->url);
    if (!split(walk, path) || !append_path(walk->url, path)) {
        struct stat root;
        return look_at_root(share, &root, err) ? SHARE_ABSENT : SHARE_FAILED;
    }
    enum share_found found = open_url(share, walk->url, path, err);
    walk->url[root_length] = '\0';
    return found == SHARE_ABSENT ? find_spelled(walk, err) : found;
}

/* --- the open file --- */

bool share_look(struct share *share, struct smb_opened *out_opened, struct error *err) {
    struct stat found;
    if (!share->file)
        return error_set(err, ERROR_INVALID, "no file is open");
    if (smbc_getFunctionFstat(share->context)(share->context, share->file, &found) != 0)
        return file_failed("look at", "the open file", errno, err);
    int64_t modified_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
    *out_opened = (struct smb_opened){.size = (uint64_t)found.st_size,
                                      .modified_ns = modified_ns > 0 ? (uint64_t)modified_ns : 0,
                                      .folding = share->folding};
    return true;
}

ssize_t share_read(struct share *share, void *bytes, size_t length, uint64_t offset,
                   struct error *err) {
    SMBCCTX *context = share->context;
    size_t got = 0;
    if (!share->file) {
        error_set(err, ERROR_INVALID, "no file is open");
        return -1;
    }
    if (offset != share->at &&
        smbc_getFunctionLseek(context)(context, share->file, (off_t)offset, SEEK_SET) < 0) {
        file_failed("read", "the open file", errno, err);
        return -1;
    }
    share->at = offset;
    while (got < length) {
        ssize_t more =
            smbc_getFunctionRead(context)(context, share->file, (char *)bytes + got, length - got);
        if (more < 0) {
            file_failed("read", "the open file", errno, err);
            return -1;
        }
        if (more == 0)
            break;
        got += (size_t)more;
        share->at += (uint64_t)more;
    }
    return (ssize_t)got;
}

void share_close(struct share *share) {
    if (share->file)
        smbc_getFunctionClose(share->context)(share->context, share->file);
    share->file = NULL;
}
