/* SPDX-License-Identifier: MIT */
/*
 * Sharing the jobs of a worker (lib/executor/job.h) with the other workers, and
 * taking them back. README.md, "Jobs", has the protocol. No locks.
 */
#include "thread_pool/jobs.h"

#include "lib/executor/job.h"
#include "lib/future/life.h"
#include "thread_pool/watch.h"

#include <stddef.h>

static struct cf__threads_worker *
worker_of(struct cf__jobs *jobs)
{
    char *worker = (char *)jobs - offsetof(struct cf__threads_worker, jobs);
    return (struct cf__threads_worker *)(void *)worker;
}

/* Makes the oldest hidden job an entry of the deque. false: no memory, or none
 * is hidden any more. */
static bool
share_oldest(struct cf__threads *pool, struct cf__threads_worker *w)
{
    /* Room comes first, so that the push cannot fail. A sweep may make it, and
     * call destructors. These may wait, and what waits shares all. */
    if (!cf__deque_reserve(&w->deque, 1) || !cf__jobs_hidden(&w->jobs))
        return false;
    cf_future *f = cf__jobs_share_oldest(&w->jobs, &pool->base);
    if (!f)
        return false;
    (void)cf__deque_push(&w->deque, f, cf__queue_pushed(&pool->queue));
    return true;
}

/* Shares hidden jobs while other workers can take fewer than wanted entries. */
static void
share_up_to(struct cf__threads_worker *w, uint64_t wanted)
{
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    bool shared = false;
    /* pairs with cf__threads_missed_work_anywhere: README.md, "Orderings" */
    if (__builtin_expect(!cf_load_seq_cst(&pool->nested), 0))
        cf_store_seq_cst(&pool->nested, true);
    while (cf__jobs_hidden(&w->jobs) && cf__deque_count(&w->deque) < wanted &&
           share_oldest(pool, w))
        shared = true;
    if (shared)
        cf__threads_tell_of_entries(pool, w);
}

/* How many entries are wanted now: one for each worker that has no task. If
 * there is none, one is there for the next such worker. 0: nothing is shared,
 * as there is no other worker, or the pool starts no more threads. */
static uint64_t
wanted_now(struct cf__threads *pool)
{
    if (pool->base.max_workers == 1 || cf_load_relaxed(&pool->refuse) != CF_OK)
        return 0;
    struct cf__activity at = cf__threads_activity_relaxed(pool); /* a hint */
    int without_task = cf__activity_searching(at) + cf__activity_away(at) +
                       cf__activity_sleeping(at) + cf__activity_startable(at);
    return without_task > 0 ? (uint64_t)without_task : 1;
}

static void
share(struct cf__jobs *jobs)
{
    struct cf__threads_worker *w = worker_of(jobs);
    jobs->wanted = wanted_now(cf__threads_of(w->base.executor));
    share_up_to(w, jobs->wanted);
}

static bool
take_back(struct cf__jobs *jobs, cf_future *f)
{
    struct cf__threads_worker *w = worker_of(jobs);
    enum cf__pop pop = cf__deque_pop_if(&w->deque, f, w->base.index);
    /* If it was not the newest, its entry stays: the thread that takes that
     * will find it stale. */
    if (pop == CF__POP_NOT_CLAIMED && !cf__future_claim_word(f, w->base.index))
        return false;
    if (pop == CF__POP_CLAIMED_ENTRY)
        cf__future_unref(f);
    (void)cf__future_finish(f, 0, 0, true); /* no thread waits for it */
    return true;
}

/* The frame has counted the job as a started task. */
static void
begin(struct cf__jobs *jobs)
{
    struct cf__threads_worker *w = worker_of(jobs);
    cf_store_relaxed(&w->started, cf_load_relaxed(&w->started) - 1);
}

static const struct cf__jobs_ops ops = {share, take_back, begin};

void
cf__threads_init_jobs(struct cf__threads_worker *w)
{
    cf__jobs_init(&w->jobs, &ops, &w->deque.top, &w->deque.bottom);
}

void
cf__threads_share_all(struct cf__threads_worker *w)
{
    if (cf__jobs_hidden(&w->jobs) &&
        wanted_now(cf__threads_of(w->base.executor)) > 0)
        share_up_to(w, UINT64_MAX);
}
