// SPDX-License-Identifier: MIT
//
// What other programs make: gcab's cabinets, gzip's files, the archives of Python's zipfile.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit/base/scratch.h"
#include "unit/codec/bench.h"

enum { COMMAND_BYTES = 1024, PLAIN_BYTES = 200000 };

struct room {
    char *folder;
    struct bytes plain; /* what lies in "foo.pdb" */
};

static int setup(void **state) {
    struct room *room = NEW(struct room);
    room->folder = scratch_new();
    room->plain = bytes_words(PLAIN_BYTES, 1);
    CLEANUP(free_block) char *path = scratch_path(room->folder, "foo.pdb");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(room->plain.bytes, 1, room->plain.length, file), room->plain.length);
    assert_int_equal(fclose(file), 0);
    *state = room;
    return 0;
}

static int teardown(void **state) {
    struct room *room = *state;
    bytes_release(&room->plain);
    scratch_free(room->folder);
    free(room);
    return 0;
}

/* What the command writes into "out" beside "foo.pdb". */
static struct bytes made_by(const struct room *room, const char *command) {
    char line[COMMAND_BYTES];
    snprintf(line, sizeof line, "cd '%s' && rm -f out && %s", room->folder, command);
    assert_int_equal(system(line), 0);
    CLEANUP(free_block) char *path = scratch_path(room->folder, "out");
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    struct bytes made = {memory_new(2 * PLAIN_BYTES), 0};
    made.length = fread(made.bytes, 1, 2 * PLAIN_BYTES, file);
    assert_true(feof(file));
    fclose(file);
    return made;
}

static void expects(const struct room *room, enum coding coding, const char *command,
                    bool announced) {
    static const size_t pieces[] = {1, 1000, WHOLE_PIECE};
    CLEANUP(bytes_release) struct bytes archive = made_by(room, command);
    assert_int_equal(decoder_recognise(archive.bytes, archive.length), coding);
    for (size_t i = 0; i < LENGTH_OF(pieces); i++) {
        struct bench bench;
        bench_init(&bench, coding, archive.bytes, archive.length);
        bench.in.piece = pieces[i];
        bench.size = archive.length;
        bench_expect(&bench, &room->plain, announced);
        bench_release(&bench);
    }
    struct bench bench;
    bench_init(&bench, coding, archive.bytes, archive.length - 1);
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_int_equal(bench.err.kind, ERROR_LENGTH);
    bench_release(&bench);
}

static void gcab(void **state) {
    expects(*state, CODING_CABINET, "gcab -cn out foo.pdb", true);
    expects(*state, CODING_CABINET, "gcab -czn out foo.pdb", true);
    CLEANUP(bytes_release)
    struct bytes several = made_by(*state, "cp foo.pdb bar.pdb && gcab -czn out foo.pdb bar.pdb");
    bench_refused(CODING_CABINET, &several, ERROR_ENCODING, "2 files in 1 folders");
}

static void gzip(void **state) {
    expects(*state, CODING_GZIP, "gzip -c foo.pdb >out", false);
    expects(*state, CODING_GZIP, "gzip -1nc <foo.pdb >out", false);
    expects(*state, CODING_GZIP,
            "head -c 1000 foo.pdb | gzip -c >out; tail -c +1001 foo.pdb | gzip -9c >>out", false);
}

#define PYTHON(body) "python3 -c 'import zipfile, sys\n" body "'"

static void python(void **state) {
    expects(*state, CODING_ZIP, PYTHON("zipfile.ZipFile(\"out\", \"w\").write(\"foo.pdb\")"), true);
    expects(*state, CODING_ZIP,
            PYTHON("zipfile.ZipFile(\"out\", \"w\", zipfile.ZIP_DEFLATED).write(\"foo.pdb\")"),
            true);
    /* Into a pipe: with a descriptor. */
    expects(*state, CODING_ZIP,
            PYTHON("zipfile.ZipFile(sys.stdout.buffer, \"w\", "
                   "zipfile.ZIP_DEFLATED).write(\"foo.pdb\")") " | cat >out",
            false);
    /* ZIP64, though there is no need, into a file and into a pipe. */
    expects(*state, CODING_ZIP,
            PYTHON("with zipfile.ZipFile(\"out\", \"w\", zipfile.ZIP_DEFLATED) as z:\n"
                   "    with z.open(\"foo.pdb\", \"w\", force_zip64=True) as f:\n"
                   "        f.write(open(\"foo.pdb\", \"rb\").read())"),
            true);
    expects(*state, CODING_ZIP,
            PYTHON("with zipfile.ZipFile(sys.stdout.buffer, \"w\", zipfile.ZIP_DEFLATED) as z:\n"
                   "    with z.open(\"foo.pdb\", \"w\", force_zip64=True) as f:\n"
                   "        f.write(open(\"foo.pdb\", \"rb\").read())") " | cat >out",
            false);
    CLEANUP(bytes_release)
    struct bytes several = made_by(*state, PYTHON("z = zipfile.ZipFile(\"out\", \"w\")\n"
                                                  "z.writestr(\"a\", b\"1\")\n"
                                                  "z.writestr(\"b\", b\"2\")\n"
                                                  "z.close()"));
    bench_refused(CODING_ZIP, &several, ERROR_ENCODING, "holds several files");
    CLEANUP(bytes_release)
    struct bytes other = made_by(
        *state, PYTHON("zipfile.ZipFile(\"out\", \"w\", zipfile.ZIP_LZMA).write(\"foo.pdb\")"));
    bench_refused(CODING_ZIP, &other, ERROR_ENCODING, "method 14");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gcab, setup, teardown),
        cmocka_unit_test_setup_teardown(gzip, setup, teardown),
        cmocka_unit_test_setup_teardown(python, setup, teardown),
    };
    return RUN_TESTS(tests);
}
