/* SPDX-License-Identifier: MIT */
/* Tasks that their submitter runs: see caller_run.h. No locks. */
#include "lib/executor/caller_run.h"

#include "lib/executor/call.h"
#include "lib/executor/pending.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

#include <pthread.h>

enum { DEPTH_MAX = 64 };

static _Atomic uintptr_t last_id = 1;

/* The innermost run of ex in this thread. NULL: there is none. */
static struct cf__caller_run *
find_run(const cf_executor *ex)
{
    struct cf__caller_run *run = cf__thread.caller_run;
    while (run && run->executor != ex)
        run = run->outer;
    return run;
}

bool
cf__caller_runs_here(const cf_executor *ex)
{
    return find_run(ex) != NULL;
}

static void
finish(struct cf__chain_run *chain, cf_future *f, uint64_t flags)
{
    (void)chain;
    (void)cf__future_finish(f, flags, 0, true);
}

static void
run_claimed(cf_executor *ex, cf_future *oldest, cf_future *newest)
{
    struct cf__chain_run chain = {.call = {.executor = ex, .worker = -1},
                                  .f = oldest,
                                  .newest = newest,
                                  .finish = finish};
    cf__chain_run(&chain);
}

static cf_future *
take_first(struct cf__caller_run *run)
{
    cf_future *f = run->first;
    if (f)
        run->first = f == run->last ? NULL : cf_load_relaxed(&f->next);
    return f;
}

void
cf__drop_put_off(cf_executor *ex, cf_future *f)
{
    cf_fetch_add_relaxed(&ex->taken_back, -1); /* a counter */
    cf__future_drop_stale(f);
}

/* If the thread ends in a task, the tasks that were put off fail with it. In a
 * fork's child they are the parent's, and are left alone. */
static void
end_run(void *caller_run)
{
    struct cf__caller_run *run = caller_run;
    if (run->generation != cf__generation)
        run->first = NULL;
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EWORKERDIED;
    error.message = "the task that submitted it ended the thread";
    for (cf_future *f; (f = take_first(run)) != NULL;) {
        (void)cf__future_refuse(f, &error);
        cf__drop_put_off(run->executor, f);
    }
    cf__thread.caller_run = run->outer;
}

static void
run_inside(cf_executor *ex,
           cf_future *oldest,
           cf_future *newest,
           unsigned depth)
{
    struct cf__caller_run run = {
        .executor = ex,
        .id = cf_fetch_add_relaxed(&last_id, 2), /* a counter */
        .depth = depth,
        .generation = cf__generation,
        .outer = cf__thread.caller_run};
    cf__thread.caller_run = &run;
    pthread_cleanup_push(end_run, &run);
    run_claimed(ex, oldest, newest);
    for (cf_future *f;
         run.generation == cf__generation && (f = take_first(&run)) != NULL;) {
        if (cf__future_claim(f, -1))
            run_claimed(ex, f, f);
        else
            cf__drop_put_off(ex, f);
    }
    pthread_cleanup_pop(1);
}

/* The bound counts these tasks until they are claimed. */
static cf_err
put_off(struct cf__caller_run *run,
        cf_future *oldest,
        cf_future *newest,
        size_t count)
{
    cf_err why;
    if (cf__bound_acquire(run->executor->bound, count, CF__ENTRY_OVER, &why) ==
        CF__BOUND_REFUSED)
        return why;
    if (run->first)
        cf_store_relaxed(&run->last->next, oldest); /* this thread's */
    else
        run->first = oldest;
    run->last = newest;
    return CF_OK;
}

cf_err
cf__caller_run(cf_executor *ex,
               cf_future *oldest,
               cf_future *newest,
               size_t count)
{
    struct cf__caller_run *run = find_run(ex);
    unsigned depth = run ? run->depth + 1 : 0;
    if (depth >= DEPTH_MAX)
        return put_off(run, oldest, newest, count);
    cf__chain_claim(oldest, newest, -1);
    run_inside(ex, oldest, newest, depth);
    return CF_OK;
}

bool
cf__caller_run_it(cf_future *f)
{
    cf_executor *ex = f->executor;
    struct cf__caller_run *run = ex ? find_run(ex) : NULL;
    if (!run || !cf__future_claim(f, -1))
        return false;
    cf_fetch_add_relaxed(&ex->taken_back, 1); /* a counter */
    /* The queue's handle stays with the entry in the list of what was put
     * off. */
    (void)cf_future_ref(f);
    run_inside(ex, f, f, run->depth + 1);
    return true;
}
