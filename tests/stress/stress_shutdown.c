/* SPDX-License-Identifier: MIT */
/*
 * Shutdown, terminate and destroy against submitters, waiters, tasks and
 * callbacks. Attacks thread_pool/end.c (which threads it waits for, which one
 * frees the pool), the closing of lib/executor/queue.c against pushes, and
 * thread_pool/idle.c: a worker that falls asleep after all were woken must not
 * stay.
 *
 * Every accepted future ends up done, nothing runs after a shutdown that said
 * so, and destroy returns.
 */
#include "common.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { SUBMITTERS = 3, TASKS = 400 };

struct round {
    cf_executor *ex;
    uint64_t number;
    atomic_int running;  /* tasks that have begun and not ended */
    atomic_int accepted; /* tasks */
    atomic_int called;   /* callbacks of tasks that have one */
    atomic_bool end_from_task, end_from_callback; /* not yet done */
    unsigned flags;
    bool terminate;
    bool detach;        /* children may outlive their parents */
    unsigned end_after; /* the task or thread that ends it */
    unsigned delay_ns;
    /* Each submitter's own; read after it was joined. */
    unsigned counts[SUBMITTERS];
    cf_future *futures[SUBMITTERS][TASKS];
};

static void
end_now(struct round *round, int64_t timeout_ns)
{
    if (round->terminate) {
        CHECK_EQ(cf_executor_terminate(round->ex, 15), CF_OK);
        return;
    }
    cf_err err = cf_executor_shutdown(round->ex, round->flags, timeout_ns);
    CHECK(err == CF_OK || err == CF_ETIMEDOUT);
}

static int
run_child(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    struct round *round = (struct round *)(uintptr_t)arg;
    atomic_fetch_add(&round->running, 1);
    struct random r = random_stream((uint64_t)(uintptr_t)&r ^ round->number);
    random_delay(&r, round->delay_ns);
    atomic_fetch_sub(&round->running, 1);
    return 0;
}

/* Only a task that no other waits for may end the pool: else the shutdown
 * waits for the other's worker, and that for this task. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    struct round *round = (struct round *)(uintptr_t)arg;
    atomic_fetch_add(&round->running, 1);
    struct random r = random_stream((uint64_t)(uintptr_t)&r ^ round->number);
    random_delay(&r, round->delay_ns);
    if (atomic_load(&round->accepted) > (int)round->end_after &&
        atomic_exchange(&round->end_from_task, false)) {
        end_now(round, random_percent(&r, 50) ? CF_FOREVER : 10000);
        /* A shutdown that says now that nothing runs any more is wrong. */
        random_delay(&r, 20000);
    }
    atomic_fetch_sub(&round->running, 1);
    return 0;
}

/* A task with children, so that deques are not empty at the end. */
static int
run_nested(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *children[4];
    int count = 0;
    while (count < 4 && cf_submit(cf_call_executor(call),
                                  run_child,
                                  arg,
                                  arg_size,
                                  &children[count]) == CF_OK)
        count++;
    struct round *round = (struct round *)(uintptr_t)arg;
    while (count-- > 0) {
        if (!round->detach)
            CHECK_EQ(cf_future_wait(children[count], CF_FOREVER), CF_OK);
        cf_future_unref(children[count]);
    }
    return 0;
}

static void
done(cf_future *f, void *data)
{
    struct round *round = data;
    CHECK(cf_future_done(f));
    if (atomic_load(&round->accepted) > (int)round->end_after &&
        atomic_exchange(&round->end_from_callback, false))
        end_now(round, CF_FOREVER);
    atomic_fetch_add(&round->called, 1);
}

static void
submit(unsigned index, void *data)
{
    struct round *round = data;
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    unsigned *count = &round->counts[index];
    for (cf_future *f; *count < TASKS; round->futures[index][(*count)++] = f) {
        cf_task_fn *fn = random_percent(&r, 10) ? run_nested : run;
        cf_err err = cf_submit(round->ex, fn, round, 0, &f);
        if (err) {
            CHECK_EQ(err, CF_ESHUTDOWN);
            break;
        }
        atomic_fetch_add(&round->accepted, 1);
        CHECK_EQ(cf_future_on_done(f, done, round), CF_OK);
        if (random_percent(&r, 20))
            (void)cf_future_wait(f, random_below(&r, 100000));
        else if (random_percent(&r, 10))
            (void)cf_future_cancel(f);
        stress_alive();
    }
}

/* One more thread, which ends it or waits until it is idle. */
static void
submit_or_end(unsigned index, void *data)
{
    struct round *round = data;
    if (index < SUBMITTERS) {
        submit(index, data);
        return;
    }
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    random_delay(&r, 500000);
    if (random_percent(&r, 50)) {
        (void)cf_executor_wait_idle(round->ex, random_below(&r, 1000000));
    } else {
        end_now(round, random_percent(&r, 50) ? CF_FOREVER : 0);
    }
}

/* The shutdown that says that it is over. */
static void
last_shutdown(struct round *round)
{
    CHECK_EQ(cf_executor_shutdown(round->ex, 0, CF_FOREVER), CF_OK);
    CHECK_EQ(atomic_load(&round->running), 0);
    CHECK_EQ(atomic_load(&round->called), atomic_load(&round->accepted));
}

/* The submit itself uses the pool until it returns. */
static int
destroy_own(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    atomic_bool *submitted = (atomic_bool *)(uintptr_t)arg;
    while (!atomic_load(submitted))
        sched_yield();
    cf_executor_destroy(cf_call_executor(call));
    return 0;
}

/* From one of its tasks, if it still takes one: then what is queued on that
 * worker runs later. */
static void
destroy_from_inside(struct round *round)
{
    atomic_bool submitted = false;
    cf_future *f;
    stress_show(NULL);
    if (cf_submit(round->ex, destroy_own, &submitted, 0, &f) != CF_OK) {
        cf_executor_destroy(round->ex);
        return;
    }
    atomic_store(&submitted, true);
    CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
    cf_future_unref(f);
    while (atomic_load(&round->called) < atomic_load(&round->accepted))
        sched_yield();
}

static uint64_t
one_round(struct round *round, uint64_t number)
{
    static const unsigned flags[] = {0,
                                     CF_SHUTDOWN_CANCEL,
                                     CF_SHUTDOWN_NOWAIT,
                                     CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT};
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    memset(round, 0, sizeof *round);
    round->number = number;
    round->ex = stress_random_pool(&r);
    round->flags = flags[random_below(&r, 4)];
    round->terminate = random_percent(&r, 20);
    round->end_after = random_below(&r, SUBMITTERS * TASKS);
    round->delay_ns = random_percent(&r, 50) ? 0 : 5000;
    round->end_from_task = random_percent(&r, 40);
    round->end_from_callback = random_percent(&r, 30);
    unsigned extra = random_below(&r, 3);
    unsigned way_to_end = random_below(&r, 3);
    round->detach = way_to_end != 2 && random_percent(&r, 50);
    in_threads(SUBMITTERS + extra, submit_or_end, round);
    switch (way_to_end) {
    case 0:
        last_shutdown(round);
        stress_pool_destroy(round->ex);
        break;
    case 1:
        stress_pool_destroy(round->ex);
        CHECK_EQ(atomic_load(&round->running), 0);
        break;
    default:
        destroy_from_inside(round);
        break;
    }
    for (unsigned t = 0; t < SUBMITTERS; t++) {
        for (unsigned i = 0; i < round->counts[t]; i++) {
            CHECK(cf_future_done(round->futures[t][i]));
            cf_future_unref(round->futures[t][i]);
        }
    }
    return (uint64_t)atomic_load(&round->accepted);
}

/*
 * The end alone: a handful of tasks so short that workers find the queue empty
 * and not in turns, while they look, leave and are woken to leave.
 */
static void
quick_end(struct round *round, uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    memset(round, 0, sizeof *round);
    round->ex = stress_pool(2 + (int)random_below(&r, 3));
    unsigned tasks = 1 + random_below(&r, 40);
    for (unsigned i = 0; i < tasks; i++) {
        CHECK_EQ(cf_submit(round->ex, run_child, round, 0, NULL), CF_OK);
        if (random_percent(&r, 20))
            random_delay(&r, 8000);
    }
    CHECK_EQ(cf_executor_shutdown(round->ex, CF_SHUTDOWN_NOWAIT, 0), CF_OK);
    stress_pool_destroy(round->ex);
    CHECK_EQ(atomic_load(&round->running), 0);
    stress_alive();
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct round *round = malloc(sizeof *round);
    CHECK(round);
    uint64_t rounds = 0, tasks = 0;
    while (stress_goes_on()) {
        tasks += one_round(round, ++rounds);
        for (int i = 0; i < 20; i++)
            quick_end(round, ++rounds);
    }
    free(round);
    return stress_end("%llu rounds, %llu tasks",
                      (unsigned long long)rounds,
                      (unsigned long long)tasks);
}
