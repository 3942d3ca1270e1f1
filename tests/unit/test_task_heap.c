/* SPDX-License-Identifier: MIT */
/* A heap of tasks: they start in the order of task_heap.h. */
#include <criterion/criterion.h>

#include "lib/executor/task_heap.h"

enum { TASKS = 3000, PRIORITIES = 3, STRIDE = 7919 /* prime */ };

static cf_future tasks[TASKS];
static struct cf__task_heap heap;

/* Adds all tasks, by priorities and orders that are in no order. */
static void
add_all(void)
{
    static struct cf__attributes attributes[PRIORITIES];
    cr_assert(cf__task_heap_reserve(&heap, TASKS));
    for (int i = 0; i < PRIORITIES; i++)
        attributes[i].priority = i - 1;
    for (uint64_t i = 0; i < TASKS; i++) {
        atomic_store(&tasks[i].word, CF__HANDLE | CF_PENDING);
        tasks[i].attributes = &attributes[i % PRIORITIES];
        cf__task_heap_add(&heap, &tasks[i], 1 + i * STRIDE % TASKS);
        if (i % 64 == 0)
            cf__task_heap_check(&heap);
    }
}

/* Takes all, and checks their order. */
static void
take_all(size_t expected)
{
    struct cf__heap_task before = {NULL, 0, 0};
    size_t count = 0;
    for (; heap.count > 0; count++) {
        cr_assert(cf__task_heap_top(&heap) == heap.tasks[0].priority);
        struct cf__heap_task task = cf__task_heap_take(&heap);
        cf__task_heap_check(&heap);
        cr_assert(
            !before.f || before.priority > task.priority ||
            (before.priority == task.priority && before.order < task.order));
        before = task;
    }
    cr_assert(count == expected);
    cr_assert(cf__task_heap_top(&heap) == INT64_MIN);
}

Test(task_heap, starts_tasks_by_priority_and_then_in_their_order)
{
    add_all();
    take_all(TASKS);
    cf__task_heap_fini(&heap);
}

Test(task_heap, without_those_that_are_no_longer_pending)
{
    size_t swept = 0;
    add_all();
    cr_assert_null(cf__task_heap_sweep(&heap), "all are pending");
    for (int i = 0; i < TASKS; i += 7)
        atomic_store(&tasks[i].word, CF__HANDLE | CF_CANCELED);
    for (cf_future *f = cf__task_heap_sweep(&heap); f;
         f = atomic_load(&f->next), swept++)
        cr_assert((f - tasks) % 7 == 0);
    cr_assert(swept == (TASKS + 6) / 7);
    cf__task_heap_check(&heap);
    take_all(TASKS - swept);
    cf__task_heap_fini(&heap);
}
