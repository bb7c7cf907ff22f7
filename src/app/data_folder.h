// SPDX-License-Identifier: MIT
//
// The data folder: held by one symgate at a time. In it: "lock" (with the pid), "key" (the secret
// of hashes that are kept), "format" (the version of everything in the folder), "symgate.run"
// (where the running server listens), and what other modules put there.
#pragma once

#include "base/error.h"
#include "base/hash.h"

struct data_folder {
    char *path;
    int root_fd;
    int lock_fd;
    struct hash_key key;
};

enum { DATA_FORMAT = 1 };

/* Creates what is missing and takes the lock. Fails when another symgate has it (err names its pid)
   or the folder was written by a newer version. */
bool data_folder_open(struct data_folder *folder, const char *path, struct error *err) MUST_CHECK;

/* Gives the lock back. */
void data_folder_close(struct data_folder *folder);

/* Notes under which URL the server is reached. False with err: then none is noted. */
bool data_folder_announce(struct data_folder *folder, const char *url,
                          struct error *err) MUST_CHECK;

/* Nobody is reached any more. */
void data_folder_withdraw(struct data_folder *folder);

/* The key of a data folder, which is neither taken nor made. False: there is none. */
bool data_folder_read_key(const char *path, struct hash_key *out_key);

/* Has a server the lock of a data folder? The lock is tried for an instant and not kept; true where
   that cannot be told. */
bool data_folder_is_held(const char *path);

/* The URL that a server has announced in a data folder; false when none has. One that was killed
   has left its URL behind: whoever asks there finds nobody. */
bool data_folder_find_server(const char *path, char *out_url, size_t size,
                             struct error *err) MUST_CHECK;
