// SPDX-License-Identifier: MIT
//
// A file in a shelf's staging room: made, put in its place, or thrown away. It holds on to the root
// it was made under, so that it never lands in another directory than the one it was begun for.
// Everything here may block.
#pragma once

#include "store/shelf.h"
#include "store/shelf_root.h"

enum { SHELF_FILE_NAME = 40 };

struct shelf_file {
    struct shelf_root *root; /* NULL: no file */
    int fd;
    char name[SHELF_FILE_NAME]; /* in the staging room; empty once it is kept or thrown away */
};

/* Makes an empty file; fails when the shelf cannot be written to, or when `size` more bytes
   (SIZE_UNKNOWN: none) would leave less free space than is to be left. */
bool shelf_stage(struct shelf *shelf, uint64_t size, struct shelf_file *out_file,
                 struct error *err) MUST_CHECK;

/* Can a key's file be put in its place? (store/shelf_place.h) */
bool shelf_has_place(struct shelf *shelf, const struct symbol_key *key,
                     struct error *err) MUST_CHECK;

/* May that many bytes more be written? */
bool shelf_has_room(struct shelf *shelf, const struct shelf_root *root, uint64_t bytes,
                    struct error *err) MUST_CHECK;

/* Writes beside a file (in an attribute of its own, where the file system has such) whose file it
   is; whoever replaces the file does away with it. */
void shelf_sign(int fd, const char *source);

/* What was written there; "": nothing. */
void shelf_signature(int fd, char *out, size_t size);

/* Moves the file, which must be synced, to its path below the root, replacing what is there, and
   syncs the directory. */
bool shelf_keep(struct shelf *shelf, struct shelf_file *file, const char *path,
                struct error *err) MUST_CHECK;

/* Removes the file if it was not kept, and closes it. */
void shelf_drop(struct shelf_file *file);
