/* SPDX-License-Identifier: MIT */
/*
 * Lost wake-ups: one task at a time, with random pauses of about as long as an
 * idle worker searches before it sleeps, so that the push meets every step of
 * falling asleep. Attacks "Sleeping and waking" of thread_pool/README.md from
 * each kind of push (from outside, prioritised, from inside a task), and the
 * sleeper of lib/executor/wait_one.c against the completion.
 *
 * A lost wake-up is a silence, which the watchdog ends.
 */
#include "common.h"

#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>

/* A worker searches for 5 to 40 microseconds (cf__search_ns()). The first
 * push inside a pool is a case of its own, hence some pools. */
enum {
    EDGES = 300, /* in a row */
    RELAY_LENGTH = 200,
    NESTING_POOLS = 20,
    NESTING_EDGES = 80, /* in each of them */
    PAUSE_NS = 30000
};

static atomic_uint_fast64_t edges;

static void
count_edge(void)
{
    atomic_fetch_add_explicit(&edges, 1, memory_order_relaxed);
    stress_alive();
}

static int
post(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    sem_post((sem_t *)(uintptr_t)arg);
    return 0;
}

static void
await(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue;
}

/* --- one task at a time --------------------------------------------------- */

struct ping {
    cf_executor *ex;
    uint64_t stream;
};

static void
ping(unsigned index, void *data)
{
    struct ping *p = data;
    struct random r = random_stream(p->stream + index);
    cf_task task = CF_TASK_INIT;
    sem_t done;
    sem_init(&done, 0, 0);
    task.fn = post;
    task.arg = &done;
    for (int i = 0; i < EDGES; i++) {
        cf_future *f = NULL;
        task.priority = (int)random_below(&r, 4) - 1;
        bool by_future = random_percent(&r, 50);
        CHECK_EQ(cf_submit_task(p->ex, &task, by_future ? &f : NULL), CF_OK);
        if (by_future)
            CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
        await(&done);
        cf_future_unref(f);
        random_delay(&r, PAUSE_NS);
        count_edge();
    }
    sem_destroy(&done);
}

/* --- from pool to pool ---------------------------------------------------- */

struct relay {
    cf_executor *ex[2];
    struct random r;
    atomic_int left;
    sem_t over;
};

static int
pass(cf_call *call, const void *arg, size_t arg_size)
{
    struct relay *relay = (struct relay *)(uintptr_t)arg;
    cf_executor *other = relay->ex[relay->ex[0] == cf_call_executor(call)];
    count_edge();
    if (atomic_fetch_sub(&relay->left, 1) == 1) {
        sem_post(&relay->over);
        return 0;
    }
    random_delay(&relay->r, PAUSE_NS); /* one runner at a time has it */
    CHECK_EQ(cf_submit(other, pass, arg, arg_size, NULL), CF_OK);
    return 0;
}

static void
run_relay(cf_executor *first, cf_executor *second, struct random *r)
{
    struct relay relay = {.ex = {first, second}, .r = {random_next(r)}};
    atomic_init(&relay.left, RELAY_LENGTH);
    sem_init(&relay.over, 0, 0);
    CHECK_EQ(cf_submit(first, pass, &relay, 0, NULL), CF_OK);
    await(&relay.over);
    /* The last task may still be in sem_post(). */
    CHECK_EQ(cf_executor_wait_idle(first, CF_FOREVER), CF_OK);
    CHECK_EQ(cf_executor_wait_idle(second, CF_FOREVER), CF_OK);
    sem_destroy(&relay.over);
}

/* --- from inside a task --------------------------------------------------- */

/*
 * A parent pushes a child to its own deque and then only polls: another
 * worker has to be woken for the child. Meanwhile the main thread submits a
 * task that holds whichever worker is searching. With three workers the third
 * is there for what is left, however the first two fall out.
 */
struct nest {
    sem_t parent_runs, child_ran;
    atomic_bool go;
    uint64_t stream;
};

static int
run_nested_child(cf_call *call, const void *arg, size_t arg_size)
{
    struct nest *nest = (struct nest *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    sem_post(&nest->child_ran); /* for the parent */
    sem_post(&nest->child_ran); /* for the holder, if any */
    return 0;
}

static int
run_holder(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    await(&((struct nest *)(uintptr_t)arg)->child_ran);
    return 0;
}

static int
run_nesting(cf_call *call, const void *arg, size_t arg_size)
{
    struct nest *nest = (struct nest *)(uintptr_t)arg;
    struct random r = random_stream(nest->stream);
    sem_post(&nest->parent_runs);
    while (!atomic_load_explicit(&nest->go, memory_order_relaxed))
        continue;
    random_delay(&r, PAUSE_NS / 2);
    CHECK_EQ(cf_submit(
                 cf_call_executor(call), run_nested_child, arg, arg_size, NULL),
             CF_OK);
    await(&nest->child_ran);
    return 0;
}

static void
push_inside(cf_executor *ex, struct random *r)
{
    struct nest nest = {.stream = random_next(r)};
    cf_future *parent, *holder = NULL;
    sem_init(&nest.parent_runs, 0, 0);
    sem_init(&nest.child_ran, 0, 0);
    CHECK_EQ(cf_submit(ex, run_nesting, &nest, 0, &parent), CF_OK);
    await(&nest.parent_runs);
    random_delay(r, PAUSE_NS);
    atomic_store_explicit(&nest.go, true, memory_order_relaxed);
    if (cf_executor_max_workers(ex) > 2 && random_percent(r, 80)) {
        random_delay(r, PAUSE_NS / 2);
        CHECK_EQ(cf_submit(ex, run_holder, &nest, 0, &holder), CF_OK);
    }
    CHECK_EQ(cf_future_result(parent, CF_FOREVER, NULL), CF_OK);
    if (holder)
        CHECK_EQ(cf_future_result(holder, CF_FOREVER, NULL), CF_OK);
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    cf_future_unref(parent);
    cf_future_unref(holder);
    sem_destroy(&nest.parent_runs);
    sem_destroy(&nest.child_ran);
    count_edge();
}

static void
one_round(uint64_t round)
{
    struct random r = random_stream(round);
    cf_executor *ex = stress_random_pool(&r);
    struct ping p = {ex, random_next(&r)};
    ping(0, &p);
    in_threads(2, ping, &p);
    stress_pool_destroy(ex);
    cf_executor *second = stress_random_pool(&r);
    ex = stress_random_pool(&r);
    run_relay(ex, second, &r);
    cf_executor_destroy(second);
    stress_pool_destroy(ex);
    for (int pool = 0; pool < NESTING_POOLS; pool++) {
        ex = stress_pool(2 + (int)random_below(&r, 2));
        for (int i = 0; i < NESTING_EDGES; i++)
            push_inside(ex, &r);
        stress_pool_destroy(ex);
    }
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++)
        one_round(round);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return stress_end(
        "%llu edges, %ld sleeps", (unsigned long long)edges, usage.ru_nvcsw);
}
