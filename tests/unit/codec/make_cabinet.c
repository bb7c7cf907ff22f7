// SPDX-License-Identifier: MIT
//
// make_cabinet stored|mszip|lzx IN OUT: makes a cabinet of one file, for tests that stand outside
// of C.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/codec/cabinet_writer.h"

enum { BYTES_MAX = 1 << 30, PIECE_BYTES = 1 << 20 };

static bool read_file(const char *path, struct buffer *out) {
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char *room;
    while ((room = buffer_room(out, PIECE_BYTES)) && !feof(file) && !ferror(file))
        buffer_filled(out, fread(room, 1, PIECE_BYTES, file));
    bool whole = room && !ferror(file);
    fclose(file);
    return whole;
}

static bool write_file(const char *path, const struct buffer *bytes) {
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    bool written = fwrite(bytes->bytes, 1, bytes->length, file) == bytes->length;
    return fclose(file) == 0 && written;
}

static bool method_of(const char *word, struct cabinet_shape *shape) {
    if (strcmp(word, "stored") == 0)
        shape->method = CABINET_STORED;
    else if (strcmp(word, "mszip") == 0)
        shape->method = CABINET_MSZIP;
    else if (strcmp(word, "lzx") == 0)
        *shape = (struct cabinet_shape){.method = CABINET_LZX, .window_bits = 21};
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    struct cabinet_shape shape = {.name = NULL};
    struct buffer plain, made;
    buffer_init(&plain, BYTES_MAX);
    buffer_init(&made, BYTES_MAX);
    if (argc != 4 || !method_of(argv[1], &shape)) {
        fputs("usage: make_cabinet stored|mszip|lzx IN OUT\n", stderr);
        return 2;
    }
    const char *slash = strrchr(argv[2], '/');
    shape.name = slash ? slash + 1 : argv[2];
    bool done = read_file(argv[2], &plain);
    if (done) {
        cabinet_write(&shape, (unsigned char *)plain.bytes, plain.length, &made);
        done = write_file(argv[3], &made);
    }
    if (!done)
        perror("make_cabinet");
    buffer_release(&plain);
    buffer_release(&made);
    return !done;
}
