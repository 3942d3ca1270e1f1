/* SPDX-License-Identifier: MIT */
/*
 * Short and long reductions, from several threads on one pool, some of which
 * fail, or end the thread that runs them, while the pool is shut down or
 * terminated. Attacks lib/many/joint_loop.c (helpers that come late, or never,
 * against a caller that is through) and the tree of lib/many/reduce.c.
 *
 * What succeeds has each iteration once and in order. When a reduction has
 * returned, or has ended its thread, no other thread folds for it.
 */
#include "common.h"

#include <stdlib.h>

enum { USERS = 3, REDUCTIONS = 40, COUNT_MAX = 2000, GRAIN_MAX = 10 };

/* How a round ends. */
enum end { AT_REST, CANCEL, TERMINATE, ENDS };

/* What an iteration does. */
enum fault { NONE, FAIL_IT, EXIT_WORKER, EXIT_CALLER, FAULTS };

static atomic_uint_fast64_t succeeded_ever, failed_ever, exits_ever,
    by_caller_ever, by_helpers_ever;

struct round {
    cf_executor *ex;
    uint64_t stream;
    atomic_bool ending;
};

/* One reduction. */
struct job {
    struct round *round;
    size_t count, grain;
    size_t fault_at;
    enum fault fault;
    unsigned work_ns;
    atomic_bool exited; /* by its caller's thread */
    atomic_bool over;
};

/* What iterations have made of a number: associative, not commutative. */
struct affine {
    uint64_t a, b;
};

static struct affine
then(struct affine first, struct affine next)
{
    return (struct affine){next.a * first.a, next.a * first.b + next.b};
}

static struct affine
step(size_t i)
{
    return (struct affine){2 * i + 3, i + 1};
}

static int
meet_fault(cf_call *call, struct job *job)
{
    bool caller = cf_call_worker(call) < 0;
    if (job->fault == FAIL_IT)
        return cf_fail(call, 3, "a fault");
    if (job->fault == (caller ? EXIT_CALLER : EXIT_WORKER)) {
        atomic_fetch_add(&exits_ever, 1);
        if (caller)
            atomic_store(&job->exited, true);
        pthread_exit(NULL);
    }
    return 0;
}

static int
fold(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct job *job = data;
    struct affine *f = partial;
    int rc = 0;
    CHECK(!atomic_load(&job->over));
    atomic_fetch_add(
        cf_call_worker(call) < 0 ? &by_caller_ever : &by_helpers_ever, 1);
    struct random r = random_stream(job->round->stream + begin);
    random_delay(&r, job->work_ns);
    for (size_t i = begin; i < end && !rc; i++) {
        *f = then(*f, step(i));
        if (i == job->fault_at)
            rc = meet_fault(call, job);
    }
    CHECK(!atomic_load(&job->over));
    return rc;
}

static void
combine(void *partial, void *next, void *data)
{
    struct affine *f = partial, *second = next;
    CHECK(!atomic_load(&((struct job *)data)->over));
    *f = then(*f, *second);
    *second = (struct affine){0, 0}; /* it is not used any more */
}

static void
check_result(struct job *job, cf_err err, struct affine f)
{
    struct affine expected = {1, 0};
    for (size_t i = 0; err == CF_OK && i < job->count; i++)
        expected = then(expected, step(i));
    if (err != CF_OK)
        expected = (struct affine){7, 8};
    CHECK(f.a == expected.a && f.b == expected.b);
    if (err == CF_OK)
        CHECK(job->fault_at >= job->count || job->fault != FAIL_IT);
    else if (job->fault_at >= job->count || job->fault == NONE)
        CHECK(atomic_load(&job->round->ending));
    else if (!atomic_load(&job->round->ending))
        CHECK_EQ(err, job->fault == FAIL_IT ? CF_ETASK : CF_EWORKERDIED);
    atomic_fetch_add(err ? &failed_ever : &succeeded_ever, 1);
}

static void *
reduce(void *of_job)
{
    const struct affine nothing = {1, 0};
    struct job *job = of_job;
    struct affine f = {7, 8};
    cf_err err = cf_parallel_reduce(job->round->ex,
                                    0,
                                    job->count,
                                    job->grain,
                                    fold,
                                    combine,
                                    &nothing,
                                    sizeof nothing,
                                    job,
                                    &f);
    atomic_store(&job->over, true);
    check_result(job, err, f);
    return NULL;
}

static void
use(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->stream + index);
    for (int i = 0; i < REDUCTIONS; i++) {
        struct job job = {.round = round,
                          .count = 1 + random_below(&r, COUNT_MAX),
                          .fault = (enum fault)random_below(&r, FAULTS)};
        if (random_percent(&r, 50))
            job.count = 1 + job.count % 8; /* helpers come at once */
        if (random_percent(&r, 50))
            job.grain = random_below(&r, GRAIN_MAX);
        job.work_ns = 1 + random_below(&r, job.count < 9 ? 50000 : 500);
        job.fault_at = random_below(&r, 4 * (unsigned)job.count);
        if (job.fault == EXIT_CALLER) {
            pthread_t thread;
            CHECK_EQ(pthread_create(&thread, NULL, reduce, &job), 0);
            CHECK_EQ(pthread_join(thread, NULL), 0);
            CHECK(atomic_load(&job.over) != atomic_load(&job.exited));
            atomic_store(&job.over, true);
        } else {
            (void)reduce(&job);
        }
        random_delay(&r, 10000); /* helpers that come late come now */
        stress_alive();
    }
}

static void
one_round(uint64_t number)
{
    struct random r = random_stream(number);
    struct round round = {.stream = random_next(&r)};
    struct crew crew;
    enum end end = (enum end)random_below(&r, ENDS);
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 1 + (int)random_below(&r, STRESS_WORKERS_MAX);
    options.idle_timeout_ns = random_percent(&r, 50) ? 20000 : 0;
    CHECK_EQ(cf_thread_pool_create(&options, &round.ex), CF_OK);
    stress_show(round.ex);
    crew_start(&crew, USERS, use, &round);
    if (end != AT_REST) {
        random_delay(&r, 5000000);
        atomic_store(&round.ending, true);
    }
    if (end == CANCEL) {
        cf_err err =
            cf_executor_shutdown(round.ex, CF_SHUTDOWN_CANCEL, CF_FOREVER);
        CHECK_EQ(err, CF_OK);
    }
    if (end == TERMINATE)
        CHECK_EQ(cf_executor_terminate(round.ex, 15), CF_OK);
    crew_join(&crew);
    stress_show(NULL);
    cf_executor_destroy(round.ex);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t number = 1; stress_goes_on(); number++)
        one_round(number);
    return stress_end("%llu reductions succeeded, %llu failed, %llu threads "
                      "ended; %llu folds by callers, %llu by helpers",
                      (unsigned long long)succeeded_ever,
                      (unsigned long long)failed_ever,
                      (unsigned long long)exits_ever,
                      (unsigned long long)by_caller_ever,
                      (unsigned long long)by_helpers_ever);
}
