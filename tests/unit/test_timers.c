/* SPDX-License-Identifier: MIT */
/*
 * lib/executor/timers.h with futures that never run: the order of deadlines,
 * stops, second deadlines, no memory, callbacks that wait, and the check.
 */
#include "lib/executor/executor.h"
#include "lib/executor/server.h"
#include "lib/executor/timers.h"
#include "tests/support/gate.h"
#include "tests/support/process.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

TestSuite(timers, .timeout = 20);

enum { TASKS = 500 };

static cf_executor executor;
static struct cf__timers *timers;
static cf_future tasks[TASKS];
static struct cf__attributes attributes[TASKS];
static int order[2 * TASKS]; /* the tasks that expired, by their numbers */
static gate *expiries;       /* counts them, and is open */
static gate *hold;           /* a test may hold an expiry there */
static void (*during)(cf_future *f); /* called in each expiry; NULL: nothing */
static bool realloc_fails;

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *
__wrap_realloc(void *p, size_t size)
{
    return realloc_fails ? NULL : __real_realloc(p, size);
}

static void
expired(cf_future *f)
{
    cr_assert(cf__now_ns() >= f->attributes->timer_at);
    order[gate_arrived(expiries)] = (int)(f - tasks);
    if (during)
        during(f);
    gate_arrive(expiries);
}

static void
begin(void)
{
    cf__origin_note(&executor.origin);
    timers = cf__timers_new(&executor, expired);
    cr_assert_not_null(timers);
    expiries = gate_new();
    hold = gate_new();
    for (int i = 0; i < TASKS; i++) {
        tasks[i].attributes = &attributes[i];
        tasks[i].executor = &executor;
        atomic_init(&tasks[i].word, CF__HANDLE | CF_RUNNING);
    }
}

static void
end(void)
{
    cf__timers_free(timers);
    cf__origin_fini(&executor.origin);
}

static void
start(int i, int64_t timeout_ns)
{
    attributes[i].timeout_ns = timeout_ns;
    cr_assert(cf__timers_reserve(timers) == CF_OK);
    cf__timers_start(timers, &tasks[i]);
}

/* Waits until so many expiries are over. */
static void
await_expiries(int count)
{
    gate_await(expiries, count);
    cr_assert(cf__timers_await_callback(timers, CF__NEVER) == CF_OK);
    cr_assert(gate_arrived(expiries) == count);
}

Test(timers, have_a_thread_with_a_name_of_its_own, .init = begin, .fini = end)
{
    start(0, CF_SECONDS(100));
    process_await_thread("cf_timers");
    cf__timers_stop(timers, &tasks[0]);
}

Test(timers, expire_in_the_order_of_deadlines, .init = begin, .fini = end)
{
    start(0, CF_MS(60));
    start(1, CF_MS(20));
    start(2, CF_MS(40));
    await_expiries(3);
    cr_assert(order[0] == 1 && order[1] == 2 && order[2] == 0);
    for (int i = 0; i < 3; i++)
        cf__timers_stop(timers, &tasks[i]);
}

Test(timers, hold_many_in_any_order, .init = begin, .fini = end)
{
    for (int i = 0; i < TASKS; i++) {
        start(i, CF_MS(1) + CF_MS(i * 173 % TASKS) / 10);
        cf__timers_check(timers);
    }
    for (int i = 0; i < TASKS; i += 3) { /* expired by now or not */
        cf__timers_stop(timers, &tasks[i]);
        cf__timers_check(timers);
    }
    const int left = TASKS - (TASKS + 2) / 3;
    for (int i = 0, seen = 0; seen < left; i++) {
        gate_await(expiries, i + 1);
        seen += order[i] % 3 != 0;
        cf__timers_check(timers);
    }
    for (int i = 0; i < TASKS; i++)
        if (i % 3)
            cf__timers_stop(timers, &tasks[i]);
    cf__timers_check(timers);
}

Test(timers, do_not_expire_what_is_stopped, .init = begin, .fini = end)
{
    start(0, CF_MS(30));
    start(1, CF_MS(60));
    start(2, CF_MS(10));
    cf__timers_stop(timers, &tasks[0]);
    await_expiries(2);
    cr_assert(order[0] == 2 && order[1] == 1);
    cf__timers_check(timers);
}

Test(timers, start_a_task_once, .init = begin, .fini = end)
{
    start(0, CF_MS(20));
    int64_t at = attributes[0].timer_at;
    attributes[0].timeout_ns = CF_MS(500);
    cf__timers_start(timers, &tasks[0]);
    cr_assert(attributes[0].timer_at == at);
    start(1, CF_MS(40));
    await_expiries(2);
    cr_assert(order[0] == 0 && order[1] == 1);
}

static void
give_more_time(cf_future *f)
{
    if (gate_arrived(expiries) == 0)
        cf__timers_again(timers, f, cf__now_ns() + CF__MS(10));
}

Test(timers, give_a_task_more_time_and_expire_again, .init = begin, .fini = end)
{
    during = give_more_time;
    start(0, CF_MS(1));
    await_expiries(2);
    cr_assert(order[0] == 0 && order[1] == 0);
    cf__timers_stop(timers, &tasks[0]);
}

static void
stop_and_give_more_time(cf_future *f)
{
    if (f != &tasks[0])
        return;
    cf__timers_stop(timers, f);
    cf__timers_again(timers, f, 0);
}

Test(timers, give_no_time_to_what_is_stopped, .init = begin, .fini = end)
{
    during = stop_and_give_more_time;
    start(0, CF_MS(1));
    start(1, CF_MS(20));
    await_expiries(2);
    cr_assert(order[0] == 0 && order[1] == 1);
    cf__timers_check(timers);
}

Test(timers, refuse_what_they_have_no_memory_for, .init = begin, .fini = end)
{
    realloc_fails = true;
    cr_assert(cf__timers_reserve(timers) == CF_ENOMEM);
    realloc_fails = false;
    cf__timers_check(timers);
    int reserved = 0;
    for (; reserved < 100; reserved++)
        cr_assert(cf__timers_reserve(timers) == CF_OK);
    realloc_fails = true; /* what has room needs no memory any more */
    while (cf__timers_reserve(timers) == CF_OK)
        reserved++;
    for (int i = 0; i < reserved && i < TASKS; i++) {
        attributes[i].timeout_ns = CF_SECONDS(100);
        cf__timers_start(timers, &tasks[i]);
    }
    realloc_fails = false;
    cf__timers_check(timers);
}

static void
pass_hold(cf_future *f)
{
    (void)f;
    cr_assert(!cf__timers_in_callback(timers), "not in another thread");
    cr_assert(cf__timers_await_callback(timers, CF__NEVER) == CF_OK);
    gate_pass(hold);
}

Test(timers, are_awaited_while_they_call, .init = begin, .fini = end)
{
    during = pass_hold;
    cr_assert(!cf__timers_in_callback(timers));
    start(0, CF_MS(1));
    gate_await(hold, 1);
    cr_assert(cf__timers_in_callback(timers));
    cr_assert(cf__timers_await_callback(timers, 0) == CF_ETIMEDOUT);
    cf__timers_check(timers);
    gate_open(hold);
    await_expiries(1);
    cr_assert(!cf__timers_in_callback(timers));
}

/* Each expiry waits until the next task has expired. */
static void
serve_until_next(cf_future *f)
{
    int next = (int)(f - tasks) + 1;
    cr_assert_not_null(cf__thread.server);
    while (next < 20 && order[next] != next) {
        cf__thread.server->serve(cf__thread.server, CF__NEVER);
        cf__timers_check(timers);
    }
}

static void
expired_in_place(cf_future *f)
{
    int i = (int)(f - tasks);
    order[i] = i;
    serve_until_next(f);
    gate_arrive(expiries);
}

Test(timers, expire_tasks_in_callbacks_that_wait, .fini = end)
{
    begin();
    cf__timers_free(timers);
    timers = cf__timers_new(&executor, expired_in_place);
    for (int i = 0; i < 20; i++)
        order[i] = -1;
    for (int i = 0; i < 20; i++)
        start(i, CF_MS(2 + i));
    await_expiries(20);
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(timers, broken_##what, .init = fill, .signal = SIGABRT)

static void
fill(void)
{
    begin();
    for (int i = 0; i < 10; i++)
        start(i, CF_SECONDS(100 + i));
    cf__timers_check(timers);
}

BROKEN(by_an_order_of_the_heap)
{
    attributes[9].timer_at = 0;
    cf__timers_check(timers);
}

BROKEN(by_a_place_that_is_not_the_tasks)
{
    attributes[5].timer_index++;
    cf__timers_check(timers);
}

BROKEN(by_more_tasks_than_there_is_room_for)
{
    cf__timers_unreserve(timers);
    cf__timers_check(timers);
}

BROKEN(by_a_task_that_was_stopped_twice)
{
    for (int i = 0; i < 10; i++)
        cf__timers_stop(timers, &tasks[i]);
    cf__timers_check(timers);
    cf__timers_stop(timers, &tasks[0]);
}

#endif
