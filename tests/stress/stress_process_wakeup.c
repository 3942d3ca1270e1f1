/* SPDX-License-Identifier: MIT */
/*
 * Lost wake-ups of the process pool. Tasks for which no call waits come in
 * bursts too small for their submit to serve. Between the bursts are random
 * pauses of about as long as an idle worker looks for orders, so that the push
 * meets every step of falling asleep. Attacks "The backlog" of
 * process_pool/README.md. Only submits call the library, since other calls
 * would serve; and now and then a thread that serves, or a callback that
 * blocks.
 *
 * The manager's next look, a heartbeat later, finds a lost wake-up. So the test
 * fails on too many slow bursts, or on a silence.
 */
#include "common.h"

#include <sched.h>
#include <stdlib.h>

#include "tests/support/tasks.h"

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
    LATE_NS = 5000000,
    SLOW_PER_MILLE = 10
};

static struct {
    atomic_uint bursts, starts, slow;
    atomic_uint_fast64_t tasks;
} sum;

/* What began then is over. */
static void
note_end(int64_t begun_ns)
{
    atomic_fetch_add(&sum.slow, stress_now_ns() - begun_ns > SLOW_NS);
    stress_alive();
}

/* --- bursts --------------------------------------------------------------- */

struct submitters {
    cf_executor *ex;
    uint64_t stream;
    atomic_int submitted;
    atomic_int *ran;
};

/* Calls nothing of the library. A burst counts as slow only if this thread ran
 * all the while: else the machine had no processor for the workers either. */
static void
await_burst(struct submitters *s)
{
    int64_t begun = stress_now_ns(), seen = begun;
    bool ran = true;
    while (atomic_load(s->ran) < atomic_load(&s->submitted)) {
        sched_yield();
        int64_t now = stress_now_ns();
        ran = ran && now - seen < LATE_NS;
        seen = now;
    }
    if (ran)
        note_end(begun);
    stress_alive();
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
            CHECK_EQ(cf_submit(s->ex, task_count, s->ran, 0, NULL), CF_OK);
            if (random_percent(&r, 10))
                random_delay(&r, PAUSE_NS / 10);
        }
        await_burst(s);
        atomic_fetch_add(&sum.bursts, 1);
        atomic_fetch_add(&sum.tasks, size);
        random_delay(&r, PAUSE_NS);
    }
}

/* --- starts --------------------------------------------------------------- */

/* As many tasks as there are workers must run at once, whatever they were
 * handed together with: none ends before the last has begun. */
struct starter {
    cf_executor *ex;
    gate *gate;
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
        CHECK_EQ(cf_submit_many(
                     s->ex, task_hold, s->gate, 0, (size_t)together, NULL),
                 CF_OK);
        random_delay(&s->r, PAUSE_NS / 2);
    }
    int64_t begun = stress_now_ns();
    gate_await(s->gate, all);
    note_end(begun);
}

static void
start(struct starter *s)
{
    cf_future *f = NULL;
    if (s->by_callback) {
        CHECK_EQ(cf_submit(s->ex, task_nothing, NULL, 0, &f), CF_OK);
        CHECK_EQ(cf_future_on_done(f, start_all, s), CF_OK);
        gate_await(s->gate, cf_executor_max_workers(s->ex));
    } else {
        start_all(NULL, s);
    }
    gate_open(s->gate);
    cf_future_unref(f);
}

/* Does services at any moment. */
static void
look(struct starter *s, struct random r)
{
    cf_stats stats;
    for (int i = 0; i < 10; i++) {
        random_delay(&r, PAUSE_NS);
        CHECK_EQ(cf_executor_stats(s->ex, &stats), CF_OK);
    }
}

static void
start_or_look(unsigned index, void *data)
{
    if (index == 0)
        start(data);
    else
        look(data, random_stream(index));
}

static void
start_together(cf_executor *ex, struct random *r)
{
    struct starter s = {.ex = ex, .gate = gate_new()};
    s.r = random_stream(random_next(r));
    s.by_callback = random_percent(r, 30);
    in_threads(1 + random_below(r, 2), start_or_look, &s);
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    atomic_fetch_add(&sum.starts, 1);
}

static void
one_round(uint64_t round)
{
    struct random r = random_stream(round);
    struct submitters s = {.stream = random_next(&r), .ran = counter_new()};
    s.ex = stress_process_pool(1 + (int)random_below(&r, WORKERS_MAX));
    in_threads(1 + random_below(&r, SUBMITTERS_MAX), submit_bursts, &s);
    for (int i = 0; i < STARTS; i++)
        start_together(s.ex, &r);
    stress_pool_destroy(s.ex);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN)
        return STRESS_SKIPPED; /* forks with threads */
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
