/* SPDX-License-Identifier: MIT */
/*
 * Bounded queues with each policy, priorities and several submitters; also an
 * unbounded one longer than its ring. Attacks lib/executor/bound.c (room made
 * by each way out of the queue: run, cancelled, run by a waiter),
 * lib/executor/queue.c (refill against takers and pushes) and
 * lib/executor/queue_heap.c.
 *
 * Everything accepted is run or cancelled once; a bound never blocks for ever;
 * one worker starts tasks of one submitter and priority in their order.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum {
    SUBMITTERS = 3,
    PRIORITIES = 3,
    DEFAULT = 1, /* priority 0 as an index */
    PER_SUBMITTER = 3000,
    BATCH = 16,
    CAPACITY_MAX = 32
};

static atomic_uint_fast64_t accepted_ever, rejected_ever, by_caller_ever;

struct round {
    uint64_t number;
    cf_executor *ex;
    size_t capacity; /* 0: unbounded */
    cf_queue_policy policy;
    bool in_order; /* one worker */
    atomic_uint_fast64_t accepted, ran, canceled, nested, rejected;
    /* By the one worker alone, if in_order. */
    unsigned next[SUBMITTERS][PRIORITIES];
};

struct entry {
    struct round *round;
    unsigned submitter, priority, number;
    bool nests, nested;
};

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    const struct entry *entry = arg;
    struct round *round = entry->round;
    CHECK_EQ(arg_size, sizeof *entry);
    atomic_fetch_add(&round->ran, 1);
    if (cf_call_worker(call) < 0) {
        CHECK(round->policy == CF_QUEUE_CALLER_RUNS);
        atomic_fetch_add(&by_caller_ever, 1);
        return 0;
    }
    if (round->in_order && !entry->nested) {
        unsigned *next = &round->next[entry->submitter][entry->priority];
        CHECK(entry->number >= *next); /* some between were not accepted */
        *next = entry->number + 1;
    }
    if (entry->nests) {
        /* From inside it goes over the bound, and never blocks. */
        struct entry child = *entry;
        child.nests = false;
        child.nested = true;
        cf_future *f;
        cf_err err = cf_submit(round->ex, run, &child, sizeof child, &f);
        if (err) {
            CHECK_EQ(err, CF_ESHUTDOWN);
            return 0;
        }
        atomic_fetch_add(&round->nested, 1);
        CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
        cf_future_unref(f);
    }
    return 0;
}

static void
note(struct round *round, cf_err err, unsigned count)
{
    if (err == CF_OK) {
        atomic_fetch_add(&round->accepted, count);
    } else {
        CHECK_EQ(err, CF_EAGAIN);
        CHECK(round->policy == CF_QUEUE_REJECT);
        atomic_fetch_add(&round->rejected, count);
    }
}

static void
submit_batch(struct round *round,
             unsigned submitter,
             unsigned *number,
             struct random *r)
{
    struct entry entries[BATCH];
    cf_future *futures[BATCH];
    unsigned count = 1 + random_below(r, BATCH);
    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct entry){.round = round,
                                    .submitter = submitter,
                                    .priority = DEFAULT,
                                    .number = (*number)++};
    cf_err err = cf_submit_many(
        round->ex, run, entries, sizeof entries[0], count, futures);
    if (round->capacity && count > round->capacity) {
        CHECK_EQ(err, CF_ETOOBIG);
        return;
    }
    note(round, err, count);
    for (unsigned i = 0; i < count; i++) {
        if (random_percent(r, 10) && err == CF_OK &&
            cf_future_cancel(futures[i]))
            atomic_fetch_add(&round->canceled, 1);
        cf_future_unref(futures[i]);
    }
}

static void
submit_one(struct round *round,
           unsigned submitter,
           unsigned number,
           struct random *r)
{
    struct entry entry = {.round = round,
                          .submitter = submitter,
                          .priority = random_below(r, PRIORITIES),
                          .number = number};
    entry.nests = random_percent(r, 5);
    cf_task task = CF_TASK_INIT;
    task.fn = run;
    task.arg = &entry;
    task.arg_size = sizeof entry;
    task.priority = (int)entry.priority - DEFAULT;
    cf_future *f = NULL;
    cf_err err =
        cf_submit_task(round->ex, &task, random_percent(r, 50) ? &f : NULL);
    note(round, err, 1);
    if (!f)
        return;
    if (random_percent(r, 20) && cf_future_cancel(f))
        atomic_fetch_add(&round->canceled, 1);
    else if (random_percent(r, 5))
        CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
    cf_future_unref(f);
}

static void
submit(unsigned index, void *data)
{
    struct round *round = data;
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    for (unsigned number = 0; number < PER_SUBMITTER;) {
        if (random_percent(&r, 10))
            submit_batch(round, index, &number, &r);
        else
            submit_one(round, index, number++, &r);
        stress_alive();
    }
}

static cf_executor *
make_pool(struct round *round, struct random *r)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 1 + (int)random_below(r, STRESS_WORKERS_MAX);
    options.queue_capacity =
        random_percent(r, 75) ? 1 + random_below(r, CAPACITY_MAX) : 0;
    options.queue_policy = (cf_queue_policy)random_below(r, 3);
    round->in_order = options.max_workers == 1;
    round->capacity = options.queue_capacity;
    round->policy = options.queue_policy;
    CHECK_EQ(cf_thread_pool_create(&options, &round->ex), CF_OK);
    stress_show(round->ex);
    return round->ex;
}

static void
one_round(uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    struct round round = {.number = number};
    cf_executor *ex = make_pool(&round, &r);
    uint64_t by_caller = atomic_load(&by_caller_ever);
    in_threads(SUBMITTERS, submit, &round);
    if (random_percent(&r, 50))
        CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    CHECK_EQ(cf_executor_shutdown(ex, 0, CF_FOREVER), CF_OK);
    by_caller = atomic_load(&by_caller_ever) - by_caller;
    cf_stats s;
    CHECK_EQ(cf_executor_stats(ex, &s), CF_OK);
    CHECK_EQ(round.ran + round.canceled, round.accepted + round.nested);
    CHECK_EQ(s.done + by_caller, round.ran);
    CHECK_EQ(s.canceled, round.canceled);
    CHECK_EQ(s.queued, 0);
    CHECK_EQ(s.running, 0);
    stress_pool_destroy(ex);
    atomic_fetch_add(&accepted_ever, round.accepted);
    atomic_fetch_add(&rejected_ever, round.rejected);
}

/* --- blocked submitters at the end ---------------------------------------- */

struct blocked {
    cf_executor *ex;
    atomic_bool go;
    atomic_int accepted, ran, refused;
};

static int
hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct blocked *blocked = (struct blocked *)(uintptr_t)arg;
    while (!atomic_load(&blocked->go) && !cf_call_canceled(call))
        continue;
    atomic_fetch_add(&blocked->ran, 1);
    return 0;
}

static void
submit_or_close(unsigned index, void *data)
{
    struct blocked *blocked = data;
    struct random r = random_stream((uintptr_t)data + index);
    if (index == SUBMITTERS) {
        random_delay(&r, 200000);
        atomic_store(&blocked->go, random_percent(&r, 50));
        (void)cf_executor_shutdown(blocked->ex, CF_SHUTDOWN_NOWAIT, 0);
        atomic_store(&blocked->go, true);
        return;
    }
    for (int i = 0; i < BATCH; i++) {
        cf_err err = cf_submit(blocked->ex, hold, blocked, 0, NULL);
        if (err == CF_OK)
            atomic_fetch_add(&blocked->accepted, 1);
        else
            CHECK_EQ(err, CF_ESHUTDOWN);
        atomic_fetch_add(&blocked->refused, err != CF_OK);
    }
}

static void
blocked_round(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 2;
    options.queue_capacity = 2;
    struct blocked blocked = {.ex = NULL};
    CHECK_EQ(cf_thread_pool_create(&options, &blocked.ex), CF_OK);
    stress_show(blocked.ex);
    in_threads(SUBMITTERS + 1, submit_or_close, &blocked);
    stress_pool_destroy(blocked.ex);
    CHECK_EQ(atomic_load(&blocked.ran), atomic_load(&blocked.accepted));
    stress_alive();
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t number = 1; stress_goes_on(); number++) {
        one_round(number);
        for (int i = 0; i < 10; i++)
            blocked_round();
    }
    return stress_end("%llu accepted, %llu rejected, %llu run by submitters",
                      (unsigned long long)accepted_ever,
                      (unsigned long long)rejected_ever,
                      (unsigned long long)by_caller_ever);
}
