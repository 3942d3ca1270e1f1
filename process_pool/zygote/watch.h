/* SPDX-License-Identifier: MIT */
/*
 * The zygote's two threads. One serves, on a stack of its own: workers are
 * forked from it, so tasks run on a copy of that stack, and not on whatever
 * stack the program's thread had that made the pool. The other one, with which
 * the zygote was forked, does nothing but wait for the program's end: the one
 * that serves sleeps on a futex, and no system call waits for both.
 */
#ifndef CF_PROCESS_POOL_WATCH_H
#define CF_PROCESS_POOL_WATCH_H

#include "process_pool/zygote/post.h"

#include <stdbool.h>
#include <stddef.h>

struct cf__watch {
    struct cf__post *post; /* which children do not have */
    size_t post_size;      /* bytes */
    int program;           /* a pidfd, or -1 */
    int lifeline; /* hangs up when the program executes another one, or closes
                     its end */
};

/*
 * Calls run(data), which does not return, on a stack of its own
 * (stack.h). Meanwhile watches: sets "gone"
 * of the post, or adds to "cuts", and wakes. All signals must be blocked.
 * Returns an errno, if that cannot be.
 */
int cf__watch_and_run(const struct cf__watch *watch,
                      size_t stack_size,
                      bool executable,
                      int (*run)(void *data),
                      void *data);

/* For the one that serves: on some systems it is a child of the zygote that
 * watches. true: it is this one, which has ended and is reaped. */
bool cf__watch_reaped(pid_t child);

/* Ends that child, if there is one, which is not reaped yet. */
void cf__watch_end(void);

#endif
