// SPDX-License-Identifier: MIT
#include "look.h"

#include <assert.h>
#include <string.h>

/* A view that fails after some reads. */
struct failing_view {
    struct view view;
    const uint8_t *bytes;
    unsigned *reads_left;
};

static bool read_failing(const struct view *view, void *out, size_t length, uint64_t offset,
                         struct error *err) {
    const struct failing_view *failing = (const struct failing_view *)(const void *)view;
    if ((*failing->reads_left)-- == 0)
        return error_set(err, ERROR_DISK, "the test says no");
    memcpy(out, failing->bytes + offset, length);
    return true;
}

static void check(const struct identity *identity) {
    char text[2 * BUILD_ID_BYTES_MAX + 1];
    identity_format(identity, text, sizeof text);
    assert(identity->build_id_length <= BUILD_ID_BYTES_MAX);
    assert(identity->slice_count <= SLICES_MAX);
    assert(strlen(text) < sizeof text);
}

/* Failures of reads are told as failures, and only those. */
static void fail(const uint8_t *bytes, size_t length, unsigned reads,
                 bool (*read)(struct probe *probe, struct identity *out)) {
    static const struct view_ops ops = {.read = read_failing};
    unsigned reads_left = reads;
    struct failing_view view = {{&ops, length}, bytes, &reads_left};
    struct error err = {0};
    struct identity identity = {0};
    struct probe probe = probe_of(&view.view, &err);
    bool good = read(&probe, &identity);
    bool failed = reads_left == UINT32_MAX;
    assert(failed == probe.failed && (!failed || (!good && err.kind == ERROR_DISK)));
}

void look_at(const uint8_t *bytes, size_t length,
             bool (*read)(struct probe *probe, struct identity *out)) {
    struct memory_view view = memory_view_of(bytes, length);
    struct error err = {0};
    struct identity identity = {0};
    struct probe probe = probe_of(&view.view, &err);
    bool good = read(&probe, &identity);
    assert(!probe.failed && good == (err.kind == ERROR_NONE));
    check(&identity);
    struct identity again = {0};
    probe = probe_of(&view.view, NULL);
    bool same = read(&probe, &again) == good && again.format == identity.format &&
                again.stated_length == identity.stated_length;
    assert(same);
    for (unsigned reads = 0; reads < 3; reads++)
        fail(bytes, length, reads, read);

    err = (struct error){0};
    enum identify_outcome outcome = identify(&view.view, &identity, &err);
    assert(outcome <= IDENTIFY_DAMAGED && (outcome == IDENTIFY_DAMAGED) == (err.what[0] != '\0'));
    check(&identity);
}
