// SPDX-License-Identifier: MIT
//
// How symgate and its helper symgate-smb speak to each other over a socket. A helper serves one
// share and has at most one file open; it answers each question in the order in which they came.
//
//   symgate          symgate-smb
//   CONNECT          CONNECTED or FAILED    first, and once
//   OPEN             OPENED, ABSENT or FAILED
//   READ             DATA or FAILED         DATA shorter than asked for: the file ends there
//   LOOK             OPENED or FAILED       closes the file; its size and time as they are then
//   CLOSE            CLOSED                 may follow without an open file
//
// A message is a head of 8 bytes (length of what follows in 4, type in 1, then 3 zeros) and its
// fields in the order of the table in protocol.c: numbers of 8 bytes, texts with their length in 2.
// Little-endian. What follows the head of DATA are the file's own bytes. The first field of CONNECT
// is the version; a helper of another version says FAILED, whose fields never change. Whoever gets
// something else than it may expect, closes. Passwords go this way only: never by arguments or
// environment. Pure; no I/O.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    SMB_VERSION = 1,
    SMB_HEAD_BYTES = 8,
    SMB_FIELDS_BYTES_MAX = 8 * 1024,
    SMB_DATA_BYTES_MAX = 1024 * 1024,
    SMB_WORD_BYTES = 256, /* a host, a user, a password … */
    SMB_PATH_BYTES = 1024,
    SMB_KIND_BYTES = 24,
};

enum smb_type {
    SMB_CONNECT,
    SMB_OPEN,
    SMB_READ,
    SMB_LOOK,
    SMB_CLOSE,
    SMB_CONNECTED,
    SMB_OPENED,
    SMB_ABSENT,
    SMB_DATA,
    SMB_CLOSED,
    SMB_FAILED,
    SMB_TYPE_COUNT
};

/* Does the server itself pass over the case of names? Found out once, then told to other helpers.
 */
enum smb_folding { SMB_FOLDING_UNKNOWN, SMB_FOLDS, SMB_FOLDS_NOT, SMB_FOLDING_COUNT };

struct smb_connect {
    uint64_t version;
    uint64_t port;
    uint64_t connect_ms; /* limit for the connection alone */
    uint64_t silence_ms; /* limit for each answer of the server */
    uint64_t folding;    /* enum smb_folding, as far as known */
    char host[SMB_WORD_BYTES];
    char share[SMB_WORD_BYTES];
    char directory[SMB_PATH_BYTES]; /* below the share, or empty; slashes between components */
    char user[SMB_WORD_BYTES];      /* empty: a guest */
    char domain[SMB_WORD_BYTES];
    char password[SMB_WORD_BYTES];
    char principal[SMB_WORD_BYTES]; /* empty: the first of the keytab */
    char keytab[SMB_PATH_BYTES];    /* empty: no Kerberos */
    char tickets[SMB_PATH_BYTES];   /* the file where the ticket is kept */
};

struct smb_open {
    char path[SMB_PATH_BYTES]; /* below the directory, slashes between components */
};

struct smb_read {
    uint64_t offset;
    uint64_t length; /* at most SMB_DATA_BYTES_MAX */
};

struct smb_opened {
    uint64_t size;
    uint64_t modified_ns; /* since 1970, by the server's clock */
    uint64_t folding;
};

struct smb_absent {
    uint64_t folding;
};

struct smb_failed {
    uint64_t os;
    char kind[SMB_KIND_BYTES]; /* its name */
    char what[sizeof((struct error *)NULL)->what];
    char hint[sizeof((struct error *)NULL)->hint];
};

struct smb_message {
    enum smb_type type;
    union {
        struct smb_connect connect;
        struct smb_open open;
        struct smb_read read;
        struct smb_opened opened;
        struct smb_absent absent;
        struct smb_failed failed;
    };
};

struct smb_head {
    enum smb_type type;
    size_t length; /* of what follows */
};

/* Writes a head. */
void smb_head_write(const struct smb_head *head, unsigned char out[SMB_HEAD_BYTES]);

/* Reads a head; false for an unknown type, a length that this type cannot have, or bytes that
   should be zero and are not. */
bool smb_head_read(const unsigned char bytes[SMB_HEAD_BYTES], struct smb_head *out_head) MUST_CHECK;

/* Writes a message other than DATA, head included; its length. Texts end with NUL. */
size_t smb_message_write(const struct smb_message *message,
                         unsigned char out[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX]);

/* Reads what follows the head of a message other than DATA; false when it is not exactly its
   fields. A CONNECT of another version is read no further than that. */
bool smb_message_read(const struct smb_head *head, const unsigned char *bytes,
                      struct smb_message *out_message) MUST_CHECK;

/* Makes FAILED of an error, and an error of FAILED. */
void smb_failed_write(const struct error *err, struct smb_message *out_message);
void smb_failed_read(const struct smb_failed *failed, struct error *err);
