/* SPDX-License-Identifier: MIT */
/*
 * The zygote's two threads. The working thread does the zygote's work, on a
 * stack of its own. Workers are forked from it, so tasks run on a copy of that
 * stack, and not on the stack of the thread that made the pool. The watching
 * thread, with which the zygote was forked, only waits for the program's end:
 * the working thread sleeps on a futex, and no system call waits for both.
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
                     its end of it */
};

/*
 * Calls run(data), which does not return, in a thread with a stack of its own
 * (stack.h). Meanwhile this thread watches: sets `gone` of the post, or adds to
 * `cuts`, and wakes the zygote. All signals must be blocked. If it cannot do
 * that, returns an errno.
 */
int cf__watch_and_run(const struct cf__watch *watch,
                      size_t stack_size,
                      bool executable,
                      int (*run)(void *data),
                      void *data);

/* In the working thread. On some systems a child of the zygote watches instead
 * of a thread. true: child was that one; it has ended, and is reaped. */
bool cf__watch_reaped(pid_t child);

/* Ends that child, if there is one that is not reaped yet. */
void cf__watch_end(void);

#endif
