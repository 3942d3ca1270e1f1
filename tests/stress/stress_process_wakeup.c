/* SPDX-License-Identifier: MIT */
/*
 * Lost wake-ups of the process pool: tasks that nobody waits for, in bursts of
 * less than a submit attends to, with random pauses of about as long as an
 * idle worker looks for orders, so that the push meets every step of falling
 * asleep. Attacks "The backlog" of process_pool/README.md. Nothing but submits
 * calls the library, which would do a service; and, now and then, a thread
 * that does just that, or a callback that blocks.
 *
 * A lost one is found by the manager's next look, a heartbeat later; so what
 * fails is too many slow bursts, or a silence.
 */
#include "common.h"

#include <cfutures/process_pool.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/shared.h"

/* A worker looks for 50 us (SEARCH_NS of worker.c); the manager looks every
 * 100 ms. */
enum {
    BURSTS = 400, /* per pool */
    BURST_MAX = 20,
    PAUSE_NS = 150000,
    SUBMITTERS_MAX = 2,
    STARTS = 40, /* per pool */
    WORKERS_MAX = 3,
    SLOW_NS = 70000000,
    SLOW_PER_MILLE = 10
};

static atomic_int *ran;  /* by all tasks */
static atomic_int *gate; /* not 0: tasks that hold may end */
static struct {
    atomic_uint bursts, starts, slow;
    atomic_uint_fast64_t tasks;
} sum;

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    atomic_fetch_add_explicit(ran, 1, memory_order_relaxed);
    return 0;
}

static int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Until so many have run, without calling the library. */
static void
await(int many)
{
    int64_t start = now_ns();
    while (atomic_load(ran) < many)
        sched_yield();
    atomic_fetch_add(&sum.slow, now_ns() - start > SLOW_NS);
}

/* --- bursts --------------------------------------------------------------- */

struct submitters {
    cf_executor *ex;
    uint64_t stream;
    atomic_int submitted;
};

static void
submit_bursts(unsigned index, void *data)
{
    struct submitters *s = data;
    struct random r = random_stream(s->stream + index);
    for (int i = 0; i < BURSTS; i++) {
        unsigned size = 1 + random_below(&r, BURST_MAX);
        for (unsigned k = 0; k < size; k++) {
            atomic_fetch_add(&s->submitted, 1);
            CHECK_EQ(cf_submit(s->ex, run, NULL, 0, NULL), CF_OK);
            if (random_percent(&r, 10))
                random_delay(&r, PAUSE_NS / 10);
        }
        await(atomic_load(&s->submitted));
        atomic_fetch_add(&sum.bursts, 1);
        atomic_fetch_add(&sum.tasks, size);
        stress_alive();
        random_delay(&r, PAUSE_NS);
    }
}

/* --- starts --------------------------------------------------------------- */

/* Runs until the gate opens: as many as there are workers must run at once,
 * whatever they were handed together with. */
static int
hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    run(call, NULL, 0);
    while (!atomic_load((const atomic_int *)arg))
        nanosleep(&(struct timespec){0, 100000}, NULL);
    return 0;
}

struct starter {
    cf_executor *ex;
    atomic_int *gate;
    struct random r;
    bool by_callback; /* submits them in a callback, and stays there */
};

static void
start_all(cf_future *f, void *data)
{
    struct starter *s = data;
    (void)f;
    int all = cf_executor_max_workers(s->ex);
    int together = random_percent(&s->r, 30) ? all : 1;
    for (int i = 0; i < all; i += together) {
        CHECK_EQ(
            cf_submit_many(s->ex, hold, s->gate, 0, (size_t)together, NULL),
            CF_OK);
        random_delay(&s->r, PAUSE_NS / 2);
    }
    await(all);
}

static void
watch(unsigned index, void *data)
{
    struct starter *s = data;
    struct random r = random_stream(index);
    cf_stats stats;
    if (index == 0) {
        cf_future *f = NULL;
        if (s->by_callback) {
            CHECK_EQ(cf_submit(s->ex, run, NULL, 0, &f), CF_OK);
            atomic_fetch_sub(ran, 1); /* it is not one of them */
            CHECK_EQ(cf_future_on_done(f, start_all, s), CF_OK);
            CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
            await(cf_executor_max_workers(s->ex));
        } else {
            start_all(NULL, s);
        }
        cf_future_unref(f);
        atomic_store(s->gate, 1);
        return;
    }
    for (int i = 0; i < 10; i++) {
        random_delay(&r, PAUSE_NS);
        CHECK_EQ(cf_executor_stats(s->ex, &stats), CF_OK);
    }
}

static void
start_together(cf_executor *ex, struct random *r)
{
    struct starter s = {.ex = ex, .gate = gate};
    s.r = random_stream(random_next(r));
    s.by_callback = random_percent(r, 30);
    atomic_store(ran, 0);
    atomic_store(gate, 0);
    in_threads(1 + random_below(r, 2), watch, &s);
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    atomic_fetch_add(&sum.starts, 1);
    stress_alive();
}

static void
one_round(uint64_t round)
{
    struct random r = random_stream(round);
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    struct submitters s = {.stream = random_next(&r)};
    options.max_workers = 1 + (int)random_below(&r, WORKERS_MAX);
    CHECK_EQ(cf_process_pool_create(&options, &s.ex), CF_OK);
    stress_show(s.ex);
    atomic_store(ran, 0);
    in_threads(1 + random_below(&r, SUBMITTERS_MAX), submit_bursts, &s);
    for (int i = 0; i < STARTS; i++)
        start_together(s.ex, &r);
    stress_show(NULL);
    cf_executor_destroy(s.ex);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN)
        return STRESS_SKIPPED; /* forks with threads */
    ran = counter_new();
    gate = counter_new();
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++)
        one_round(round);
    unsigned starts = atomic_load(&sum.starts), slow = atomic_load(&sum.slow);
    unsigned all = atomic_load(&sum.bursts) + starts;
    if (slow * 1000 > all * SLOW_PER_MILLE)
        FAIL("%u of %u bursts took longer than 70 ms", slow, all);
    return stress_end("%u bursts, %u of long tasks, %llu short tasks, %u slow",
                      all,
                      starts,
                      (unsigned long long)atomic_load(&sum.tasks),
                      slow);
}
