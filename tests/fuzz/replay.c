// SPDX-License-Identifier: MIT
// Runs a fuzz target over its corpus as an ordinary test: every file, and every beginning of it up
// to a limit, since most parsers break where the input ends. No libFuzzer needed.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIXES_MAX = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Hands over an allocation of exactly that size, so that a sanitizer sees a read past its end.
static void replay_bytes(const char *bytes, size_t size) {
    uint8_t *copy = malloc(size);
    if (copy == NULL && size > 0)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

// The whole file in memory; the caller frees. Ends the program when it cannot be read.
static char *read_file(const char *path, size_t *out_size) {
    FILE *file = fopen(path, "re");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size + 1);
    if (bytes == NULL || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "%s: could not be read\n", path);
        exit(1);
    }
    fclose(file);
    *out_size = size;
    return bytes;
}

static size_t replay_file(const char *path) {
    size_t size = 0;
    char *bytes = read_file(path, &size);
    size_t prefixes = size < PREFIXES_MAX ? size : PREFIXES_MAX;
    for (size_t length = 0; length < prefixes; length++)
        replay_bytes(bytes, length);
    replay_bytes(bytes, size);
    free(bytes);
    return prefixes + 1;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    size_t files = 0;
    size_t inputs = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        inputs += replay_file(path);
        files++;
    }
    closedir(folder);
    printf("%zu files, %zu inputs\n", files, inputs);
    return files == 0;
}
