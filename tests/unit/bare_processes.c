/* SPDX-License-Identifier: MIT */
/* A process pool without processes: bare_processes.h. */
#include "tests/unit/bare_processes.h"

#include <cfutures/process_pool.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/base/clock.h"
#include "lib/base/helper_thread.h"
#include "lib/executor/pending.h"
#include "lib/executor/submit.h"
#include "lib/future/life.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "process_pool/tasks.h"

/* NOLINTBEGIN: the names are the linker's (--wrap). */
cf_err __wrap_cf__zygote_start(struct cf__zygote *zygote,
                               const struct cf__worker_setup *setup);
cf_err __wrap_cf__helper_thread_start(const struct cf__origin *origin,
                                      pthread_t *out,
                                      void *(*fn)(void *arg),
                                      void *arg);

/* The post is there, and no process reads it. */
cf_err
__wrap_cf__zygote_start(struct cf__zygote *zygote,
                        const struct cf__worker_setup *setup)
{
    void *post = mmap(NULL,
                      cf__post_size(setup->shared->lanes),
                      PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS,
                      -1,
                      0);
    if (post == MAP_FAILED)
        abort();
    zygote->post = post;
    zygote->lanes = setup->shared->lanes;
    cf_store_relaxed(&zygote->post->pulse.kept, 1);
    return CF_OK;
}

cf_err
__wrap_cf__helper_thread_start(const struct cf__origin *origin,
                               pthread_t *out,
                               void *(*fn)(void *arg),
                               void *arg)
{
    (void)origin, (void)fn, (void)arg;
    *out = pthread_self();
    return CF_OK;
}
/* NOLINTEND */

struct cf__processes *
bare_open(int workers)
{
    cf_executor *ex;
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    options.max_workers = workers;
    if (cf_process_pool_create(&options, &ex) != CF_OK)
        abort();
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    for (int i = 0; i < workers; i++) {
        cf__lane_reset(&pool->lanes[i]);
        pool->lanes[i].state = CF__LANE_STAFFED;
    }
    cf__processes_unlock_alone(pool);
    return pool;
}

void
bare_leave(struct cf__processes *pool)
{
    cf__processes_lock(pool);
    cf_store_relaxed(&pool->refuse, CF_ESHUTDOWN);
    for (int i = 0; i < pool->base.max_workers; i++)
        pool->lanes[i].state = CF__LANE_ABSENT;
    pool->zygote_stopped = pool->zygote_gone = true;
    pool->ending = pool->ended = true;
    pool->joinable = false;
    cf__processes_unlock_alone(pool);
}

void
bare_close(struct cf__processes *pool)
{
    bare_leave(pool);
    cf_executor_destroy(&pool->base);
}

cf_future *
bare_task(struct cf__processes *pool, cf_task_fn *fn)
{
    cf_future *f = NULL;
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    if (cf__submit_prepare(&pool->base, &task, 1, false, NULL, &f) != CF_OK)
        abort();
    return f;
}

uint64_t
bare_hand(struct cf__processes *pool, cf_future *f, uint32_t flags)
{
    struct cf__process_lane *lane = &pool->lanes[0];
    if (!cf__future_claim(f, 0))
        abort();
    cf__lane_add(lane, f, ++pool->sequence, flags);
    pool->in_hand++;
    return lane->next - 1;
}

void
bare_end(struct cf__processes *pool, uint64_t position)
{
    struct cf__outcome *outcome = cf__lane_outcome(&pool->lanes[0], position);
    cf_store_relaxed(&outcome->kind, CF__IN_PLACE);
    cf_store_relaxed(&outcome->size, 0);
    cf_store_seq_cst(&outcome->state, cf__position_state(position, CF__DONE));
}

void
bare_drop(struct cf__processes *pool)
{
    cf__processes_lock(pool);
    cf_future *f = cf__processes_take_all(pool);
    cf__processes_unlock_alone(pool);
    for (cf_future *next; f; f = next) {
        next = cf_load_relaxed(&f->next); /* ours */
        if (!cf__future_cancel_now(f))
            abort();
        cf__future_drop_stale(f);
    }
}

void
bare_empty(struct cf__processes *pool)
{
    struct cf__process_lane *lane = &pool->lanes[0];
    bare_drop(pool);
    cf__processes_lock(pool);
    for (uint64_t p = lane->oldest; p < lane->next; p++)
        cf_store_relaxed(&cf__lane_outcome(lane, p)->state,
                         cf__position_state(p, CF__DONE));
    lane->published = lane->next;
    cf_store_relaxed(&lane->in->published, lane->next);
    cf__processes_collect(pool, lane, 1);
    cf__processes_unlock_alone(pool);
}

struct cf__bells
bare_bells(struct cf__processes *pool)
{
    return (struct cf__bells){.shared = pool->shared,
                              .in = pool->lanes[0].in,
                              .out = pool->lanes[0].out};
}

static void *
be_worker(void *data)
{
    struct cf__processes *pool = data;
    cf__worker_main(&pool->setup, 0, pool->lanes[0].oldest);
}

void
bare_start_worker(struct cf__processes *pool)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, be_worker, pool) != 0)
        abort();
    pthread_detach(thread);
}

bool
bare_is_rung(struct cf__processes *pool)
{
    return cf_load_relaxed(&pool->shared->bell->word) & FUTEX_OWNER_DIED;
}

void
bare_step(struct cf__processes *pool)
{
    cf__thread.server = &pool->server;
    pool->server.serve(&pool->server, CF__NEVER);
    cf__thread.server = NULL;
}
