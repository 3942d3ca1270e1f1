/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. A heap: see returned.h.
 */
#include "process_pool/returned.h"

#include "lib/base/assert.h"
#include "lib/executor/pending.h"
#include "lib/executor/queue.h"

#include <stdlib.h>

bool
cf__returned_grow(struct cf__returned *returned, size_t count)
{
    size_t capacity = count + returned->capacity / 2;
    struct cf__returned_task *tasks =
        realloc(returned->tasks, capacity * sizeof *tasks);
    if (!tasks)
        return false;
    returned->tasks = tasks;
    returned->capacity = capacity;
    return true;
}

void
cf__returned_fini(struct cf__returned *returned)
{
    free(returned->tasks);
    *returned = (struct cf__returned){NULL, 0, 0};
}

/* a starts before b. */
static bool
before(const struct cf__returned_task *a, const struct cf__returned_task *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->sequence < b->sequence;
}

/* The task at `at` goes up to where no task above it must start later. */
static void
sift_up(struct cf__returned *returned, size_t at)
{
    struct cf__returned_task task = returned->tasks[at];
    while (at > 0 && before(&task, &returned->tasks[(at - 1) / 2])) {
        returned->tasks[at] = returned->tasks[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    returned->tasks[at] = task;
}

/* The task at `at` goes down to where no task below it must start earlier. */
static void
sift_down(struct cf__returned *returned, size_t at)
{
    struct cf__returned_task task = returned->tasks[at];
    for (size_t child; (child = 2 * at + 1) < returned->count; at = child) {
        if (child + 1 < returned->count &&
            before(&returned->tasks[child + 1], &returned->tasks[child]))
            child++;
        if (!before(&returned->tasks[child], &task))
            break;
        returned->tasks[at] = returned->tasks[child];
    }
    returned->tasks[at] = task;
}

void
cf__returned_add(struct cf__returned *returned, cf_future *f, uint64_t sequence)
{
    returned->tasks[returned->count++] =
        (struct cf__returned_task){f, cf__priority(f), sequence};
    sift_up(returned, returned->count - 1);
}

struct cf__returned_task
cf__returned_take(struct cf__returned *returned)
{
    struct cf__returned_task first = returned->tasks[0];
    returned->tasks[0] = returned->tasks[--returned->count];
    if (returned->count > 0)
        sift_down(returned, 0);
    return first;
}

cf_future *
cf__returned_sweep(struct cf__returned *returned)
{
    cf_future *swept = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < returned->count; i++) {
        cf_future *f = returned->tasks[i].f;
        if (!cf__is_stale(f)) {
            returned->tasks[kept++] = returned->tasks[i];
            continue;
        }
        cf_store_relaxed(&f->next, swept); /* out of the list, and ours */
        swept = f;
    }
    if (kept == returned->count)
        return NULL;
    returned->count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(returned, i);
    return swept;
}

void
cf__returned_check(const struct cf__returned *returned)
{
    cf__assert(returned->count <= returned->capacity);
#ifdef CF_ASSERTIONS
    for (size_t i = 0; i < returned->count; i++) {
        const struct cf__returned_task *task = &returned->tasks[i];
        cf__assert(task->f && task->sequence != 0);
        cf__assert(i == 0 || before(&returned->tasks[(i - 1) / 2], task));
    }
#endif
}
