/* SPDX-License-Identifier: MIT */
/*
 * A wait in a task that is told to stop, at the moment that matters: between
 * the worker's last look at what it waits for and its look at its own task. The
 * executor is a stand-in, whose `running` operation is that second look.
 */
#include <cfutures/wait.h>
#include <criterion/criterion.h>

#include "lib/executor/executor.h"

static cf_future *awaited, *task;

/* The awaited future is completed, and then the task is told to stop. */
static cf_future *
complete_and_tell(struct cf__worker *self)
{
    (void)self;
    (void)cf_future_set_result(awaited, NULL, 0);
    (void)cf_fetch_or_acq_rel(&task->word, CF__INTERRUPT);
    return task;
}

static cf_future *
tell(struct cf__worker *self)
{
    (void)self;
    (void)cf_fetch_or_acq_rel(&task->word, CF__INTERRUPT);
    return task;
}

static struct cf__executor_ops ops;
static struct cf_executor ex = {.ops = &ops};
static struct cf__worker worker = {.executor = &ex};

static void
enter_task(void)
{
    cr_assert(cf_future_create(&awaited) == CF_OK);
    cr_assert(cf_future_create(&task) == CF_OK);
    cr_assert(cf_future_start(task));
    cf__thread.worker = &worker;
}

static void
leave_task(void)
{
    cf__thread.worker = NULL;
    cf_future_unref(awaited);
    cf_future_unref(task);
}

Test(wait_in_task,
     succeeds_if_satisfied_before_the_interrupt,
     .init = enter_task,
     .fini = leave_task,
     .timeout = 10)
{
    ops.running = complete_and_tell;
    cr_expect(cf_future_wait(awaited, CF_FOREVER) == CF_OK);
}

Test(wait_in_task,
     for_the_first_succeeds_if_satisfied_before_the_interrupt,
     .init = enter_task,
     .fini = leave_task,
     .timeout = 10)
{
    ops.running = complete_and_tell;
    cr_expect(cf_wait(&awaited, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL) ==
              CF_OK);
}

Test(wait_in_task,
     ends_if_it_is_not_satisfied,
     .init = enter_task,
     .fini = leave_task,
     .timeout = 10)
{
    ops.running = tell;
    cr_expect(cf_future_wait(awaited, CF_FOREVER) == CF_EINTERRUPTED);
    cr_expect(cf_wait(&awaited, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL) ==
              CF_EINTERRUPTED);
}
