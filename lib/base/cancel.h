/* SPDX-License-Identifier: MIT */
/*
 * pthread_cancel(): which calls of the library are cancellation points.
 *
 * Three kinds of calls are cancellation points while they wait: wait_idle,
 * shutdown, and a submit that waits for room, unless it is in a task or in a
 * scope. They wait by cf__cond_wait_or_end() (cond.h), which undoes what the
 * wait has begun.
 *
 * Anywhere else a cancellation would leave locks held and callbacks uncalled.
 * So the library calls libc's cancellation points by the functions below, which
 * disable cancellation in the calling thread. The check `cancellation` fails if
 * another file of the library calls one directly. Other code pays nothing.
 *
 * For the same reason, code of the user runs with cancellation disabled if it
 * runs inside a call, in the caller's thread. Tasks on a worker thread do not:
 * there a cancellation ends the task and the thread.
 */
#ifndef CF_LIB_BASE_CANCEL_H
#define CF_LIB_BASE_CANCEL_H

#include "lib/base/export.h"

#include <pthread.h>
#include <sys/types.h>

/* Disables the cancellation of the calling thread. Give the result to
 * cf__cancel_restore(). */
static inline int
cf__cancel_disable(void)
{
    int former;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former); /* cannot fail */
    return former;
}

/* If a cancellation came meanwhile, it acts at the thread's next cancellation
 * point. */
static inline void
cf__cancel_restore(int former)
{
    pthread_setcancelstate(former, NULL);
}

/* A handler that the next pthread_cleanup_push() sets reads *object, which
 * changes after that. That push is a setjmp(), over which a compiler may keep
 * parts of *object in registers; after this call it must take them for known
 * to other code. */
static inline void
cf__cleanup_reads(void *object)
{
    __asm__ volatile("" : : "r"(object) : "memory");
}

/* As the functions without cf__, and errno is as those leave it. But
 * cf__close() does not change errno. */
CF__EXPORT ssize_t cf__read(int fd, void *to, size_t size);
CF__EXPORT ssize_t cf__write(int fd, const void *from, size_t size);
CF__EXPORT void cf__close(int fd);
CF__EXPORT void cf__join(pthread_t thread);

#endif
