// SPDX-License-Identifier: MIT
//
// identify [--checksum HEADER] FILE…: what each file says of itself, a line of JSON each, for the
// scenarios that compare it with what other readers of real files say.
#include "format/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "format/checksum.h"

/* A view of a file that counts what is read of it. */
struct counting_view {
    struct view view;
    struct file_view file;
    uint64_t *bytes_read;
};

static bool read_counting(const struct view *view, void *out, size_t length, uint64_t offset,
                          struct error *err) {
    const struct counting_view *counting = (const struct counting_view *)(const void *)view;
    *counting->bytes_read += length;
    return view_read(&counting->file.view, out, length, offset, err);
}

static const char *const outcomes[] = {
    [IDENTIFY_READ] = "read",
    [IDENTIFY_UNKNOWN] = "unknown",
    [IDENTIFY_DAMAGED] = "damaged",
    [IDENTIFY_FAILED] = "failed",
};

static const char *const comparisons[] = {
    [CHECKSUM_EQUAL] = "equal",
    [CHECKSUM_DIFFERENT] = "different",
    [CHECKSUM_UNSAID] = "unsaid",
    [CHECKSUM_FAILED] = "failed",
};

static void print_slices(const struct identity *identity) {
    printf(",\"uuids\":[");
    for (unsigned i = 0; i < identity->slice_count; i++) {
        printf("%s\"", i ? "," : "");
        for (unsigned b = 0; b < GUID_BYTES; b++)
            printf("%02x", identity->slices[i].uuid[b]);
        printf("\"");
    }
    printf("]");
}

static bool identify_file(const char *path, const char *checksum) {
    static const struct view_ops ops = {.read = read_counting};
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        perror(path);
        return false;
    }
    uint64_t bytes_read = 0;
    struct counting_view view = {
        .view = {&ops, (uint64_t)status.st_size},
        .file = file_view_of(fd, (uint64_t)status.st_size),
        .bytes_read = &bytes_read,
    };
    struct identity identity;
    struct error err = {0};
    enum identify_outcome outcome = identify(&view.view, &identity, &err);
    char id[2 * BUILD_ID_BYTES_MAX + 1];
    char why[2 * sizeof err.what];
    identity_format(&identity, id, sizeof id);
    text_escape_json(why, sizeof why, err.what, strlen(err.what));
    printf("{\"outcome\":\"%s\",\"format\":\"%s\",\"id\":\"%s\",\"stated\":%llu,\"read\":%llu,"
           "\"why\":\"%s\"",
           outcomes[outcome], format_name(identity.format), id,
           (unsigned long long)identity.stated_length, (unsigned long long)bytes_read, why);
    print_slices(&identity);
    if (checksum)
        printf(",\"checksum\":\"%s\"",
               comparisons[checksum_compare(&view.view, &identity, checksum, NULL)]);
    printf("}\n");
    return true;
}

int main(int argc, char **argv) {
    const char *checksum = NULL;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--checksum") == 0) {
        checksum = argv[2];
        first = 3;
    }
    for (int i = first; i < argc; i++)
        if (!identify_file(argv[i], checksum))
            return 1;
    return 0;
}
