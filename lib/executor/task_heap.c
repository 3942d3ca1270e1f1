/* SPDX-License-Identifier: MIT */
/* A heap of tasks: see task_heap.h. */
#include "lib/executor/task_heap.h"

#include "lib/base/assert.h"
#include "lib/executor/pending.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

bool
cf__task_heap_grow(struct cf__task_heap *heap, size_t count)
{
    size_t capacity = heap->capacity ? 2 * heap->capacity : FIRST_CAPACITY;
    if (capacity < count)
        capacity = count;
    struct cf__heap_task *tasks =
        realloc(heap->tasks, capacity * sizeof *tasks);
    if (!tasks)
        return false;
    heap->tasks = tasks;
    heap->capacity = capacity;
    return true;
}

void
cf__task_heap_fini(struct cf__task_heap *heap)
{
    free(heap->tasks);
    *heap = (struct cf__task_heap){NULL, 0, 0};
}

/* a starts before b. */
static bool
before(const struct cf__heap_task *a, const struct cf__heap_task *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->order < b->order;
}

/* The task goes up from `at` to where no task above it must start later. */
static void
place_up(struct cf__task_heap *heap, size_t at, struct cf__heap_task task)
{
    while (at > 0 && before(&task, &heap->tasks[(at - 1) / 2])) {
        heap->tasks[at] = heap->tasks[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->tasks[at] = task;
}

/* The task goes down from `at` to where no task below it must start earlier. */
static void
place_down(struct cf__task_heap *heap, size_t at, struct cf__heap_task task)
{
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count &&
            before(&heap->tasks[child + 1], &heap->tasks[child]))
            child++;
        if (!before(&heap->tasks[child], &task))
            break;
        heap->tasks[at] = heap->tasks[child];
    }
    heap->tasks[at] = task;
}

void
cf__task_heap_add(struct cf__task_heap *heap, cf_future *f, uint64_t order)
{
    cf__assert(heap->count < heap->capacity);
    struct cf__heap_task task = {f, cf__priority(f), order};
    place_up(heap, heap->count++, task);
}

struct cf__heap_task
cf__task_heap_take(struct cf__task_heap *heap)
{
    struct cf__heap_task first = heap->tasks[0];
    struct cf__heap_task last = heap->tasks[--heap->count];
    if (heap->count > 0)
        place_down(heap, 0, last);
    return first;
}

cf_future *
cf__task_heap_sweep(struct cf__task_heap *heap)
{
    cf_future *swept = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < heap->count; i++) {
        cf_future *f = heap->tasks[i].f;
        if (!cf__is_stale(f)) {
            heap->tasks[kept++] = heap->tasks[i];
            continue;
        }
        cf_store_relaxed(&f->next, swept); /* out of the heap, and ours */
        swept = f;
    }
    if (kept == heap->count)
        return NULL;
    heap->count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        place_down(heap, i, heap->tasks[i]);
    return swept;
}

void
cf__task_heap_check(const struct cf__task_heap *heap)
{
    cf__assert(heap->count <= heap->capacity);
#ifdef CF_ASSERTIONS
    for (size_t i = 0; i < heap->count; i++) {
        const struct cf__heap_task *task = &heap->tasks[i];
        cf__assert(task->f);
        cf__assert(i == 0 || before(&heap->tasks[(i - 1) / 2], task));
    }
#endif
}
