// SPDX-License-Identifier: MIT
#include "source/source_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/listings.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/text.h"
#include "source/mount_memory.h"
#include "symbol/layout.h"

enum {
    IN_PLACE_THREADS = 8,
    IN_PLACE_WAITING = 10000,
    LISTINGS_BYTES = 64 * 1024 * 1024,
    PARTS_MAX = 6,
    SPELLINGS_MAX = 8,
};

struct directory {
    struct source source;
    struct listings *listings;
    struct mount_memory mounts;
};

/* A file that is read like any other body. */
struct file_reader {
    struct reader reader;
    int fd;
    uint64_t offset;
    struct stat as_opened;
    const struct cancel *cancel;
};

static bool unchanged(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static ssize_t end_of_file(const struct file_reader *file, struct error *err) {
    struct stat now;
    if (fstat(file->fd, &now) != 0) {
        error_os(err, ERROR_UNMOUNTED, errno, "could not look at the file at its end");
        return -1;
    }
    if (unchanged(&now, &file->as_opened) && file->offset == (uint64_t)now.st_size)
        return 0;
    error_set(err, ERROR_CHANGED, "the file changed while it was read");
    return -1;
}

static ssize_t file_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct file_reader *file = (struct file_reader *)reader;
    if (file->cancel && cancel_raised(file->cancel)) {
        error_set(err, ERROR_CANCELLED, "nobody needs the file any more");
        return -1;
    }
    uint64_t left = (uint64_t)file->as_opened.st_size - file->offset;
    if (left == 0)
        return end_of_file(file, err);
    ssize_t got =
        files_read_at(file->fd, bytes, length < left ? length : (size_t)left, file->offset, err);
    if (got < 0)
        return -1;
    if (got == 0)
        return end_of_file(file, err);
    file->offset += (uint64_t)got;
    return got;
}

static bool file_ready(struct reader *reader) {
    const struct file_reader *file = (const struct file_reader *)reader;
    return file->offset < (uint64_t)file->as_opened.st_size;
}

static void file_close(struct reader *reader) {
    struct file_reader *file = (struct file_reader *)reader;
    close(file->fd);
    free(file);
}

static const struct reader_ops file_reader_ops = {
    .read = file_read, .ready = file_ready, .close = file_close};

/* The parts of a path below the root, and as much of it as has been found. */
struct walk {
    struct directory *directory;
    int root_fd;
    unsigned files_flags;
    char asked[LAYOUT_PATH_BYTES]; /* the parts lie in here */
    const char *parts[PARTS_MAX];
    unsigned count;
    char path[LAYOUT_PATH_BYTES]; /* found so far, ends with a slash */
    size_t path_length;
};

static enum file_found walk_on(struct walk *walk, unsigned depth, int *out_fd, struct error *err);

/* One candidate for the part at this depth: steps into it, or opens the file. */
static enum file_found walk_into(struct walk *walk, unsigned depth, const char *name, int *out_fd,
                                 struct error *err) {
    size_t before = walk->path_length;
    size_t length = strlen(name);
    if (before + length + 2 > sizeof walk->path)
        return FILE_ABSENT;
    memcpy(walk->path + before, name, length + 1);
    if (depth == walk->count - 1)
        return files_open_beneath(walk->root_fd, walk->path, walk->files_flags, out_fd, err);
    memcpy(walk->path + before + length, "/", 2);
    walk->path_length = before + length + 1;
    enum file_found found = walk_on(walk, depth + 1, out_fd, err);
    walk->path_length = before;
    return found;
}

static enum file_found walk_on(struct walk *walk, unsigned depth, int *out_fd, struct error *err) {
    CLEANUP(name_set_unref_at) struct name_set *names = NULL;
    struct listings_place place = {.root_fd = walk->root_fd,
                                   .directory = depth > 0 ? walk->path : ".",
                                   .name = walk->parts[depth],
                                   .files_flags = walk->files_flags};
    enum file_found found = listings_find(walk->directory->listings, &place, &names, err);
    if (found != FILE_FOUND)
        return found;
    const char *name;
    for (unsigned n = 0; n < SPELLINGS_MAX && (name = name_set_find(names, place.name, n)); n++) {
        found = walk_into(walk, depth, name, out_fd, err);
        if (found != FILE_ABSENT)
            return found;
    }
    return FILE_ABSENT;
}

/* Cuts the path at its slashes; false for one with too many. */
static bool split(struct walk *walk, const char *path) {
    text_copy(walk->asked, sizeof walk->asked, path);
    for (char *at = walk->asked; at; walk->count++) {
        if (walk->count == PARTS_MAX)
            return false;
        walk->parts[walk->count] = at;
        at = strchr(at, '/');
        if (at)
            *at++ = '\0';
    }
    return true;
}

/* Exactly as asked, then without regard to case. */
static enum file_found open_path(struct directory *directory, int root_fd, const char *path,
                                 int *out_fd, struct error *err) {
    unsigned flags = directory->source.options.follow_links ? FILES_FOLLOW_LINKS : 0;
    enum file_found found = files_open_beneath(root_fd, path, flags, out_fd, err);
    if (found != FILE_ABSENT)
        return found;
    struct walk walk = {.directory = directory, .root_fd = root_fd, .files_flags = flags};
    return split(&walk, path) ? walk_on(&walk, 0, out_fd, err) : FILE_ABSENT;
}

/* Opens the root and sees that it is in order, for only then "not here" means anything. */
static bool open_root(struct directory *directory, int *out_fd, struct error *err) {
    const char *path = directory->source.options.remote;
    CLEANUP(close_fd) int fd = -1;
    struct error why = {0};
    if (!files_open_root(&fd, path, false, &why)) {
        error_os(err, ERROR_UNMOUNTED, why.os, "directory \"%s\" is not in order, not mounted?",
                 path);
        return error_hint(err, "See that the directory is mounted and may be read.");
    }
    if (!mount_memory_check(&directory->mounts, fd, path, err))
        return false;
    *out_fd = TAKE_FD(fd);
    return true;
}

static void describe(const struct stat *found, struct content *out_content) {
    int64_t modified_ns = (int64_t)found->st_mtim.tv_sec * 1000000000 + found->st_mtim.tv_nsec;
    *out_content = (struct content){.size = (uint64_t)found->st_size,
                                    .last_modified = found->st_mtim.tv_sec,
                                    .unsettled = !content_settled(modified_ns, clock_wall_ns())};
}

static struct reader *file_reader_new(int fd, const struct stat *found, uint64_t offset,
                                      const struct cancel *cancel) {
    struct file_reader *file = NEW(struct file_reader);
    file->reader.ops = &file_reader_ops;
    file->fd = fd;
    file->offset = offset;
    file->as_opened = *found;
    file->cancel = cancel;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return &file->reader;
}

/* Is this still the file whose reading is to be taken up? */
static bool resumable(const struct resume *resume, const struct content *content) {
    return resume && resume->offset <= content->size && resume->size == content->size &&
           resume->last_modified == content->last_modified;
}

static enum source_answer failed(struct error *err) {
    /* A root that stops answering in the middle is as bad as one that is missing. */
    if (err && (err->os == ESTALE || err->os == EIO || err->os == EACCES || err->os == ENOTCONN))
        err->kind = ERROR_UNMOUNTED;
    return SOURCE_FAILED;
}

static enum source_answer find(struct directory *directory, struct source_call *call, int *out_fd,
                               struct error *err) {
    CLEANUP(close_fd) int root_fd = -1;
    if (!open_root(directory, &root_fd, err))
        return SOURCE_FAILED;
    switch (open_path(directory, root_fd, call->path, out_fd, err)) {
    case FILE_FOUND:
        return SOURCE_FOUND;
    case FILE_ABSENT:
        return SOURCE_ABSENT;
    case FILE_COLD:
    case FILE_FAILED:
        break;
    }
    return failed(err);
}

static void note_path(struct source_call *call, const char *root) {
    if (!files_join(call->note->url, sizeof call->note->url, root, call->path))
        text_copy(call->note->url, sizeof call->note->url, call->path);
}

static enum source_answer directory_ask(struct source *source, void *worker,
                                        struct source_call *call, bool in_place,
                                        struct content *out_content, struct reader **out_reader,
                                        struct source_local *out_local, struct error *err) {
    (void)worker;
    CLEANUP(close_fd) int fd = -1;
    int64_t began_ms = clock_ms();
    call->retry_after_s = -1;
    note_path(call, source->options.remote);
    enum source_answer answer = find((struct directory *)source, call, &fd, err);
    call->note->head_ms = clock_ms() - began_ms;
    if (answer != SOURCE_FOUND)
        return answer;
    struct stat found;
    if (fstat(fd, &found) != 0) {
        error_os(err, ERROR_UNMOUNTED, errno, "could not look at \"%s\"", call->note->url);
        return SOURCE_FAILED;
    }
    describe(&found, out_content);
    if (in_place) {
        *out_local = (struct source_local){
            .fd = TAKE_FD(fd),
            .size = out_content->size,
            .modified_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec,
            .settled = !out_content->unsettled};
        return SOURCE_LOCAL;
    }
    if (resumable(call->resume, out_content))
        out_content->start = call->resume->offset;
    *out_reader = file_reader_new(TAKE_FD(fd), &found, out_content->start, call->cancel);
    return SOURCE_FOUND;
}

static void directory_free(struct source *source) {
    struct directory *directory = (struct directory *)source;
    pool_free(source->pool);
    source_release(source);
    mount_memory_release(&directory->mounts);
    listings_free(directory->listings);
    free(directory);
}

static const struct source_ops directory_ops = {
    .type = "directory", .ask = directory_ask, .free = directory_free};

struct source *source_directory_new(const struct source_options *options,
                                    const struct hash_key *key, struct error *err) {
    if (options->remote[0] == '\0') {
        error_set(err, ERROR_CONFIG, "the directory of source \"%s\" is empty",
                  options->identifier);
        return NULL;
    }
    struct listings_options listings = {.bytes_max = LISTINGS_BYTES};
    struct directory *directory = NEW(struct directory);
    source_init(&directory->source, &directory_ops, options, key);
    directory->source.pool = pool_new("directory", IN_PLACE_THREADS, IN_PLACE_WAITING);
    directory->listings = listings_new(&listings);
    mount_memory_init(&directory->mounts, options->state_directory, directory->source.fingerprint);
    return &directory->source;
}
