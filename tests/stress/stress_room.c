/* SPDX-License-Identifier: MIT */
/*
 * Tasks of a thread pool and of an event loop, and plain threads, submit to a
 * pool whose small queue makes them wait for room, one task or a batch at a
 * time. Some tasks are interrupted, some are in a scope with a deadline, some
 * of what is queued is cancelled, and now and then the pool is shut down.
 * Attacks the line of lib/executor/bound.c: room that is handed to one that has
 * just given up.
 *
 * What was accepted ran or was cancelled, nothing else did, and at the end of a
 * round the queue has all its room.
 */
#include "common.h"

#include <inttypes.h>
#include <string.h>

enum { TASKS = 12, THREADS = 2, STEPS = 15, MOST = 3 };

struct round {
    uint64_t number;
    cf_executor *full; /* the pool that they submit to */
    bool ends;         /* it is shut down during the round */
    cf_future *tasks[TASKS];
    atomic_int accepted, ran, canceled; /* of full's tasks */
    atomic_bool over;
};

struct job {
    struct round *round;
    uint64_t stream;
};

static atomic_uint_fast64_t submits, interrupted;

static int
count(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

static void
submit_some(cf_call *call, struct random *r, struct round *round)
{
    int n = 1 + (int)random_below(r, MOST);
    cf_future *out[MOST];
    memset(out, 0, sizeof out);
    cf_err err = n == 1
                     ? cf_submit(round->full, count, &round->ran, 0, out)
                     : cf_submit_many(
                           round->full, count, &round->ran, 0, (size_t)n, out);
    atomic_fetch_add(&submits, 1);
    if (err == CF_EINTERRUPTED) {
        CHECK(call && cf_call_canceled(call));
        atomic_fetch_add(&interrupted, 1);
    } else if (err == CF_ESHUTDOWN) {
        CHECK(round->ends);
    } else {
        CHECK_EQ(err, CF_OK);
        atomic_fetch_add(&round->accepted, n);
    }
    for (int i = 0; i < n; i++) {
        CHECK((err == CF_OK) == (out[i] != NULL));
        if (random_percent(r, 20) && cf_future_cancel(out[i]))
            atomic_fetch_add(&round->canceled, 1);
        cf_future_unref(out[i]);
    }
    stress_alive();
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct random r = random_stream(job.stream);
    for (int step = 0; step < STEPS; step++) {
        cf_scope *scope = NULL;
        if (random_percent(&r, 30))
            CHECK_EQ(cf_scope_begin(call, random_below(&r, 50000), &scope),
                     CF_OK);
        submit_some(call, &r, job.round);
        if (scope)
            (void)cf_scope_end(scope);
    }
    return 0;
}

/* Thread 0 interrupts; the others submit. */
static void
in_thread(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + index);
    if (index > 0) {
        for (int step = 0; step < STEPS; step++)
            submit_some(NULL, &r, round);
        return;
    }
    while (!atomic_load(&round->over)) {
        random_delay(&r, 200000);
        (void)cf_future_interrupt(round->tasks[random_below(&r, TASKS)]);
    }
}

static void
run_round(uint64_t number, struct random *r, cf_executor *const *executors)
{
    struct round round = {.number = number, .ends = random_percent(r, 20)};
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    struct crew crew;
    options.max_workers = 1 + (int)random_below(r, 2);
    options.queue_capacity = MOST + random_below(r, 2);
    CHECK_EQ(cf_thread_pool_create(&options, &round.full), CF_OK);
    stress_show(round.full);
    for (int i = 0; i < TASKS; i++) {
        struct job job = {&round, random_next(r)};
        CHECK_EQ(
            cf_submit(executors[i % 2], run, &job, sizeof job, &round.tasks[i]),
            CF_OK);
    }
    crew_start(&crew, THREADS + 1, in_thread, &round);
    if (round.ends) {
        random_delay(r, 1000000);
        CHECK_EQ(cf_executor_shutdown(round.full, 0, CF_FOREVER), CF_OK);
    }
    for (int i = 0; i < TASKS; i++)
        CHECK_EQ(cf_future_wait(round.tasks[i], CF_FOREVER), CF_OK);
    atomic_store(&round.over, true);
    crew_join(&crew);
    if (!round.ends) { /* all room is there: else this would wait */
        cf_future *out[MOST];
        CHECK_EQ(cf_executor_wait_idle(round.full, CF_FOREVER), CF_OK);
        CHECK_EQ(cf_submit_many(round.full, count, &round.ran, 0, MOST, out),
                 CF_OK);
        atomic_fetch_add(&round.accepted, MOST);
        for (int i = 0; i < MOST; i++)
            cf_future_unref(out[i]);
    }
    stress_pool_destroy(round.full);
    CHECK_EQ(atomic_load(&round.accepted),
             atomic_load(&round.ran) + atomic_load(&round.canceled));
    for (int i = 0; i < TASKS; i++)
        cf_future_unref(round.tasks[i]);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct random r = random_stream(0);
    uint64_t rounds = 0;
    cf_executor *executors[2];
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 3;
    CHECK_EQ(cf_thread_pool_create(&options, &executors[0]), CF_OK);
    CHECK_EQ(cf_executor_open("loop", &executors[1]), CF_OK);
    while (stress_goes_on())
        run_round(++rounds, &r, executors);
    cf_executor_destroy(executors[0]);
    cf_executor_destroy(executors[1]);
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64
                      " submits, %" PRIuFAST64 " interrupted",
                      rounds,
                      atomic_load(&submits),
                      atomic_load(&interrupted));
}
