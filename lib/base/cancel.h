/* SPDX-License-Identifier: MIT */
/*
 * pthread_cancel(): where a call of the library is a cancellation point, and
 * where not.
 *
 * Three kinds of calls are one while they wait for others: wait_idle, shutdown,
 * and a submit that waits for room. They wait by cf__cond_wait_or_end()
 * (cond.h), which undoes what the wait has begun.
 *
 * Anywhere else a cancellation would leave locks held and callbacks uncalled.
 * So what the library uses of libc's cancellation points is here, with
 * cancellation disabled in the calling thread (the check `cancellation` holds
 * the rest of the library to that). Other code does not pay for it.
 *
 * User code that runs inside a call, in the caller's thread, runs with
 * cancellation disabled for the same reason. Tasks on a worker thread do not:
 * there a cancellation ends the task and the thread.
 */
#ifndef CF_LIB_BASE_CANCEL_H
#define CF_LIB_BASE_CANCEL_H

#include <pthread.h>
#include <sys/types.h>

/* Disables the cancellation of the calling thread; returns what to give to
 * cf__cancel_restore(). */
static inline int
cf__cancel_disable(void)
{
    int former;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former); /* cannot fail */
    return former;
}

/* A cancellation that came meanwhile acts at the thread's next cancellation
 * point. */
static inline void
cf__cancel_restore(int former)
{
    pthread_setcancelstate(former, NULL);
}

/* As the functions without cf__. They keep errno as those leave it; but
 * cf__close() keeps what it was before. */
ssize_t cf__read(int fd, void *to, size_t size);
ssize_t cf__write(int fd, const void *from, size_t size);
void cf__close(int fd);
void cf__join(pthread_t thread);

#endif
