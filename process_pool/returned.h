/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. Tasks that were handed to a worker and
 * taken back before it started them: they go before all others of their
 * priority, in their old order.
 */
#ifndef CF_PROCESS_POOL_RETURNED_H
#define CF_PROCESS_POOL_RETURNED_H

#include "lib/future/future.h"

struct cf__returned_task {
    cf_future *f;
    int priority;
    uint64_t sequence; /* by its first handing out */
};

/* A heap: the first is the next to start, and each starts before those at twice
 * its index + 1 and + 2. All zero is an empty one. */
struct cf__returned {
    struct cf__returned_task *tasks;
    size_t count, capacity;
};

/* Part of cf__returned_reserve(). */
bool cf__returned_grow(struct cf__returned *returned, size_t count);

/* Makes room for count tasks, including those that are there. false: no
 * memory. */
static inline bool
cf__returned_reserve(struct cf__returned *returned, size_t count)
{
    return count <= returned->capacity || cf__returned_grow(returned, count);
}

void cf__returned_fini(struct cf__returned *returned);

/* Adds a task; there is room. */
void cf__returned_add(struct cf__returned *returned,
                      cf_future *f,
                      uint64_t sequence);

/* Takes the next to start; there is one. */
struct cf__returned_task cf__returned_take(struct cf__returned *returned);

/* Takes out all tasks that are no longer pending, linked by next. */
cf_future *cf__returned_sweep(struct cf__returned *returned);

/* The priority of the next to start; INT64_MIN: there is none. */
static inline int64_t
cf__returned_top(const struct cf__returned *returned)
{
    return returned->count ? returned->tasks[0].priority : INT64_MIN;
}

/* Asserts that it is a heap and has room for what is in it. */
void cf__returned_check(const struct cf__returned *returned);

#endif
