// SPDX-License-Identifier: MIT
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *checked(void *block) {
    if (!block) {
        fputs("symgate: out of memory\n", stderr);
        abort();
    }
    return block;
}

void *memory_new(size_t bytes) {
    return checked(calloc(1, bytes ? bytes : 1));
}

void *memory_array(size_t count, size_t bytes_each) {
    return checked(calloc(count ? count : 1, bytes_each ? bytes_each : 1));
}

void *memory_pages(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return checked(pages == MAP_FAILED ? NULL : pages);
}

void memory_pages_free(void *pages, size_t bytes) {
    if (pages)
        munmap(pages, bytes);
}

char *memory_text(const char *text) {
    return text ? checked(strdup(text)) : NULL;
}
