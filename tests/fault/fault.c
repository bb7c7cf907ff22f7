// SPDX-License-Identifier: MIT
// The wrapped calls. What they are is listed once, in CALLS below, and once for the linker in
// meson.build. Glibc gives 64-bit file calls a second name (pwrite64), which is wrapped as well.
#include "fault/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALLS(X)                                                                                   \
    X(pwrite)                                                                                      \
    X(pwritev)                                                                                     \
    X(write)                                                                                       \
    X(fsync)                                                                                       \
    X(fdatasync)                                                                                   \
    X(renameat)                                                                                    \
    X(renameat2)                                                                                   \
    X(linkat)                                                                                      \
    X(unlinkat)                                                                                    \
    X(mkdirat)                                                                                     \
    X(open)                                                                                        \
    X(openat)                                                                                      \
    X(openat2)                                                                                     \
    X(mkostemp)                                                                                    \
    X(memfd_create)                                                                                \
    X(fallocate)                                                                                   \
    X(ftruncate)                                                                                   \
    X(futimens)                                                                                    \
    X(fstatvfs)                                                                                    \
    X(pread)                                                                                       \
    X(preadv2)                                                                                     \
    X(readdir)                                                                                     \
    X(sendfile)                                                                                    \
    X(send)                                                                                        \
    X(sendmsg)                                                                                     \
    X(accept4)                                                                                     \
    X(malloc)                                                                                      \
    X(calloc)                                                                                      \
    X(realloc)                                                                                     \
    X(pthread_create)

#define ENUMERATOR(name) CALL_##name,
enum call { CALLS(ENUMERATOR) CALL_COUNT };

#define NAME(name) [CALL_##name] = #name,
static const char *const call_names[] = {CALLS(NAME) NULL};

// Written while disarmed (nth 0), so that a call that looks in between sees no half of it.
struct fault {
    _Atomic unsigned long count; // since armed
    _Atomic unsigned long nth;   // 0: not armed
    atomic_int error;
    atomic_bool persistent;
};

static struct fault faults[CALL_COUNT];
static atomic_bool fired;
static bool announced; // set before main() when the environment arms: each strike is told on stderr

static enum call call_find(const char *name, size_t length) {
    for (enum call call = 0; call < CALL_COUNT; call++)
        if (strlen(call_names[call]) == length && memcmp(call_names[call], name, length) == 0)
            return call;
    fprintf(stderr, "fault: no such call: %.*s\n", (int)length, name);
    exit(2);
}

static void fault_set(enum call call, unsigned long nth, int error, bool persistent) {
    struct fault *fault = &faults[call];
    fault->nth = 0;
    fault->error = error;
    fault->persistent = persistent;
    fault->count = 0;
    fault->nth = nth;
}

void fault_arm(const char *call, unsigned long nth, int error, bool persistent) {
    fired = false;
    fault_set(call_find(call, strlen(call)), nth, error, persistent);
}

void fault_disarm(void) {
    for (enum call call = 0; call < CALL_COUNT; call++)
        fault_set(call, 0, 0, false);
    fired = false;
}

const char *const *fault_calls(void) {
    return call_names;
}

unsigned long fault_count(const char *call) {
    return faults[call_find(call, strlen(call))].count;
}

bool fault_fired(void) {
    return fired;
}

ssize_t __real_write(int fd, const void *bytes, size_t length);

static void announce(enum call call, unsigned long now) {
    char line[80];
    int length = snprintf(line, sizeof line, "fault: call %lu of %s\n", now, call_names[call]);
    (void)!__real_write(STDERR_FILENO, line, (size_t)length);
}

// 0: make the real call. Else the error to fail with, or FAULT_SHORT.
static int fault_strikes(enum call call) {
    struct fault *fault = &faults[call];
    unsigned long nth = fault->nth;
    unsigned long now = atomic_fetch_add(&fault->count, 1) + 1;
    if (nth == 0 || now < nth || (now > nth && !fault->persistent))
        return 0;
    fired = true;
    if (announced)
        announce(call, now);
    if (fault->error == FAULT_KILL)
        kill(getpid(), SIGKILL);
    return fault->error;
}

// Whether to fail, with errno set; what can be short has its own test.
static bool fails(enum call call) {
    int error = fault_strikes(call);
    if (error <= 0)
        return false;
    errno = error;
    return true;
}

// The same for what takes a length: FAULT_SHORT cuts it to one byte.
static bool fails_or_cuts(enum call call, size_t *length) {
    int error = fault_strikes(call);
    if (error == FAULT_SHORT && *length > 1)
        *length = 1;
    if (error <= 0)
        return false;
    errno = error;
    return true;
}

static int error_number(const char *name, size_t length) {
    if (length == 5 && memcmp(name, "short", 5) == 0)
        return FAULT_SHORT;
    if (length == 4 && memcmp(name, "kill", 4) == 0)
        return FAULT_KILL;
    for (int error = 1; error < 134; error++) {
        const char *known = strerrorname_np(error);
        if (known && strlen(known) == length && memcmp(known, name, length) == 0)
            return error;
    }
    fprintf(stderr, "fault: no such error: %.*s\n", (int)length, name);
    exit(2);
}

// One "call:n:ERRNO[:persistent]".
static void fault_arm_text(const char *text, size_t length) {
    const char *end = text + length;
    const char *nth = memchr(text, ':', length);
    char *error = NULL;
    unsigned long number = nth ? strtoul(nth + 1, &error, 10) : 0;
    if (number == 0 || *error != ':') {
        fprintf(stderr, "fault: not call:n:ERRNO[:persistent]: %.*s\n", (int)length, text);
        exit(2);
    }
    error++;
    const char *tail = memchr(error, ':', (size_t)(end - error));
    size_t error_length = (size_t)((tail ? tail : end) - error);
    fault_set(call_find(text, (size_t)(nth - text)), number, error_number(error, error_length),
              tail != NULL);
}

__attribute__((constructor)) static void fault_arm_environment(void) {
    const char *text = getenv("SYMGATE_FAULT");
    announced = text != NULL;
    while (text && *text) {
        size_t length = strcspn(text, ",");
        fault_arm_text(text, length);
        text += length + (text[length] == ',');
    }
}

// From here on: the linker's names.
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define WRAP_WRITE(symbol, call)                                                                   \
    ssize_t __real_##symbol(int fd, const void *bytes, size_t length, off_t at);                   \
    ssize_t __wrap_##symbol(int fd, const void *bytes, size_t length, off_t at) {                  \
        return fails_or_cuts(call, &length) ? -1 : __real_##symbol(fd, bytes, length, at);         \
    }
WRAP_WRITE(pwrite, CALL_pwrite)
WRAP_WRITE(pwrite64, CALL_pwrite)

// Of write() only what goes to files: a wake-up through an eventfd cannot fail this way.
ssize_t __wrap_write(int fd, const void *bytes, size_t length) {
    struct stat status;
    bool file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (file && fails_or_cuts(CALL_write, &length))
        return -1;
    return __real_write(fd, bytes, length);
}

#define WRAP_PWRITEV(symbol)                                                                       \
    ssize_t __real_##symbol(int fd, const struct iovec *parts, int count, off_t at);               \
    ssize_t __wrap_##symbol(int fd, const struct iovec *parts, int count, off_t at) {              \
        struct iovec first = count > 0 ? parts[0] : (struct iovec){0};                             \
        size_t length = first.iov_len;                                                             \
        if (fails_or_cuts(CALL_pwritev, &length))                                                  \
            return -1;                                                                             \
        if (length == first.iov_len)                                                               \
            return __real_##symbol(fd, parts, count, at);                                          \
        first.iov_len = length;                                                                    \
        return __real_##symbol(fd, &first, 1, at);                                                 \
    }
WRAP_PWRITEV(pwritev)
WRAP_PWRITEV(pwritev64)

#define WRAP_PREAD(symbol)                                                                         \
    ssize_t __real_##symbol(int fd, void *bytes, size_t length, off_t at);                         \
    ssize_t __wrap_##symbol(int fd, void *bytes, size_t length, off_t at) {                        \
        return fails_or_cuts(CALL_pread, &length) ? -1 : __real_##symbol(fd, bytes, length, at);   \
    }
WRAP_PREAD(pread)
WRAP_PREAD(pread64)

#define WRAP_PREADV2(symbol)                                                                       \
    ssize_t __real_##symbol(int fd, const struct iovec *parts, int count, off_t at, int flags);    \
    ssize_t __wrap_##symbol(int fd, const struct iovec *parts, int count, off_t at, int flags) {   \
        return fails(CALL_preadv2) ? -1 : __real_##symbol(fd, parts, count, at, flags);            \
    }
WRAP_PREADV2(preadv2)
WRAP_PREADV2(preadv64v2)

#define WRAP_READDIR(symbol, entry)                                                                \
    struct entry *__real_##symbol(DIR *directory);                                                 \
    struct entry *__wrap_##symbol(DIR *directory) {                                                \
        return fails(CALL_readdir) ? NULL : __real_##symbol(directory);                            \
    }
WRAP_READDIR(readdir, dirent)
WRAP_READDIR(readdir64, dirent64)

#define WRAP_FD(symbol, call)                                                                      \
    int __real_##symbol(int fd);                                                                   \
    int __wrap_##symbol(int fd) {                                                                  \
        return fails(call) ? -1 : __real_##symbol(fd);                                             \
    }
WRAP_FD(fsync, CALL_fsync)
WRAP_FD(fdatasync, CALL_fdatasync)

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
    return fails(CALL_renameat) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    return fails(CALL_renameat2) ? -1 : __real_renameat2(from_fd, from, to_fd, to, flags);
}

int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    return fails(CALL_linkat) ? -1 : __real_linkat(from_fd, from, to_fd, to, flags);
}

int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags) {
    return fails(CALL_unlinkat) ? -1 : __real_unlinkat(fd, path, flags);
}

int __real_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode) {
    return fails(CALL_mkdirat) ? -1 : __real_mkdirat(fd, path, mode);
}

#define WRAP_OPENAT(symbol)                                                                        \
    int __real_##symbol(int fd, const char *path, int flags, ...);                                 \
    int __wrap_##symbol(int fd, const char *path, int flags, ...) {                                \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;             \
        va_end(arguments);                                                                         \
        return fails(CALL_openat) ? -1 : __real_##symbol(fd, path, flags, mode);                   \
    }
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_OPEN(symbol)                                                                          \
    int __real_##symbol(const char *path, int flags, ...);                                         \
    int __wrap_##symbol(const char *path, int flags, ...) {                                        \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;             \
        va_end(arguments);                                                                         \
        return fails(CALL_open) ? -1 : __real_##symbol(path, flags, mode);                         \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_MKOSTEMP(symbol)                                                                      \
    int __real_##symbol(char *template, int flags);                                                \
    int __wrap_##symbol(char *template, int flags) {                                               \
        return fails(CALL_mkostemp) ? -1 : __real_##symbol(template, flags);                       \
    }
WRAP_MKOSTEMP(mkostemp)
WRAP_MKOSTEMP(mkostemp64)

int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags) {
    return fails(CALL_memfd_create) ? -1 : __real_memfd_create(name, flags);
}

// openat2 has no wrapper in glibc: the program makes it by syscall(). Six words are read whatever
// was passed, as glibc's own syscall() does.
long __real_syscall(long number, ...);
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
    long words[6];
    va_list arguments;
    va_start(arguments, number);
    for (size_t i = 0; i < 6; i++)
        words[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_openat2 && fails(CALL_openat2))
        return -1;
    return __real_syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

#define WRAP_FALLOCATE(symbol)                                                                     \
    int __real_##symbol(int fd, int mode, off_t at, off_t length);                                 \
    int __wrap_##symbol(int fd, int mode, off_t at, off_t length) {                                \
        return fails(CALL_fallocate) ? -1 : __real_##symbol(fd, mode, at, length);                 \
    }
WRAP_FALLOCATE(fallocate)
WRAP_FALLOCATE(fallocate64)

#define WRAP_FTRUNCATE(symbol)                                                                     \
    int __real_##symbol(int fd, off_t length);                                                     \
    int __wrap_##symbol(int fd, off_t length) {                                                    \
        return fails(CALL_ftruncate) ? -1 : __real_##symbol(fd, length);                           \
    }
WRAP_FTRUNCATE(ftruncate)
WRAP_FTRUNCATE(ftruncate64)

int __real_futimens(int fd, const struct timespec times[2]);
int __wrap_futimens(int fd, const struct timespec times[2]) {
    return fails(CALL_futimens) ? -1 : __real_futimens(fd, times);
}

#define WRAP_FSTATVFS(symbol)                                                                      \
    int __real_##symbol(int fd, struct statvfs *out_space);                                        \
    int __wrap_##symbol(int fd, struct statvfs *out_space) {                                       \
        return fails(CALL_fstatvfs) ? -1 : __real_##symbol(fd, out_space);                         \
    }
WRAP_FSTATVFS(fstatvfs)
WRAP_FSTATVFS(fstatvfs64)

#define WRAP_SENDFILE(symbol)                                                                      \
    ssize_t __real_##symbol(int to_fd, int from_fd, off_t *at, size_t length);                     \
    ssize_t __wrap_##symbol(int to_fd, int from_fd, off_t *at, size_t length) {                    \
        return fails_or_cuts(CALL_sendfile, &length)                                               \
                   ? -1                                                                            \
                   : __real_##symbol(to_fd, from_fd, at, length);                                  \
    }
WRAP_SENDFILE(sendfile)
WRAP_SENDFILE(sendfile64)

ssize_t __real_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags) {
    return fails_or_cuts(CALL_send, &length) ? -1 : __real_send(fd, bytes, length, flags);
}

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
    return fails(CALL_sendmsg) ? -1 : __real_sendmsg(fd, message, flags);
}

int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return fails(CALL_accept4) ? -1 : __real_accept4(fd, address, length, flags);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    return fails(CALL_malloc) ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
    return fails(CALL_calloc) ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
    return fails(CALL_realloc) ? NULL : __real_realloc(block, size);
}

// What fails is the return value here, and errno stays.
int __real_pthread_create(pthread_t *out_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *context), void *context);
int __wrap_pthread_create(pthread_t *out_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *context), void *context) {
    int error = fault_strikes(CALL_pthread_create);
    return error > 0 ? error : __real_pthread_create(out_thread, attributes, run, context);
}
