/* SPDX-License-Identifier: MIT */
/*
 * How a loop is cut into ranges and run: cf_parallel_for(). README.md, "Loops",
 * says how the ranges are dealt.
 */
#include "lib/many/loop.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/worker.h"
#include "lib/executor/call.h"
#include "lib/executor/executor.h"
#include "lib/executor/wait_one.h"

#include <cfutures/wait.h>

#include <stdlib.h>

enum {
    /* No range but the last one is smaller than this part of the iterations
     * that each worker would have if all had as many. */
    SMALLEST_SHARE = 64,
    RANGES_PER_WORKER = SMALLEST_SHARE + 16 /* so there are fewer */
};

/* What the ranges share, in memory that all workers share. */
struct shared {
    atomic_bool failed;                /* a range has failed */
    _Alignas(16) unsigned char data[]; /* the copy, of loop->data_size bytes */
};

/* The argument of a range's task. */
struct range {
    cf_range_fn *fn;
    void *data;
    size_t begin, end, grain;
    struct shared *shared;
};

/* The task of a range. */
static int
run_range(cf_call *call, const void *arg, size_t arg_size)
{
    const struct range *range = arg;
    (void)arg_size;
    size_t grain = range->grain ? range->grain : range->end - range->begin;
    for (size_t at = range->begin; at < range->end;) {
        if (cf_load_relaxed(&range->shared->failed))
            return 0; /* a hint; the loop has its error */
        if (cf_call_canceled(call))
            return cf_fail(call, 0, "given up");
        size_t left = range->end - at;
        size_t next = at + (left < grain ? left : grain);
        int rc = cf__loop_call_returned(call,
                                        range->fn(call, at, next, range->data));
        if (rc) {
            cf_store_relaxed(&range->shared->failed, true);
            return rc;
        }
        at = next;
    }
    return 0;
}

/* Cuts the loop into ranges; returns how many. */
static size_t
cut(const struct cf__loop *loop,
    size_t workers,
    struct shared *shared,
    struct range *ranges)
{
    void *data = loop->data_size ? shared->data : loop->data;
    size_t unit = loop->unit ? loop->unit : loop->grain ? loop->grain : 1;
    size_t units = (loop->end - loop->begin - 1) / unit + 1;
    size_t smallest = units / workers / SMALLEST_SHARE + 1;
    if (loop->ex->bound) { /* the queue must hold all ranges at once */
        size_t most = cf__bound_capacity(loop->ex->bound);
        size_t least = (units - 1) / most + 1;
        smallest = least > smallest ? least : smallest;
    }
    size_t count = 0, at = loop->begin;
    while (units > 0) {
        size_t share = units / (2 * workers);
        if (share < smallest)
            share = smallest;
        for (size_t i = 0; i < workers && units > 0; i++) {
            size_t take = share < units ? share : units;
            units -= take;
            size_t next = units ? at + take * unit : loop->end;
            ranges[count++] =
                (struct range){loop->fn, data, at, next, loop->grain, shared};
            at = next;
        }
    }
    return count;
}

static void
interrupt_all(cf_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)cf_future_interrupt(futures[i]);
}

cf_err
cf__loop_await(cf_future *const *futures, size_t count, int64_t deadline_ns)
{
    int64_t timeout_ns = cf__time_left(deadline_ns);
    /* If there is no memory for this wait, or a range waits for the calling
     * task, a failure is noticed at the end. */
    cf_err err = cf_wait(futures, count, CF_FIRST_ERROR, timeout_ns, NULL);
    if (err != CF_ENOMEM && err != CF_EDEADLK)
        interrupt_all(futures, count);
    for (size_t i = 0; i < count; i++) {
        cf_err waited = cf__future_wait_firmly(futures[i]);
        if (waited == CF_EDEADLK)
            interrupt_all(futures, count);
        if (waited == CF_EDEADLK || waited == CF_EFORKED)
            return waited;
    }
    return err == CF_ETIMEDOUT || err == CF_EINTERRUPTED ? err : CF_OK;
}

/* Finds the first range that failed by itself, not because another one did. */
static cf_err
find_failed(cf_future *const *futures, size_t count, cf_future **failed)
{
    for (size_t i = 0; i < count; i++) {
        const cf_error *error = cf_future_error(futures[i]);
        if (error && error->kind != CF_ECANCELED) {
            if (failed)
                *failed = cf_future_ref(futures[i]);
            return error->kind;
        }
    }
    return CF_OK;
}

/* No range failed by itself. CF_ECANCELED: one did not run to its end, as it
 * was cancelled from elsewhere. */
static cf_err
find_canceled(cf_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cf_future_state(futures[i]) == CF_CANCELED ||
            cf_future_error(futures[i]))
            return CF_ECANCELED;
    }
    return CF_OK;
}

/* A loop under way, and its memory. */
struct run {
    const struct cf__loop *loop;
    struct range *ranges;
    cf_future **futures; /* NULL: not submitted */
    size_t count;        /* ranges */
    struct shared *shared;
};

/* f runs on this thread's stack, below the caller of this function. */
static bool
runs_here(const cf_future *f)
{
    const struct cf__worker *worker = cf__thread.worker;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with the claim */
    return worker && worker->executor == f->executor &&
           cf__state(word) == CF_RUNNING &&
           f->executor->ops->worker_of(f) == worker;
}

/* Waits for the ranges that other threads run, as they use the loop's data.
 * false: one of them never ends. */
static bool
await_others(const struct run *run)
{
    bool ended = true;
    interrupt_all(run->futures, run->count);
    for (size_t i = 0; i < run->count; i++) {
        cf_future *f = run->futures[i];
        if (f && !runs_here(f) && cf__future_wait_firmly(f) != CF_OK)
            ended = false;
        cf_future_unref(f);
    }
    return ended;
}

static void
free_run(const struct run *run, bool shared_too)
{
    const struct cf__loop *loop = run->loop;
    if (shared_too && run->shared)
        cf_shared_free(loop->ex, run->shared);
    if (shared_too && loop->owns_data)
        cf_shared_free(loop->ex, loop->data);
    free(run->futures);
    free(run->ranges);
}

/* A range that this thread runs while it waits has ended the thread. Frees what
 * the loop has, once no other thread uses it. */
static void
end_run(void *loop_run)
{
    struct run *run = loop_run, mine = *run;
    run->count = 0; /* if the wait ends the thread again, the next call finds
                       nothing */
    run->ranges = NULL;
    run->futures = NULL;
    run->shared = NULL;
    free_run(&mine, await_others(&mine));
}

/* Submits the ranges, waits for them, and finds out how they ended. */
static cf_err
run_ranges(const struct run *run, cf_future **failed)
{
    const struct cf__loop *loop = run->loop;
    cf_future **futures = run->futures;
    const size_t count = run->count;
    int former = cf__cancel_disable(); /* the submit may wait for room */
    cf_err err = cf_submit_many(
        loop->ex, run_range, run->ranges, sizeof *run->ranges, count, futures);
    cf__cancel_restore(former);
    if (err)
        return err;
    err = cf__loop_await(futures, count, loop->deadline_ns);
    cf_err why = find_failed(futures, count, failed);
    if (why && err != CF_EDEADLK)
        err = why;
    if (!err || err == CF_EINTERRUPTED) {
        cf_err canceled = find_canceled(futures, count);
        if (!err || !canceled) /* told to stop, but all ranges were through */
            err = canceled;
    }
    for (size_t i = 0; i < count; i++)
        cf_future_unref(futures[i]);
    return err;
}

static cf_err
do_run(struct run *run, size_t workers, cf_future **failed)
{
    const struct cf__loop *loop = run->loop;
    struct shared *shared = run->shared;
    cf_store_relaxed(&shared->failed, false); /* no other thread knows it yet */
    if (loop->data_size)
        memcpy(shared->data, loop->data, loop->data_size);
    run->count = cut(loop, workers, shared, run->ranges);
    cf_err err = run_ranges(run, failed);
    run->count = 0; /* no future is held any more */
    if (!err && cf_load_relaxed(&shared->failed)) /* all ranges are done */
        err = CF_ETASK; /* a worker process wrote it, and no range failed */
    if (loop->data_size)
        memcpy(loop->data, shared->data, loop->data_size);
    if (!err && loop->succeeded)
        loop->succeeded(loop);
    return err;
}

cf_err
cf__loop_run(const struct cf__loop *loop, cf_future **failed)
{
    if (failed)
        *failed = NULL;
    if (loop->begin >= loop->end)
        return CF_OK;
    struct run run = {.loop = loop};
    if (cf__holds_up(loop->ex)) { /* no range would run */
        free_run(&run, true);
        return CF_EDEADLK;
    }
    size_t workers = (size_t)loop->ex->max_workers;
    size_t room = workers * RANGES_PER_WORKER;
    cf_err err;
    run.ranges = malloc(room * sizeof *run.ranges);
    run.futures = calloc(room, sizeof *run.futures);
    run.shared =
        cf_shared_alloc(loop->ex, sizeof *run.shared + loop->data_size);
    cf__cleanup_reads(&run);
    pthread_cleanup_push(end_run, &run);
    err = run.ranges && run.futures && run.shared
              ? do_run(&run, workers, failed)
              : CF_ENOMEM;
    pthread_cleanup_pop(0);
    free_run(&run, err != CF_EDEADLK); /* with CF_EDEADLK a range uses it */
    return err;
}

cf_err
cf_parallel_for(cf_executor *ex,
                size_t begin,
                size_t end,
                size_t grain,
                cf_range_fn *fn,
                void *data,
                cf_future **failed)
{
    if (!ex || !fn)
        return cf__einval(__func__, !ex ? "ex is NULL" : "fn is NULL");
    struct cf__loop loop = {.ex = ex,
                            .begin = begin,
                            .end = end,
                            .grain = grain,
                            .fn = fn,
                            .data = data,
                            .deadline_ns = CF__NEVER};
    return cf__loop_run(&loop, failed);
}
