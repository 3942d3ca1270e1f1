/* SPDX-License-Identifier: MIT */
/*
 * Workers that come and go: pools made and destroyed by the thousand, idle
 * time-outs so short that workers leave while submits arrive, tasks that end
 * their thread. Attacks "Threads that end" of thread_pool/README.md (the last
 * one closes the queue; a slot becomes startable only when its thread has gone)
 * and the reuse of a slot by another thread.
 *
 * Every task is done, also while another task polls for it; initializers and
 * finalizers are called in pairs; in the end no thread is left.
 */
#include "common.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { POOLS_AT_ONCE = 20, STEPS = 60, SUBMITTERS = 2 };

static atomic_uint_fast64_t pools, tasks, deaths;

struct life {
    cf_executor *ex;
    uint64_t stream;
    atomic_int initialized, finalized;
    atomic_int last_words; /* how many finalizers still submit a task */
};

static int
initialize(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    struct life *life = init_data;
    atomic_fetch_add(&life->initialized, 1);
    *worker_data = life;
    return 0;
}

static int work(cf_call *call, const void *arg, size_t arg_size);

static void
finalize(void *init_data, void *worker_data)
{
    struct life *life = init_data;
    CHECK(worker_data == life);
    if (atomic_fetch_sub(&life->last_words, 1) > 0) {
        /* It comes to a worker that is on its way out. */
        cf_err err = cf_submit(life->ex, work, NULL, 0, NULL);
        CHECK(err == CF_OK || err == CF_ESHUTDOWN);
    }
    atomic_fetch_add(&life->finalized, 1);
}

static cf_executor *
make_pool(struct life *life, int workers, int64_t idle_timeout_ns)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = workers;
    options.idle_timeout_ns = idle_timeout_ns;
    options.initializer = initialize;
    options.finalizer = finalize;
    options.init_data = life;
    cf_executor *ex;
    CHECK_EQ(cf_thread_pool_create(&options, &ex), CF_OK);
    stress_show(ex);
    life->ex = ex;
    return ex;
}

static void
end_life(struct life *life)
{
    /* Nothing is left lying about that would need another submit to run. */
    CHECK_EQ(cf_executor_wait_idle(life->ex, CF_FOREVER), CF_OK);
    stress_pool_destroy(life->ex);
    CHECK_EQ(atomic_load(&life->initialized), atomic_load(&life->finalized));
    atomic_fetch_add(&pools, 1);
    stress_alive();
}

/* --- tasks ---------------------------------------------------------------- */

static int
work(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    CHECK(cf_call_worker_data(call));
    atomic_fetch_add(&tasks, 1);
    return (int)cf_return(call, arg, arg_size);
}

/* With a result and a record that go with the thread. */
static int
end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    char result[100] = {0};
    (void)arg;
    (void)arg_size;
    CHECK_EQ(cf_return(call, result, sizeof result), CF_OK);
    (void)cf_fail(call, 1, "the thread's end");
    atomic_fetch_add(&deaths, 1);
    pthread_exit(NULL);
}

static void
drop(void *future)
{
    cf_future_unref(future);
}

/* Waits for a child that it runs itself, and that ends their thread. */
static int
die_nested(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_future *child;
    cf_executor *ex = cf_call_executor(call);
    CHECK_EQ(cf_submit(ex, end_thread, NULL, 0, &child), CF_OK);
    pthread_cleanup_push(drop, child);
    /* Only if a thief has run it there is a return. */
    CHECK_EQ(cf_future_result(child, CF_FOREVER, NULL), CF_EWORKERDIED);
    pthread_cleanup_pop(1);
    return 0;
}

struct pair {
    atomic_bool begun, go;
    bool inside; /* the first task submits the second one itself */
    struct random r;
};

static int
let_go(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    atomic_store(&((struct pair *)(uintptr_t)arg)->go, true);
    return 0;
}

static int
stand_by(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct pair *pair = (struct pair *)(uintptr_t)arg;
    atomic_store(&pair->begun, true);
    if (pair->inside) {
        random_delay(&pair->r, 60000);
        CHECK_EQ(cf_submit(cf_call_executor(call), let_go, pair, 0, NULL),
                 CF_OK);
    }
    while (!atomic_load(&pair->go))
        sched_yield();
    return 0;
}

/* --- scenarios ------------------------------------------------------------ */

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn, void *arg)
{
    cf_future *f;
    CHECK_EQ(cf_submit(ex, fn, arg, 0, &f), CF_OK);
    return f;
}

static void
settle(cf_future *f, cf_err expected)
{
    CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), expected);
    cf_future_unref(f);
}

/* One task keeps a worker, another one has to be run by a second worker, which
 * just then may be leaving. */
static void
pairs(struct life *life, struct random *r)
{
    for (int i = 0; i < STEPS; i++) {
        struct pair pair = {.inside = random_percent(r, 50)};
        pair.r.state = random_next(r);
        if (random_percent(r, 50))
            settle(submit(life->ex, work, NULL), CF_OK);
        cf_future *first = submit(life->ex, stand_by, &pair);
        if (!pair.inside) {
            while (!atomic_load(&pair.begun))
                sched_yield();
            random_delay(r, 60000);
            settle(submit(life->ex, let_go, &pair), CF_OK);
        }
        settle(first, CF_OK);
        /* The second one may still be in its last lines. */
        CHECK_EQ(cf_executor_wait_idle(life->ex, CF_FOREVER), CF_OK);
        random_delay(r, 60000);
        stress_alive();
    }
}

static void
submit_steps(unsigned index, void *data)
{
    struct life *life = data;
    struct random r = random_stream(life->stream + index);
    for (int i = 0; i < STEPS; i++) {
        settle(submit(life->ex, work, life), CF_OK);
        random_delay(&r, 60000);
    }
    stress_alive();
}

static void
submit_deaths(unsigned index, void *data)
{
    struct life *life = data;
    struct random r = random_stream(life->stream + index);
    for (int i = 0; i < STEPS; i++) {
        cf_future *before = submit(life->ex, work, NULL);
        cf_future *death = submit(
            life->ex, random_percent(&r, 70) ? end_thread : die_nested, NULL);
        cf_future *after = submit(life->ex, work, NULL);
        settle(before, CF_OK);
        settle(after, CF_OK);
        cf_err err = cf_future_result(death, CF_FOREVER, NULL);
        CHECK(err == CF_EWORKERDIED || err == CF_OK);
        cf_future_unref(death);
        random_delay(&r, 60000);
    }
    stress_alive();
}

static void
short_lives(struct random *r)
{
    for (int i = 0; i < POOLS_AT_ONCE; i++) {
        struct life life = {.stream = 0};
        cf_executor *ex =
            make_pool(&life, 1 + (int)random_below(r, STRESS_WORKERS_MAX), 0);
        for (unsigned n = random_below(r, 6); n > 0; n--)
            CHECK_EQ(cf_submit(ex, work, &life, 0, NULL), CF_OK);
        if (random_percent(r, 10))
            CHECK_EQ(cf_submit(ex, end_thread, NULL, 0, NULL), CF_OK);
        end_life(&life);
    }
}

/* Detached threads may take a moment longer than their pool. */
static void
await_threads(int count)
{
    while (stress_count_threads() > count)
        sched_yield();
    stress_alive();
}

static void
one_round(uint64_t round, int threads_at_rest)
{
    struct random r = random_stream(round);
    int64_t idle_ns = 1 + random_below(&r, 50000);
    int workers = 1 + (int)random_below(&r, STRESS_WORKERS_MAX);
    short_lives(&r);
    struct life life = {.stream = random_next(&r)};
    make_pool(&life, workers, idle_ns);
    atomic_store(&life.last_words, (int)random_below(&r, 5));
    in_threads(SUBMITTERS, submit_steps, &life);
    end_life(&life);
    life = (struct life){.stream = random_next(&r)};
    make_pool(&life, 2, idle_ns);
    pairs(&life, &r);
    end_life(&life);
    life = (struct life){.stream = random_next(&r)};
    make_pool(&life, workers, random_percent(&r, 50) ? idle_ns : 0);
    in_threads(SUBMITTERS, submit_deaths, &life);
    end_life(&life);
    await_threads(threads_at_rest);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    int threads_at_rest = stress_count_threads();
    for (uint64_t round = 1; stress_goes_on(); round++)
        one_round(round, threads_at_rest);
    return stress_end("%llu pools, %llu tasks, %llu threads ended by tasks",
                      (unsigned long long)pools,
                      (unsigned long long)tasks,
                      (unsigned long long)deaths);
}
