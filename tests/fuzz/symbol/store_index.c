// SPDX-License-Identifier: MIT
//
// Any bytes as a file of a store's index: the first one says which, and into what pieces the rest
// is cut. Whatever is taken for a file must be a key that can be asked for, and the same again in
// its canonical spelling; how it was cut must not matter.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "symbol/layout.h"
#include "symbol/store_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

/* What a reading came to. */
struct reading {
    struct store_lines lines; /* first */
    bool of_files;
    uint64_t good;
    uint64_t sum;
};

static void require_askable(const struct symbol_key *key) {
    char line[STORE_INDEX_LINE_BYTES];
    struct symbol_key again;
    require(store_index_covers(key));
    require(text_format(line, sizeof line, "\"%s\\%s\",\"\"", key->name, key->id));
    require(store_index_file(line, strlen(line), &again) == STORE_LINE_GOOD);
    require(symbol_key_equal(key, &again));
}

static bool take(struct store_lines *lines, const char *line, size_t length) {
    struct reading *reading = (struct reading *)(void *)lines;
    struct symbol_key key;
    uint64_t number = 0;
    require(length <= STORE_INDEX_LINE_BYTES);
    enum store_line says = reading->of_files ? store_index_file(line, length, &key)
                                             : store_index_transaction(line, length, &number);
    if (says == STORE_LINE_GOOD) {
        if (reading->of_files)
            require_askable(&key);
        reading->good++;
        reading->sum += reading->of_files ? key.hash : number;
    }
    return says != STORE_LINE_BAD;
}

/* False: a line was bad. */
static bool read_in_pieces(struct reading *reading, const char *bytes, size_t length,
                           size_t piece) {
    for (size_t at = 0; at < length; at += piece) {
        size_t part = length - at < piece ? length - at : piece;
        if (!store_lines_add(&reading->lines, bytes + at, part))
            return false;
    }
    return store_lines_end(&reading->lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    uint64_t number;
    if (length == 0)
        return 0;
    const char *text = (const char *)bytes + 1;
    bool of_files = bytes[0] & 1;
    struct reading whole = {.lines.take = take, .of_files = of_files};
    struct reading pieces = {.lines.take = take, .of_files = of_files};
    bool good = read_in_pieces(&whole, text, length - 1, length);
    require(good == read_in_pieces(&pieces, text, length - 1, (size_t)(bytes[0] >> 1) + 1));
    require(whole.good == pieces.good && whole.sum == pieces.sum);
    if (store_index_last(text, length - 1, &number)) {
        char path[STORE_INDEX_PATH_BYTES];
        store_index_path(number, path);
        require(strlen(path) == strlen("000Admin/0000000000"));
    }
    return 0;
}
