/* SPDX-License-Identifier: MIT */
/*
 * Tasks that start by their priority, and among equals by their order: a binary
 * heap. No locks: the caller has one.
 */
#ifndef CF_LIB_EXECUTOR_TASK_HEAP_H
#define CF_LIB_EXECUTOR_TASK_HEAP_H

#include "lib/future/future.h"

struct cf__heap_task {
    cf_future *f;
    int priority;
    uint64_t order;
};

/* The first is the next to start, and each starts before those at twice its
 * index + 1 and + 2. All zero is an empty one. */
struct cf__task_heap {
    struct cf__heap_task *tasks;
    size_t count, capacity;
};

/* Part of cf__task_heap_reserve(). */
bool cf__task_heap_grow(struct cf__task_heap *heap, size_t count);

/* Makes room for count tasks, including those that are there. false: no
 * memory. */
static inline bool
cf__task_heap_reserve(struct cf__task_heap *heap, size_t count)
{
    return count <= heap->capacity || cf__task_heap_grow(heap, count);
}

void cf__task_heap_fini(struct cf__task_heap *heap);

/* Adds a task; there is room. */
void
cf__task_heap_add(struct cf__task_heap *heap, cf_future *f, uint64_t order);

/* Takes the next to start; there is one. */
struct cf__heap_task cf__task_heap_take(struct cf__task_heap *heap);

/* Takes out all tasks that are no longer pending, linked by next. */
cf_future *cf__task_heap_sweep(struct cf__task_heap *heap);

/* The priority of the next to start; INT64_MIN: there is none. */
static inline int64_t
cf__task_heap_top(const struct cf__task_heap *heap)
{
    return heap->count ? heap->tasks[0].priority : INT64_MIN;
}

/* Asserts that it is a heap and has room for what is in it. */
void cf__task_heap_check(const struct cf__task_heap *heap);

#endif
