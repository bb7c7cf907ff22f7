// SPDX-License-Identifier: MIT
//
// Ownership on the stack. CLEANUP(fn) gives a local variable an end: fn(&variable) runs on every
// way out of its scope. TAKE(p) hands an owned pointer over and leaves NULL behind, TAKE_FD(fd)
// does so for a descriptor and leaves -1.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) *take_from_ = &(pointer);                                              \
        __typeof__(pointer) taken_ = *take_from_;                                                  \
        *take_from_ = NULL;                                                                        \
        taken_;                                                                                    \
    })

#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int *take_from_ = &(fd);                                                                   \
        int taken_ = *take_from_;                                                                  \
        *take_from_ = -1;                                                                          \
        taken_;                                                                                    \
    })

/* Frees a heap block: `CLEANUP(free_block) char *text = …`. */
static inline void free_block(void *pointer_to_block) {
    free(*(void **)pointer_to_block);
}

/* Closes a descriptor unless it is negative: `CLEANUP(close_fd) int fd = …`. */
static inline void close_fd(const int *fd) {
    if (*fd >= 0)
        close(*fd);
}
