/* SPDX-License-Identifier: MIT */
/*
 * Lost wake-ups of the process pool: tasks that nobody waits for, in bursts of
 * less than a submit attends to, with random pauses of about as long as an
 * idle worker looks for orders, so that the push meets every step of falling
 * asleep. Attacks "The backlog" of process_pool/README.md. Nothing but a
 * submit calls the library, which would do a service.
 *
 * A lost one is found by the manager's next look, much later; so what fails is
 * too many slow bursts, or a silence.
 */
#include "common.h"

#include <cfutures/process_pool.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/shared.h"

/* A worker looks for 50 us (SEARCH_NS of worker.c); the manager looks after a
 * second. */
enum {
    BURSTS = 400, /* per pool */
    BURST_MAX = 20,
    PAUSE_NS = 150000,
    SUBMITTERS_MAX = 2,
    SLOW_NS = 500000000,
    SLOW_PER_MILLE = 2
};

static atomic_int *ran; /* by all tasks */
static struct {
    atomic_uint bursts, slow;
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

struct submitters {
    cf_executor *ex;
    uint64_t stream;
    atomic_int submitted;
};

/* Until all that has been submitted has run. */
static void
await(struct submitters *s)
{
    int64_t start = now_ns();
    while (atomic_load(ran) < atomic_load(&s->submitted))
        sched_yield();
    atomic_fetch_add(&sum.slow, now_ns() - start > SLOW_NS);
}

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
        await(s);
        atomic_fetch_add(&sum.bursts, 1);
        atomic_fetch_add(&sum.tasks, size);
        stress_alive();
        random_delay(&r, PAUSE_NS);
    }
}

static void
one_round(uint64_t round)
{
    struct random r = random_stream(round);
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    struct submitters s = {.stream = random_next(&r)};
    options.max_workers = 1 + (int)random_below(&r, 3);
    CHECK_EQ(cf_process_pool_create(&options, &s.ex), CF_OK);
    stress_show(s.ex);
    atomic_store(ran, 0);
    in_threads(1 + random_below(&r, SUBMITTERS_MAX), submit_bursts, &s);
    stress_show(NULL);
    cf_executor_destroy(s.ex);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN)
        return STRESS_SKIPPED; /* forks with threads */
    ran = counter_new();
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++)
        one_round(round);
    unsigned bursts = atomic_load(&sum.bursts), slow = atomic_load(&sum.slow);
    if (slow * 1000 > bursts * SLOW_PER_MILLE)
        FAIL("%u of %u bursts took longer than half a second", slow, bursts);
    return stress_end("%u bursts, %llu tasks, %u slow",
                      bursts,
                      (unsigned long long)atomic_load(&sum.tasks),
                      slow);
}
