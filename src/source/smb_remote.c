// SPDX-License-Identifier: MIT
#include "source/smb_remote.h"

#include <string.h>

#include "base/numbers.h"
#include "base/text.h"

enum { PORT_DEFAULT = 445, PORT_MAX = 65535, REMOTE_BYTES = 4096 };

static const char scheme[] = "smb://";
static const char long_prefix[] = "//?/UNC/"; /* Windows's own way around its limit of 260 */

bool smb_remote_is_one(const char *text) {
    return text_starts(text, "\\\\") || text_starts(text, "//") || text_starts_folded(text, scheme);
}

static bool refuse(const char *text, const char *why, struct error *err) {
    char shown[128];
    text_mask_url(shown, sizeof shown, text);
    error_set(err, ERROR_CONFIG, "\"%s\" %s", shown, why);
    return error_hint(err, "Write \\\\server\\share\\directory or smb://server/share/directory.");
}

/* Cuts at the first of `ends`; what follows, or NULL. */
static char *cut(char *text, const char *ends) {
    char *end = strpbrk(text, ends);
    if (!end)
        return NULL;
    *end = '\0';
    return end + 1;
}

static bool decode(char *text) {
    bool well;
    size_t length = text_decode_percent(text, text, strlen(text), &well);
    text[length] = '\0';
    return well && strlen(text) == length;
}

/* [domain;]user[:password] */
static bool read_user(char *text, struct smb_remote *remote) {
    char *password = cut(text, ":");
    char *user = cut(text, ";");
    if (user && (!decode(text) || !text_copy(remote->domain, sizeof remote->domain, text)))
        return false;
    if (!user)
        user = text;
    if (password &&
        (!decode(password) || !text_copy(remote->password, sizeof remote->password, password)))
        return false;
    return decode(user) && text_copy(remote->user, sizeof remote->user, user);
}

/* host, host:port, [address]:port */
static bool read_server(char *text, struct smb_remote *remote) {
    char *port;
    if (text[0] == '[') {
        port = cut(++text, "]");
        if (!port || (port[0] && port[0] != ':'))
            return false;
        port = port[0] ? port + 1 : NULL;
    } else {
        port = cut(text, ":");
    }
    uint64_t number = PORT_DEFAULT;
    if (port && (!number_parse(port, &number) || number == 0 || number > PORT_MAX))
        return false;
    remote->port = (unsigned)number;
    return text[0] && text_copy(remote->host, sizeof remote->host, text);
}

static bool is_component(const char *text) {
    return text[0] && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strpbrk(text, "/\\");
}

/* Joins the components; false for ".." and for what is too long. */
static bool read_directory(char *text, bool encoded, struct smb_remote *remote) {
    size_t length = 0;
    for (char *at = text, *next; at; at = next) {
        next = cut(at, "/\\");
        if (encoded && !decode(at))
            return false;
        if (at[0] == '\0' || strcmp(at, ".") == 0)
            continue;
        if (!is_component(at))
            return false;
        if (length > 0)
            remote->directory[length++] = '/';
        size_t room = sizeof remote->directory - length;
        if (room < 2 || !text_copy(remote->directory + length, room, at))
            return false;
        length += strlen(at);
    }
    return true;
}

static bool read_path(char *path, bool encoded, struct smb_remote *remote) {
    char *directory = cut(path, "/\\");
    if (encoded && !decode(path))
        return false;
    if (!is_component(path) || !text_copy(remote->share, sizeof remote->share, path))
        return false;
    return !directory || read_directory(directory, encoded, remote);
}

static bool read_url(char *text, struct smb_remote *remote) {
    char *path = cut(text, "/");
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        if (!read_user(text, remote))
            return false;
        text = at + 1;
    }
    return path && read_server(text, remote) && read_path(path, true, remote);
}

static bool read_unc(char *text, struct smb_remote *remote) {
    char *path = cut(text, "/\\");
    remote->port = PORT_DEFAULT;
    return path && text[0] && text_copy(remote->host, sizeof remote->host, text) &&
           read_path(path, false, remote);
}

static bool is_long(const char *text) {
    for (size_t i = 0; long_prefix[i]; i++)
        if (long_prefix[i] != (text[i] == '\\' ? '/' : text[i]))
            return false;
    return true;
}

/* What Windows's own spelling has no place for. */
static bool has_login(const char *unc) {
    size_t host = strcspn(unc, "/\\");
    return memchr(unc, '@', host) || memchr(unc, ':', host);
}

bool smb_remote_parse(const char *text, struct smb_remote *out_remote, struct error *err) {
    char copy[REMOTE_BYTES];
    struct smb_remote remote = {0};
    if (!text_copy(copy, sizeof copy, text))
        return refuse(text, "is too long", err);
    bool url = text_starts_folded(text, scheme);
    if (!url && !smb_remote_is_one(text))
        return refuse(text, "is no share", err);
    if (url && strpbrk(text, "?#"))
        return refuse(text, "has a query or fragment", err);
    size_t skip = url ? sizeof scheme - 1 : is_long(text) ? sizeof long_prefix - 1 : 2;
    if (!url && has_login(copy + skip))
        return refuse(text, "has a user or port, which only smb:// can carry", err);
    if (url ? !read_url(copy + skip, &remote) : !read_unc(copy + skip, &remote))
        return refuse(text, "names no server and share", err);
    *out_remote = remote;
    return true;
}

void smb_remote_show(const struct smb_remote *remote, char *out, size_t size) {
    text_format(out, size, "//%s/%s%s%s", remote->host, remote->share,
                remote->directory[0] ? "/" : "", remote->directory);
}
