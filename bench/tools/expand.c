// SPDX-License-Identifier: MIT
//
// What expanding a compressed file costs: by the library alone, and by symgate's decoder around the
// same library. Both read the archive from memory and leave the plain bytes in memory; the library
// does it with as few calls and copies as it allows. Rounds are interleaved. Prints
// `{"bytes": …, "library": […], "symgate": […]}`: the plain size, and each round's processor time
// in seconds.
//
//   bench-expand gzip|zip|mszip|lzx ARCHIVE PLAIN ROUNDS
//
// The archive is trusted: it was made for this, holds one file, and must unfold to PLAIN.
#include <fcntl.h>
#include <mspack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "codec/decoder.h"
#include "codec/feed.h"
#include "symbol/content.h"

#include "wire.h"

struct span {
    unsigned char *bytes;
    size_t length;
};

/* Set before the first round; `out` is as long as `plain`. */
static struct span archive, plain, out;

static void read_whole(const char *path, struct span *span) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        wire_die(path);
    span->length = (size_t)status.st_size;
    span->bytes = malloc(span->length + 1);
    if (span->bytes == NULL)
        wire_die("memory");
    for (size_t at = 0; at < span->length;) {
        ssize_t got = read(fd, span->bytes + at, span->length - at);
        if (got <= 0)
            wire_die(path);
        at += (size_t)got;
    }
    close(fd);
}

/* --- the libraries alone --- */

/* One stream in one call. */
static bool inflate_at_once(int window_bits, size_t from) {
    z_stream stream = {
        .next_in = archive.bytes + from,
        .avail_in = (uInt)(archive.length - from),
        .next_out = out.bytes,
        .avail_out = (uInt)out.length,
    };
    if (inflateInit2(&stream, window_bits) != Z_OK)
        return false;
    int rc = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return rc == Z_STREAM_END;
}

static bool gzip_alone(void) {
    return inflate_at_once(MAX_WBITS + 16, 0);
}

/* With the check sum, which is zlib's as well. */
static bool zip_alone(void) {
    enum { LOCAL_BYTES = 30 };
    size_t data =
        LOCAL_BYTES + (size_t)little_16(archive.bytes + 26) + little_16(archive.bytes + 28);
    return inflate_at_once(-MAX_WBITS, data) &&
           crc32(0, out.bytes, (uInt)out.length) == little_32(archive.bytes + 14);
}

/* Block by block, each with what the one before made as its dictionary. */
static bool mszip_alone(void) {
    enum { FOLDER = 36, BLOCK_HEAD_BYTES = 8, MARK_BYTES = 2 };
    const unsigned char *block = archive.bytes + little_32(archive.bytes + FOLDER);
    unsigned left = little_16(archive.bytes + FOLDER + 4);
    z_stream stream = {.next_out = out.bytes};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    int rc = Z_STREAM_END;
    uInt before = 0;
    for (; left > 0 && rc == Z_STREAM_END; left--) {
        uInt packed = little_16(block + 4);
        uInt unpacked = little_16(block + 6);
        inflateReset(&stream);
        inflateSetDictionary(&stream, stream.next_out - before, before);
        stream.next_in = (z_const Bytef *)block + BLOCK_HEAD_BYTES + MARK_BYTES;
        stream.avail_in = packed - MARK_BYTES;
        stream.avail_out = unpacked;
        rc = inflate(&stream, Z_FINISH);
        before = unpacked;
        block += BLOCK_HEAD_BYTES + packed;
    }
    inflateEnd(&stream);
    return rc == Z_STREAM_END;
}

/* What libmspack opens: the archive to read, or `out` to write. */
struct memory_file {
    struct mspack_file file; /* the first member: it has none of its own */
    const struct span *span;
    size_t at;
};

static struct mspack_file *memory_open(struct mspack_system *system, const char *name, int mode) {
    (void)system;
    (void)name;
    struct memory_file *file = malloc(sizeof *file);
    if (file == NULL)
        return NULL;
    *file = (struct memory_file){.span = mode == MSPACK_SYS_OPEN_READ ? &archive : &out};
    return &file->file;
}

static void memory_close(struct mspack_file *file) {
    free(file);
}

static int memory_read(struct mspack_file *opened, void *bytes, int length) {
    struct memory_file *file = (struct memory_file *)opened;
    size_t left = file->span->length - file->at;
    size_t some = (size_t)length < left ? (size_t)length : left;
    memcpy(bytes, file->span->bytes + file->at, some);
    file->at += some;
    return (int)some;
}

static int memory_write(struct mspack_file *opened, void *bytes, int length) {
    struct memory_file *file = (struct memory_file *)opened;
    if ((size_t)length > file->span->length - file->at)
        return -1;
    memcpy(file->span->bytes + file->at, bytes, (size_t)length);
    file->at += (size_t)length;
    return length;
}

static int memory_seek(struct mspack_file *opened, off_t offset, int mode) {
    struct memory_file *file = (struct memory_file *)opened;
    off_t from = mode == MSPACK_SYS_SEEK_CUR   ? (off_t)file->at
                 : mode == MSPACK_SYS_SEEK_END ? (off_t)file->span->length
                                               : 0;
    if (from + offset < 0 || from + offset > (off_t)file->span->length)
        return -1;
    file->at = (size_t)(from + offset);
    return 0;
}

static off_t memory_tell(struct mspack_file *opened) {
    return (off_t)((struct memory_file *)opened)->at;
}

static void ignore_message(struct mspack_file *file, const char *format, ...) {
    (void)file;
    (void)format;
}

static void *allocate(struct mspack_system *system, size_t bytes) {
    (void)system;
    return malloc(bytes);
}

static void copy_bytes(void *from, void *to, size_t length) {
    memcpy(to, from, length);
}

static bool lzx_alone(void) {
    struct mspack_system system = {
        .open = memory_open,
        .close = memory_close,
        .read = memory_read,
        .write = memory_write,
        .seek = memory_seek,
        .tell = memory_tell,
        .message = ignore_message,
        .alloc = allocate,
        .free = free,
        .copy = copy_bytes,
    };
    struct mscab_decompressor *mspack = mspack_create_cab_decompressor(&system);
    struct mscabd_cabinet *cabinet = mspack ? mspack->open(mspack, "in") : NULL;
    if (cabinet == NULL)
        return false;
    int rc = mspack->extract(mspack, cabinet->files, "out");
    mspack->close(mspack, cabinet);
    mspack_destroy_cab_decompressor(mspack);
    return rc == MSPACK_ERR_OK;
}

/* --- symgate --- */

struct memory_reader {
    struct reader reader;
    size_t at;
};

static ssize_t give(struct reader *reader, void *bytes, size_t length, struct error *err) {
    (void)err;
    struct memory_reader *in = (struct memory_reader *)reader;
    size_t left = archive.length - in->at;
    size_t some = length < left ? length : left;
    memcpy(bytes, archive.bytes + in->at, some);
    in->at += some;
    return (ssize_t)some;
}

static bool is_ready(struct reader *reader) {
    return ((struct memory_reader *)reader)->at < archive.length;
}

struct memory_sink {
    struct decoder_sink sink;
    size_t at;
};

static bool take(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                 struct error *err) {
    (void)more;
    struct memory_sink *into = (struct memory_sink *)sink;
    if (length > out.length - into->at)
        return error_set(err, ERROR_ENCODING, "more came than there should be");
    memcpy(out.bytes + into->at, bytes, length);
    into->at += length;
    return true;
}

static bool by_symgate(void) {
    static const struct reader_ops ops = {.read = give, .ready = is_ready};
    struct memory_reader reader = {.reader.ops = &ops};
    struct memory_sink sink = {.sink.write = take};
    const struct decoder_input in = {
        .coding = decoder_recognise(archive.bytes, archive.length),
        .reader = &reader.reader,
        .size = archive.length,
    };
    struct error err = {0};
    if (decoder_run(&in, &sink.sink, &decoder_default_limits, &err) == DECODER_WHOLE)
        return true;
    fprintf(stderr, "bench-expand: %s\n", err.what);
    return false;
}

/* --- measuring --- */

static double processor_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds of processor; ends the tool when other bytes came. */
static double expand(const char *who, bool (*run)(void)) {
    memset(out.bytes, 0, out.length);
    double begun = processor_s();
    bool whole = run();
    double used = processor_s() - begun;
    if (whole && memcmp(out.bytes, plain.bytes, plain.length) == 0)
        return used;
    fprintf(stderr, "bench-expand: %s does not unfold the archive to its plain bytes\n", who);
    exit(1);
}

static void print_times(const char *name, const double *times, unsigned count) {
    printf(", \"%s\": [", name);
    for (unsigned i = 0; i < count; i++)
        printf("%s%.6f", i ? ", " : "", times[i]);
    printf("]");
}

static bool (*find_library(const char *method))(void) {
    static const struct {
        const char *name;
        bool (*run)(void);
    } libraries[] = {
        {"gzip", gzip_alone}, {"zip", zip_alone}, {"mszip", mszip_alone}, {"lzx", lzx_alone}};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strcmp(method, libraries[i].name) == 0)
            return libraries[i].run;
    return NULL;
}

int main(int argc, char **argv) {
    enum { ROUNDS_MAX = 1000 };
    bool (*library)(void) = argc == 5 ? find_library(argv[1]) : NULL;
    unsigned rounds = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    if (library == NULL || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench-expand gzip|zip|mszip|lzx ARCHIVE PLAIN ROUNDS\n");
        return 2;
    }
    read_whole(argv[2], &archive);
    read_whole(argv[3], &plain);
    out = (struct span){malloc(plain.length + 1), plain.length};
    if (out.bytes == NULL)
        wire_die("memory");
    double alone[ROUNDS_MAX], ours[ROUNDS_MAX];
    for (unsigned n = 0; n <= rounds; n++) { /* the first warms up */
        unsigned at = n > 0 ? n - 1 : 0;
        alone[at] = expand("the library", library);
        ours[at] = expand("symgate", by_symgate);
    }
    printf("{\"bytes\": %zu", plain.length);
    print_times("library", alone, rounds);
    print_times("symgate", ours, rounds);
    printf("}\n");
    return 0;
}
