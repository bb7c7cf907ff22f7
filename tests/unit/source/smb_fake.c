// SPDX-License-Identifier: MIT
//
// A symgate-smb that knows no server and misbehaves on demand: the share's name says how. What it
// is told at CONNECT it writes down, a line each, in the file that the directory names.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "smb/protocol.h"
#include "unit/source/smb_fake.h"

enum { SOCKET = 3 };

static struct smb_connect how;
static unsigned opens;
static unsigned reads;

static void send_all(const void *bytes, size_t length) {
    for (const char *at = bytes; length > 0;) {
        ssize_t sent = send(SOCKET, at, length, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(1);
        at += sent;
        length -= (size_t)sent;
    }
}

static void receive(void *bytes, size_t length) {
    for (char *at = bytes; length > 0;) {
        ssize_t got = recv(SOCKET, at, length, 0);
        if (got <= 0)
            _exit(0);
        at += got;
        length -= (size_t)got;
    }
}

static void answer(const struct smb_message *message) {
    unsigned char bytes[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX];
    send_all(bytes, smb_message_write(message, bytes));
}

static bool mode(const char *name) {
    return strcmp(how.share, name) == 0;
}

/* Until the other side has had enough. */
static void be_silent(void) {
    char byte;
    while (recv(SOCKET, &byte, 1, 0) > 0)
        ;
    _exit(0);
}

static void fail(enum error_kind kind, const char *what) {
    struct error err = {0};
    struct smb_message message;
    error_set(&err, kind, "%s", what);
    smb_failed_write(&err, &message);
    answer(&message);
}

static void write_down(void) {
    CLEANUP(free_block) char *path = NULL;
    if (how.directory[0] == '\0' || asprintf(&path, "/%s", how.directory) < 0)
        return;
    FILE *file = fopen(path, "ae");
    if (!file)
        _exit(2);
    fprintf(file, "%s|%s|%s|%s|%s|%u\n", how.host, how.user, how.domain, how.password, how.keytab,
            (unsigned)how.folding);
    fclose(file);
}

static void at_connect(void) {
    write_down();
    if (mode("silent-connect"))
        be_silent();
    if (mode("refuses"))
        fail(ERROR_CONNECT, "does not let user in");
    else if (mode("wrong"))
        answer(&(struct smb_message){.type = SMB_CLOSED});
    else if (mode("garbage"))
        send_all("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    else
        answer(&(struct smb_message){.type = SMB_CONNECTED});
}

static void say_opened(bool again) {
    struct smb_opened opened = {
        .size = SMB_FAKE_SIZE, .modified_ns = SMB_FAKE_MODIFIED_NS, .folding = SMB_FOLDS};
    if (again && mode("changes"))
        opened.modified_ns++;
    if (again && mode("grows"))
        opened.size++;
    answer(&(struct smb_message){.type = SMB_OPENED, .opened = opened});
}

static void at_open(const char *path) {
    opens++;
    if (mode("silent-open"))
        be_silent();
    if (mode("dies-open") || (mode("dies-second-open") && opens == 2))
        _exit(0);
    if (mode("fails-open"))
        fail(ERROR_DISK, "could not open it");
    else if (strncmp(path, "absent", 6) == 0)
        answer(&(struct smb_message){.type = SMB_ABSENT, .absent = {.folding = SMB_FOLDS_NOT}});
    else
        say_opened(false);
}

static void at_read(const struct smb_read *part) {
    static unsigned char data[SMB_HEAD_BYTES + SMB_DATA_BYTES_MAX + 1];
    size_t length = (size_t)part->length;
    reads++;
    if (reads == 2 && mode("dies-read"))
        abort();
    if (reads == 2 && mode("silent-read"))
        be_silent();
    if (reads == 2 && mode("fails-read")) {
        fail(ERROR_RESET, "the connection broke");
        return;
    }
    if (reads == 2 && mode("cuts"))
        length /= 2;
    if (mode("long"))
        length++;
    for (size_t i = 0; i < length; i++)
        data[SMB_HEAD_BYTES + i] = smb_fake_byte(part->offset + i);
    struct smb_head head = {.type = SMB_DATA, .length = length};
    smb_head_write(&head, data);
    send_all(data, SMB_HEAD_BYTES + length);
}

static void answer_next(void) {
    unsigned char bytes[SMB_FIELDS_BYTES_MAX];
    struct smb_head head;
    struct smb_message message;
    receive(bytes, SMB_HEAD_BYTES);
    if (!smb_head_read(bytes, &head) || head.type == SMB_DATA)
        _exit(3);
    receive(bytes, head.length);
    if (!smb_message_read(&head, bytes, &message))
        _exit(3);
    if (message.type == SMB_CONNECT) {
        how = message.connect;
        at_connect();
    } else if (message.type == SMB_OPEN) {
        at_open(message.open.path);
    } else if (message.type == SMB_READ) {
        at_read(&message.read);
    } else if (message.type == SMB_LOOK) {
        say_opened(true);
    } else if (message.type == SMB_CLOSE) {
        answer(&(struct smb_message){.type = SMB_CLOSED});
    } else {
        _exit(3);
    }
}

int main(void) {
    for (;;)
        answer_next();
}
