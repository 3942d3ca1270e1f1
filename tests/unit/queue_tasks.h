/* SPDX-License-Identifier: MIT */
/* A queue, and many tasks that are in no executor. */
#ifndef CF_TESTS_UNIT_QUEUE_TASKS_H
#define CF_TESTS_UNIT_QUEUE_TASKS_H

#include "lib/executor/queue.h"
#include "lib/future/life.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 5000 }; /* ten blocks, and more than the ring holds */

static struct cf__queue queue;
static cf_future *tasks;

static inline void
open_queue(void)
{
    tasks = aligned_alloc(CF_CACHE_LINE, TASKS * sizeof *tasks);
    cr_assert_not_null(tasks);
    memset(tasks, 0, TASKS * sizeof *tasks);
    cf__queue_init(&queue);
    cf__queue_open(&queue);
}

static inline void
close_queue(void)
{
    cf__queue_fini(&queue);
    free(tasks);
}

/* Pushes the tasks from .. from + count - 1 together. */
static inline cf_err
push(int from, int count)
{
    for (int i = from; i < from + count - 1; i++)
        atomic_init(&tasks[i].next, &tasks[i + 1]);
    /* A link that the newest task still has does not matter. */
    atomic_init(&tasks[from + count - 1].next, &tasks[0]);
    return cf__queue_push(&queue, &tasks[from], (size_t)count);
}

static inline void
expect_taken(int from, int to)
{
    for (int i = from; i < to; i++)
        cr_assert(cf__queue_take(&queue) == &tasks[i], "task %d", i);
}

/* Makes the tasks whose number leaves a rest no longer pending, but for one
 * handle of the queue's and one of the test's. */
static inline void
cancel_all_but(int each)
{
    for (int i = 0; i < TASKS; i++)
        atomic_init(&tasks[i].word,
                    2 * CF__HANDLE |
                        (uint64_t)(i % each ? CF_CANCELED : CF_PENDING));
}

/* So many more have ceased to be pending that all is looked at. */
static inline void
tidy(void)
{
    static uint64_t calls;
    calls += TASKS;
    cf__future_unref_list(cf__queue_tidy(&queue, calls));
}

#endif
