/* SPDX-License-Identifier: MIT */
/* Tasks that were taken back: they start in the order of returned.h. */
#include <criterion/criterion.h>

#include "process_pool/returned.h"

enum { TASKS = 3000, PRIORITIES = 3, STRIDE = 7919 /* prime */ };

static cf_future tasks[TASKS];
static struct cf__returned returned;

/* Adds all tasks, by priorities and sequences that are in no order. */
static void
add_all(void)
{
    static struct cf__attributes attributes[PRIORITIES];
    cr_assert(cf__returned_reserve(&returned, TASKS));
    for (int i = 0; i < PRIORITIES; i++)
        attributes[i].priority = i - 1;
    for (uint64_t i = 0; i < TASKS; i++) {
        atomic_store(&tasks[i].word, CF__HANDLE | CF_PENDING);
        tasks[i].attributes = &attributes[i % PRIORITIES];
        cf__returned_add(&returned, &tasks[i], 1 + i * STRIDE % TASKS);
        if (i % 64 == 0)
            cf__returned_check(&returned);
    }
}

/* Takes all, and checks their order. */
static void
take_all(size_t expected)
{
    struct cf__returned_task before = {NULL, 0, 0};
    size_t count = 0;
    for (; returned.count > 0; count++) {
        cr_assert(cf__returned_top(&returned) == returned.tasks[0].priority);
        struct cf__returned_task task = cf__returned_take(&returned);
        cf__returned_check(&returned);
        cr_assert(!before.f || before.priority > task.priority ||
                  (before.priority == task.priority &&
                   before.sequence < task.sequence));
        before = task;
    }
    cr_assert(count == expected);
    cr_assert(cf__returned_top(&returned) == INT64_MIN);
}

Test(returned, start_by_priority_and_then_as_they_were_handed_out)
{
    add_all();
    take_all(TASKS);
    cf__returned_fini(&returned);
}

Test(returned, without_those_that_are_no_longer_pending)
{
    size_t swept = 0;
    add_all();
    cr_assert_null(cf__returned_sweep(&returned), "all are pending");
    for (int i = 0; i < TASKS; i += 7)
        atomic_store(&tasks[i].word, CF__HANDLE | CF_CANCELED);
    for (cf_future *f = cf__returned_sweep(&returned); f;
         f = atomic_load(&f->next), swept++)
        cr_assert((f - tasks) % 7 == 0);
    cr_assert(swept == (TASKS + 6) / 7);
    cf__returned_check(&returned);
    take_all(TASKS - swept);
    cf__returned_fini(&returned);
}
