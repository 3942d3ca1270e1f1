/* SPDX-License-Identifier: MIT */
/*
 * The budget of operations: a task of an event loop whose waits are all
 * satisfied lets the others run, for each call that can be satisfied. A call
 * with a timeout of 0 never does.
 */
#include "lib/executor/budget.h"

#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <criterion/criterion.h>

enum { OPERATIONS = 100000 };

typedef cf_err operation(cf_future *done, int64_t timeout_ns);

static cf_err
wait_one(cf_future *done, int64_t timeout_ns)
{
    return cf_future_wait(done, timeout_ns);
}

static cf_err
take_result(cf_future *done, int64_t timeout_ns)
{
    return cf_future_result(done, timeout_ns, NULL);
}

static cf_err
wait_all(cf_future *done, int64_t timeout_ns)
{
    return cf_wait(&done, 1, CF_ALL_COMPLETED, timeout_ns, NULL);
}

static cf_err
wait_first(cf_future *done, int64_t timeout_ns)
{
    return cf_wait(&done, 1, CF_FIRST_COMPLETED, timeout_ns, NULL);
}

static cf_err
take_next(cf_future *done, int64_t timeout_ns)
{
    cf_as_completed *it = NULL;
    cf_err err = cf_as_completed_create(&done, 1, &it);
    if (!err)
        err = cf_as_completed_next(it, timeout_ns, &done);
    cf_as_completed_destroy(it);
    return err;
}

struct greedy {
    operation *op;
    int64_t timeout_ns;
    bool other_ran;
    int operations; /* until the other one ran */
};

static int
set_flag(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *(bool *)arg = true;
    return 0;
}

/* Its waits never suspend it. */
static int
be_greedy(cf_call *call, const void *arg, size_t arg_size)
{
    struct greedy *greedy = (struct greedy *)arg;
    cf_executor *ex = cf_call_executor(call);
    cf_future *done;
    (void)arg_size;
    cf_err err = cf_future_create(&done);
    if (!err)
        err = cf_future_set_result(done, NULL, 0);
    if (!err)
        err = cf_submit(ex, set_flag, &greedy->other_ran, 0, NULL);
    while (!err && !greedy->other_ran && greedy->operations < OPERATIONS) {
        greedy->operations++;
        err = greedy->op(done, greedy->timeout_ns);
    }
    cf_future_unref(done);
    return (int)err;
}

static struct greedy
run_greedy(operation *op, int64_t timeout_ns)
{
    struct greedy greedy = {op, timeout_ns, false, 0};
    cf_future *f;
    cr_assert(cf_event_loop_run(NULL, be_greedy, &greedy, 0, &f) == CF_OK);
    cr_assert(cf_future_result(f, 0, NULL) == CF_OK);
    cf_future_unref(f);
    return greedy;
}

static operation *const all[] = {
    wait_one, take_result, wait_all, wait_first, take_next};
enum { ALL = sizeof all / sizeof *all };

Test(budget, satisfied_waits_do_not_starve_another_task)
{
    for (int i = 0; i < ALL; i++) {
        struct greedy greedy = run_greedy(all[i], CF_FOREVER);
        cr_assert(greedy.other_ran, "operation %d starves", i);
        cr_assert(greedy.operations <= CF__BUDGET,
                  "operation %d: %d",
                  i,
                  greedy.operations);
    }
}

Test(budget, calls_that_must_not_wait_never_yield)
{
    for (int i = 0; i < ALL; i++) {
        struct greedy greedy = run_greedy(all[i], 0);
        cr_assert(greedy.operations == OPERATIONS, "operation %d yielded", i);
    }
}

/* A task that runs inside another one's callback may be greedy, too. */
static void
wait_much(cf_future *f, void *data)
{
    struct greedy *greedy = data;
    while (!greedy->other_ran && greedy->operations++ < OPERATIONS)
        cr_assert(greedy->op(f, CF_FOREVER) == CF_OK);
}

static int
complete(cf_call *call, const void *arg, size_t arg_size)
{
    struct greedy *greedy = (struct greedy *)arg;
    cf_future *promise;
    (void)arg_size;
    cr_assert(cf_future_create(&promise) == CF_OK);
    cr_assert(cf_future_on_done(promise, wait_much, greedy) == CF_OK);
    cr_assert(
        cf_submit(
            cf_call_executor(call), set_flag, &greedy->other_ran, 0, NULL) ==
        CF_OK);
    cr_assert(cf_future_set_result(promise, NULL, 0) == CF_OK);
    cf_future_unref(promise);
    return 0;
}

Test(budget, waits_in_a_callback_count)
{
    struct greedy greedy = {wait_one, CF_FOREVER, false, 0};
    cr_assert(cf_event_loop_run(NULL, complete, &greedy, 0, NULL) == CF_OK);
    cr_assert(greedy.other_ran && greedy.operations <= CF__BUDGET);
}

Test(budget, other_threads_lose_nothing)
{
    cf_future *done;
    cr_assert(cf_future_create(&done) == CF_OK);
    cr_assert(cf_future_set_result(done, NULL, 0) == CF_OK);
    for (int i = 0; i < 3 * CF__BUDGET; i++)
        cr_assert(cf_future_wait(done, CF_FOREVER) == CF_OK);
    cf_future_unref(done);
}
