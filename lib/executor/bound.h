/* SPDX-License-Identifier: MIT */
/*
 * The bound of an executor's queue: how many tasks may be pending, and what a
 * submit does when there is no room. Executors without a bound have none.
 */
#ifndef CF_LIB_EXECUTOR_BOUND_H
#define CF_LIB_EXECUTOR_BOUND_H

#include <cfutures/executor.h>

struct cf__bound;

/* NULL: no memory. */
struct cf__bound *cf__bound_new(size_t capacity, cf_queue_policy policy);

void cf__bound_free(struct cf__bound *bound);

/* Who enters. */
enum cf__entry {
    CF__ENTRY_BY_POLICY, /* waits, is refused or runs its task, if it is full */
    CF__ENTRY_AT_ONCE,   /* neither waits nor runs its task: goes over the bound
                            unless the policy is to reject */
    CF__ENTRY_OVER       /* goes over the bound, whatever the policy */
};

/* What becomes of tasks that ask for room. */
enum cf__bound_answer {
    CF__BOUND_ROOM,        /* they have it */
    CF__BOUND_CALLER_RUNS, /* full: the caller runs them. Only by policy */
    CF__BOUND_REFUSED
};

/*
 * Takes room for count tasks, all or none. If it is refused, *why is the
 * submit's error: CF_EAGAIN: full, and the policy is to reject. CF_ETOOBIG:
 * more than the capacity. Another: what cf__bound_close() gave. A cancellation
 * point while it waits for room.
 */
enum cf__bound_answer cf__bound_acquire(struct cf__bound *bound,
                                        size_t count,
                                        enum cf__entry entry,
                                        cf_err *why);

/* Whoever enters by policy would wait for room, or run its task. */
bool cf__bound_is_full(struct cf__bound *bound);

/* A task that has been released is pending again, also if the bound is full or
 * closed. */
void cf__bound_take_back(struct cf__bound *bound);

size_t cf__bound_capacity(const struct cf__bound *bound);

/* count tasks are pending no more. */
void cf__bound_release(struct cf__bound *bound, size_t count);

/* How many are pending by its count. */
size_t cf__bound_pending(struct cf__bound *bound);

/* Ends the waits for room, now and later, with an error. */
void cf__bound_close(struct cf__bound *bound, cf_err why);

/* In a fork's child, where the lock may be held by nobody. */
void cf__bound_after_fork(struct cf__bound *bound);

#endif
