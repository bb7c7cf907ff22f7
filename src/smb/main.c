// SPDX-License-Identifier: MIT
//
// symgate-smb: reads one share for symgate (smb/protocol.h) and ends with the socket. A program of
// its own because libsmbclient is neither thread-safe nor free of the GPL.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "smb/share.h"

enum { SOCKET = 3 }; /* what symgate leaves open for us */

static struct share *share;
static unsigned char *data; /* of DATA, head included */

/* The other side is gone: there is nothing to do any more, even where the server keeps us waiting.
 */
static void *watch(void *nothing) {
    struct pollfd socket = {.fd = SOCKET, .events = POLLRDHUP};
    while (poll(&socket, 1, -1) < 0 && errno == EINTR)
        ;
    _exit(0);
    return nothing;
}

/* False: the other side is gone. */
static bool receive(void *bytes, size_t length) {
    for (char *at = bytes; length > 0;) {
        ssize_t got = recv(SOCKET, at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        length -= (size_t)got;
    }
    return true;
}

static bool send_all(const void *bytes, size_t length) {
    for (const char *at = bytes; length > 0;) {
        ssize_t sent = send(SOCKET, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer(const struct smb_message *message) {
    unsigned char bytes[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX];
    return send_all(bytes, smb_message_write(message, bytes));
}

static bool answer_failed(const struct error *err) {
    struct smb_message message;
    smb_failed_write(err, &message);
    return answer(&message);
}

static bool answer_connect(const struct smb_connect *how) {
    struct error err = {0};
    if (how->version != SMB_VERSION) {
        error_set(&err, ERROR_CONFIG, "symgate-smb and symgate are not of one version");
        error_hint(&err, "Install both from the same build.");
        return answer_failed(&err);
    }
    if (share)
        return false;
    share = share_new(how, &err);
    return share ? answer(&(struct smb_message){.type = SMB_CONNECTED}) : answer_failed(&err);
}

static bool answer_opened(void) {
    struct error err = {0};
    struct smb_message message = {.type = SMB_OPENED};
    return share_look(share, &message.opened, &err) ? answer(&message) : answer_failed(&err);
}

static bool answer_look(void) {
    struct error err = {0};
    struct smb_message message = {.type = SMB_OPENED};
    return share_close_and_look(share, &message.opened, &err) ? answer(&message)
                                                              : answer_failed(&err);
}

static bool answer_open(const char *path) {
    struct error err = {0};
    switch (share_open(share, path, &err)) {
    case SHARE_FOUND:
        return answer_opened();
    case SHARE_ABSENT:
        return answer(
            &(struct smb_message){.type = SMB_ABSENT, .absent = {.folding = share_folding(share)}});
    case SHARE_FAILED:
        break;
    }
    return answer_failed(&err);
}

static bool answer_read(const struct smb_read *part) {
    struct error err = {0};
    ssize_t got =
        share_read(share, data + SMB_HEAD_BYTES, (size_t)part->length, part->offset, &err);
    if (got < 0)
        return answer_failed(&err);
    struct smb_head head = {.type = SMB_DATA, .length = (size_t)got};
    smb_head_write(&head, data);
    return send_all(data, SMB_HEAD_BYTES + (size_t)got);
}

static bool answer_close(void) {
    share_close(share);
    return answer(&(struct smb_message){.type = SMB_CLOSED});
}

/* False: nothing that may be asked now, or nobody hears the answer. */
static bool answer_to(const struct smb_message *message) {
    if (message->type == SMB_CONNECT)
        return answer_connect(&message->connect);
    if (!share)
        return false;
    switch (message->type) {
    case SMB_OPEN:
        return answer_open(message->open.path);
    case SMB_READ:
        return answer_read(&message->read);
    case SMB_LOOK:
        return answer_look();
    case SMB_CLOSE:
        return answer_close();
    case SMB_CONNECT:
    case SMB_CONNECTED:
    case SMB_OPENED:
    case SMB_ABSENT:
    case SMB_DATA:
    case SMB_CLOSED:
    case SMB_FAILED:
    case SMB_TYPE_COUNT:
        break;
    }
    return false;
}

static bool answer_next(void) {
    unsigned char bytes[SMB_FIELDS_BYTES_MAX];
    struct smb_head head;
    struct smb_message message;
    return receive(bytes, SMB_HEAD_BYTES) && smb_head_read(bytes, &head) &&
           head.length <= sizeof bytes && receive(bytes, head.length) &&
           smb_message_read(&head, bytes, &message) && answer_to(&message);
}

int main(void) {
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        fputs("symgate-smb is started by symgate, to read a share\n", stderr);
        return 2;
    }
    /* Bodies under way outlive a stop; a core would hold passwords. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, watch, NULL) != 0)
        return 1;
    data = memory_new(SMB_HEAD_BYTES + SMB_DATA_BYTES_MAX);
    while (answer_next())
        ;
    /* Not exit: libsmbclient would say goodbye to a server that may not answer. */
    _exit(0);
}
