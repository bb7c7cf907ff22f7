// SPDX-License-Identifier: MIT
#include "source/smb_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

enum { SOCKET = 3, PATH_BYTES = 4096 };

struct smb_helper {
    pid_t pid; /* 0: it has been waited for */
    int socket;
    int wake; /* an eventfd: the cancel was raised */
};

/* --- the process --- */

bool smb_helper_find(char *out_path, size_t size, struct error *err) {
    static const char *const places[] = {"symgate-smb", "../libexec/symgate/symgate-smb",
                                         "../lib/symgate/symgate-smb"};
    char own[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length < 0)
        return error_os(err, ERROR_SYSTEM, errno, "could not find out where this program is");
    own[length] = '\0';
    char *slash = strrchr(own, '/');
    if (slash)
        *slash = '\0';
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (files_join(out_path, size, own, places[i]) && access(out_path, X_OK) == 0)
            return true;
    error_set(err, ERROR_SYSTEM, "symgate-smb, which reads shares, is not installed");
    return error_hint(err, "Install symgate-smb: it is built where libsmbclient-dev and "
                           "libkrb5-dev are.");
}

/* Actions and attributes, released together. */
struct birth {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

static void birth_release(struct birth *birth) {
    posix_spawn_file_actions_destroy(&birth->actions);
    posix_spawnattr_destroy(&birth->attributes);
}

static int spawn(pid_t *out_pid, const char *path, const char *shown, int socket) {
    CLEANUP(birth_release) struct birth birth;
    posix_spawn_file_actions_init(&birth.actions);
    posix_spawnattr_init(&birth.attributes);
    posix_spawn_file_actions_addopen(&birth.actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&birth.actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&birth.actions, socket, SOCKET);
    posix_spawn_file_actions_addclosefrom_np(&birth.actions, SOCKET + 1);
    /* Our threads block all signals, and what the terminal sends is for us alone. */
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&birth.attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&birth.attributes, &signals);
    posix_spawnattr_setflags(&birth.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char name[] = "symgate-smb";
    CLEANUP(free_block) char *argument = memory_text(shown);
    char *arguments[] = {name, argument, NULL};
    return posix_spawn(out_pid, path, &birth.actions, &birth.attributes, arguments, environ);
}

struct smb_helper *smb_helper_start(const char *path, const char *shown, struct error *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        error_os(err, ERROR_SYSTEM, errno, "could not make a socket for symgate-smb");
        return NULL;
    }
    CLEANUP(close_fd) int ours = pair[0];
    CLEANUP(close_fd) int theirs = pair[1];
    CLEANUP(close_fd) int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pid_t pid = 0;
    int why = wake < 0 ? errno : spawn(&pid, path, shown, theirs);
    if (why != 0) {
        error_os(err, ERROR_SYSTEM, why, "could not start \"%s\"", path);
        return NULL;
    }
    struct smb_helper *helper = NEW(struct smb_helper);
    helper->pid = pid;
    helper->socket = TAKE_FD(ours);
    helper->wake = TAKE_FD(wake);
    return helper;
}

/* Kills and reaps; what waitpid said. */
static int reap(struct smb_helper *helper) {
    int status = 0;
    kill(helper->pid, SIGKILL);
    while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
        ;
    helper->pid = 0;
    return status;
}

void smb_helper_end(struct smb_helper *helper) {
    if (!helper)
        return;
    if (helper->pid != 0)
        reap(helper);
    close(helper->socket);
    close(helper->wake);
    free(helper);
}

/* The socket ended. */
static bool gone(struct smb_helper *helper, struct error *err) {
    int status = helper->pid != 0 ? reap(helper) : 0;
    if (WIFSIGNALED(status))
        return error_set(err, ERROR_RESET, "symgate-smb ended by signal %d", WTERMSIG(status));
    return error_set(err, ERROR_RESET, "symgate-smb ended");
}

static bool breach(struct error *err) {
    error_set(err, ERROR_CONFIG, "symgate-smb gave no answer to what it was asked");
    return error_hint(err, "Install symgate and symgate-smb from the same build.");
}

/* --- the socket --- */

bool smb_helper_send(struct smb_helper *helper, const struct smb_message *message,
                     struct error *err) {
    unsigned char bytes[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX];
    size_t length = smb_message_write(message, bytes);
    /* A helper that has not taken the few questions before does not take this one either. */
    ssize_t sent = send(helper->socket, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent == (ssize_t)length || gone(helper, err);
}

static void wake_up(void *helper_given) {
    const struct smb_helper *helper = helper_given;
    ssize_t written = write(helper->wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; /* full: it is awake */
}

static int poll_both(struct smb_helper *helper, const struct smb_patience *patience,
                     int64_t left_ms) {
    struct pollfd waits[] = {{.fd = helper->socket, .events = POLLIN},
                             {.fd = helper->wake, .events = POLLIN}};
    if (patience->cancel)
        cancel_attach(patience->cancel, wake_up, helper);
    int ready = poll(waits, 2, left_ms > 0 ? (int)left_ms : 0);
    int why = errno;
    if (patience->cancel)
        cancel_detach(patience->cancel);
    uint64_t wakes;
    ssize_t drained = read(helper->wake, &wakes, sizeof wakes);
    (void)drained;
    errno = why;
    return ready;
}

/* Until something can be received. */
static bool await(struct smb_helper *helper, const struct smb_patience *patience,
                  struct error *err) {
    for (;;) {
        int64_t left_ms = patience->deadline_ms - clock_ms();
        int ready = poll_both(helper, patience, left_ms < INT32_MAX ? left_ms : INT32_MAX);
        if (patience->cancel && cancel_raised(patience->cancel))
            return error_set(err, ERROR_CANCELLED, "nobody needs the file any more");
        if (ready > 0 && smb_helper_ready(helper))
            return true;
        if (ready < 0 && errno != EINTR)
            return error_os(err, ERROR_SYSTEM, errno, "could not wait for symgate-smb");
        if (patience->deadline_ms <= clock_ms())
            return error_set(err, patience->silence, "the share's server stayed silent");
    }
}

bool smb_helper_ready(const struct smb_helper *helper) {
    struct pollfd look = {.fd = helper->socket, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

ssize_t smb_helper_receive_bytes(struct smb_helper *helper, const struct smb_patience *patience,
                                 void *bytes, size_t length, struct error *err) {
    for (;;) {
        ssize_t got = recv(helper->socket, bytes, length, MSG_DONTWAIT);
        if (got > 0)
            return got;
        if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            gone(helper, err);
            return -1;
        }
        if (!await(helper, patience, err))
            return -1;
    }
}

static bool receive_all(struct smb_helper *helper, const struct smb_patience *patience,
                        unsigned char *bytes, size_t length, struct error *err) {
    while (length > 0) {
        ssize_t got = smb_helper_receive_bytes(helper, patience, bytes, length, err);
        if (got < 0)
            return false;
        bytes += got;
        length -= (size_t)got;
    }
    return true;
}

static bool receive_head(struct smb_helper *helper, const struct smb_patience *patience,
                         struct smb_head *out_head, struct error *err) {
    unsigned char bytes[SMB_HEAD_BYTES];
    if (!receive_all(helper, patience, bytes, sizeof bytes, err))
        return false;
    return smb_head_read(bytes, out_head) || breach(err);
}

static bool receive_fields(struct smb_helper *helper, const struct smb_patience *patience,
                           const struct smb_head *head, struct smb_message *out_message,
                           struct error *err) {
    unsigned char bytes[SMB_FIELDS_BYTES_MAX];
    if (head->type == SMB_DATA)
        return breach(err);
    if (!receive_all(helper, patience, bytes, head->length, err))
        return false;
    return smb_message_read(head, bytes, out_message) || breach(err);
}

bool smb_helper_receive(struct smb_helper *helper, const struct smb_patience *patience,
                        struct smb_message *out_message, struct error *err) {
    struct smb_head head;
    return receive_head(helper, patience, &head, err) &&
           receive_fields(helper, patience, &head, out_message, err);
}

bool smb_helper_receive_data(struct smb_helper *helper, const struct smb_patience *patience,
                             size_t *out_length, struct error *err) {
    struct smb_head head;
    if (!receive_head(helper, patience, &head, err))
        return false;
    *out_length = head.length;
    if (head.type == SMB_DATA)
        return true;
    struct smb_message message;
    if (!receive_fields(helper, patience, &head, &message, err))
        return false;
    if (message.type != SMB_FAILED)
        return breach(err);
    smb_failed_read(&message.failed, err);
    return false;
}
