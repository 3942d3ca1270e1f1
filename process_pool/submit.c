/* SPDX-License-Identifier: MIT */
/*
 * What users ask of a process pool that runs: to take tasks, its statistics,
 * and memory that tasks share.
 */
#include "process_pool/submit.h"

#include "lib/base/cpu_time.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"

enum {
    ATTEND_EVERY = 64, /* submits or so, if no lane could start something */
    MANY = 16          /* tasks that are worth a service of their own */
};

/* After a push. true: the submit need not attend now. If a worker is awake and
 * has nothing to do, the submit sets the backlog, and the worker rings before
 * it sleeps. */
static bool
may_wait(struct cf__processes *pool)
{
    cf__queue_fence_after_push(); /* pairs with dispatch's look */
    uint32_t wanting = cf_load_relaxed(&pool->wanting);
    if (wanting < CF__AWAKE)
        return wanting == CF__CONTENT;
    _Atomic uint32_t *backlog = &pool->shared->board->backlog;
    /* pairs with cf__bells_sleep: README.md, "The backlog" */
    if (!cf_load_seq_cst(backlog))
        cf_store_seq_cst(backlog, 1);
    return !cf_load_seq_cst(&pool->lanes[wanting - CF__AWAKE].out->asleep);
}

cf_err
cf__processes_submit(cf_executor *ex,
                     cf_future *oldest,
                     cf_future *newest,
                     size_t count)
{
    struct cf__processes *pool = cf__processes_of(ex);
    (void)newest; /* the queue follows the links */
    if (__builtin_expect(cf__executor_forked(ex), 0))
        return CF_EFORKED; /* no fork handler has closed the queue */
    /* After the push the tasks may be gone. */
    bool at_once = count >= MANY || cf__priority(oldest) != 0;
    cf_err err = cf__queue_push(&pool->queue, oldest, count);
    if (__builtin_expect(err, 0)) /* refuse is set before the queue is closed */
        return err == CF_ESHUTDOWN ? cf_load_relaxed(&pool->refuse) : err;
    bool turn = cf__queue_pushed(&pool->queue) % ATTEND_EVERY < count;
    if (at_once || turn || !may_wait(pool))
        cf__processes_attend(pool);
    return CF_OK;
}

cf_future *
cf__processes_tidy(cf_executor *ex, uint64_t canceled)
{
    cf_store_relaxed(&cf__processes_of(ex)->tidy, canceled); /* a hint */
    return NULL;
}

/* The CPU time of all workers there were. */
static uint64_t
cpu_time_of_workers(struct cf__processes *pool)
{
    uint64_t sum = 0;
    for (int i = 0; i < pool->base.max_workers; i++) {
        /* The zygote writes both, and may be at it. */
        pid_t pid = cf_load_relaxed(&pool->setup.roster.entries[i].pid);
        sum += cf_load_relaxed(&pool->zygote.post->lanes[i].cpu_ns);
        sum += cf__cpu_time_of_process(pid);
    }
    /* A worker that has just been reaped may be in none of both. */
    if (sum > pool->cpu_ns)
        pool->cpu_ns = sum;
    return pool->cpu_ns;
}

void
cf__processes_stats(cf_executor *ex, cf_stats *out)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    cf__processes_serve_locked(pool);
    out->canceled = cf_load_acquire(&ex->canceled); /* before submitted */
    uint64_t taken_back = cf_load_acquire(&ex->taken_back); /* likewise */
    for (int i = 0; i < ex->max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        out->done += lane->done;
        out->failed += lane->failed;
        if (lane->state != CF__LANE_STAFFED)
            continue;
        out->workers++;
        if (cf__lane_tasks(lane) == 0)
            out->idle++;
        else if (cf__lane_has_begun(lane))
            out->running++;
    }
    uint64_t left = out->done + out->running + out->canceled + taken_back;
    uint64_t submitted = cf__queue_count(&pool->queue);
    out->queued = submitted > left ? submitted - left : 0;
    out->restarts = pool->restarts;
    out->cpu_ns = cpu_time_of_workers(pool);
    cf__processes_unlock_serving(pool);
}

void *
cf__processes_shared_alloc(cf_executor *ex, size_t size)
{
    return cf__executor_forked(ex)
               ? NULL
               : cf__arena_alloc_zeroed(&cf__processes_of(ex)->shared->commons,
                                        size);
}

void
cf__processes_shared_free(cf_executor *ex, void *p)
{
    if (!cf__executor_forked(ex))
        (void)cf__arena_free(&cf__processes_of(ex)->shared->commons, p);
}

bool
cf__processes_is_shared(cf_executor *ex, const void *p, size_t size)
{
    return cf__arena_contains(&cf__processes_of(ex)->shared->commons, p, size);
}
