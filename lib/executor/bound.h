/* SPDX-License-Identifier: MIT */
/*
 * The bound of an executor's queue: how many tasks may be pending, and what a
 * submit does when there is no room. README.md, "The bound", has the protocol.
 */
#ifndef CF_LIB_EXECUTOR_BOUND_H
#define CF_LIB_EXECUTOR_BOUND_H

#include <cfutures/executor.h>

#include "lib/base/export.h"

struct cf__bound;

/* NULL: no memory. */
struct cf__bound *cf__bound_new(size_t capacity, cf_queue_policy policy);

void cf__bound_free(struct cf__bound *bound);

/* What a submit does when the bound has no room. */
enum cf__entry {
    CF__ENTRY_BY_POLICY, /* waits, is refused, or runs its tasks */
    CF__ENTRY_FIRMLY,    /* the same, but that the task was told to stop, or a
                            scope strikes, does not end the wait */
    CF__ENTRY_AT_ONCE,   /* neither waits nor runs its tasks: is refused if the
                            policy is to reject, else goes over the bound */
    CF__ENTRY_OVER       /* goes over the bound, whatever the policy */
};

enum cf__bound_answer {
    CF__BOUND_ROOM,        /* room is taken */
    CF__BOUND_CALLER_RUNS, /* there is none, and the policy is that the caller
                              runs the tasks. Not for CF__ENTRY_AT_ONCE, nor
                              for CF__ENTRY_OVER */
    CF__BOUND_REFUSED      /* *why is the error of the submit */
};

/*
 * Takes room for count tasks, all or none. The errors in *why: CF_EAGAIN if
 * there is no room and the policy is to reject; CF_ETOOBIG if count is more
 * than the capacity; what cf__bound_close() was given; or those of
 * cf__sleeper_wait(). While a plain thread waits for room, outside of scopes,
 * it is a cancellation point.
 */
enum cf__bound_answer cf__bound_acquire(struct cf__bound *bound,
                                        size_t count,
                                        enum cf__entry entry,
                                        cf_err *why);

/* A submit by policy would wait for room, or run its task. */
bool cf__bound_is_full(struct cf__bound *bound);

/* A task that was released is pending again. The bound takes it also if it is
 * full or closed. */
void cf__bound_take_back(struct cf__bound *bound);

size_t cf__bound_capacity(const struct cf__bound *bound);

/* count tasks are no longer pending. */
CF__EXPORT void cf__bound_release(struct cf__bound *bound, size_t count);

/* How many tasks are pending, as the bound counts them. */
size_t cf__bound_pending(struct cf__bound *bound);

/* Ends all waits for room, and refuses what comes later, with that error. */
CF__EXPORT void cf__bound_close(struct cf__bound *bound, cf_err why);

/* Asserts that the bound is whole (lib/base/assert.h). Takes its lock. */
void cf__bound_check(struct cf__bound *bound);

/* In a fork's child: a thread that is not there may hold the lock. */
CF__EXPORT void cf__bound_after_fork(struct cf__bound *bound);

#endif
