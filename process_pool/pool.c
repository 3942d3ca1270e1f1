/* SPDX-License-Identifier: MIT */
/*
 * The process pool's constructor, its submit, its service and its statistics,
 * and the table of its operations.
 */
#include "process_pool/pool.h"

#include "lib/backend.h"
#include "lib/clock.h"
#include "lib/failure.h"
#include "lib/fence.h"
#include "lib/inline.h"
#include "lib/options.h"
#include "lib/registry.h"

#include <cfutures/process_pool.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ATTEND_EVERY = 16, /* submits, if no lane is idle */
    ROUNDS_MAX = 8     /* services in a row for others */
};

#define KILL_GRACE_NS INT64_C(5000000000)

/* --- the lock ------------------------------------------------------------ */

void
cf__process_pool_service_locked(struct cf__process_pool *pool)
{
    if (!pool->open)
        return;
    int64_t now = cf__now_ns();
    pool->look_at = CF__NEVER;
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].state == CF__LANE_SERVED)
            cf__process_pool_collect_locked(pool, &pool->lanes[i], now);
    if (!pool->broken)
        cf__process_pool_dispatch_locked(pool, now);
    bool refuses = cf_load_relaxed(&pool->refuse) && !pool->ending;
    if ((pool->waiting || refuses) && cf__process_pool_idle_locked(pool)) {
        pthread_cond_broadcast(&pool->changed);
        cf__process_pool_ring(pool); /* for the end */
    }
}

void
cf__process_pool_unlock(struct cf__process_pool *pool)
{
    for (int rounds = 0;; rounds++) {
        if (cf_load_relaxed(&pool->again)) { /* a hint; see the fence */
            cf_store_relaxed(&pool->again, 0);
            cf__process_pool_service_locked(pool);
        }
        if (rounds == ROUNDS_MAX) /* the manager shall go on with it */
            cf__process_pool_ring(pool);
        pthread_mutex_unlock(&pool->lock);
        /* pairs with attend: we see its wish, or it gets the lock */
        cf__fence_full();
        if (!cf_load_relaxed(&pool->again) || rounds == ROUNDS_MAX ||
            pthread_mutex_trylock(&pool->lock) != 0)
            return;
    }
}

void
cf__process_pool_attend(struct cf__process_pool *pool)
{
    cf_store_relaxed(&pool->again, 1);
    cf__fence_full(); /* pairs with unlock's */
    if (pthread_mutex_trylock(&pool->lock) == 0)
        cf__process_pool_unlock(pool);
}

bool
cf__process_pool_idle_locked(struct cf__process_pool *pool)
{
    return pool->in_hand == 0 && !pool->deferred && !pool->returned.count &&
           !cf__queue_has_work(&pool->queue);
}

/* --- operations ---------------------------------------------------------- */

static cf_err
pool_submit(cf_executor *ex, cf_future *oldest, cf_future *newest, size_t count)
{
    struct cf__process_pool *pool = cf__process_pool_of(ex);
    bool often = true;
    if (oldest->attributes && oldest->attributes->priority) {
        cf_err err = cf__queue_push_prioritized(&pool->queue, oldest);
        if (err)
            return err == CF_ESHUTDOWN ? cf_load_relaxed(&pool->refuse) : err;
    } else {
        if (!cf__queue_push(&pool->queue, oldest, newest, count))
            return cf_load_relaxed(&pool->refuse); /* set before the close */
        often = count >= ATTEND_EVERY ||
                cf__queue_pushed(&pool->queue) % ATTEND_EVERY < count;
    }
    cf__fence_full(); /* pairs with dispatch's */
    if (often || cf_load_relaxed(&pool->wanting))
        cf__process_pool_attend(pool);
    return CF_OK;
}

static void
pool_stats(cf_executor *ex, cf_stats *out)
{
    struct cf__process_pool *pool = cf__process_pool_of(ex);
    cf__process_pool_lock(pool);
    cf__process_pool_service_locked(pool);
    out->canceled = cf_load_acquire(&ex->canceled); /* before submitted */
    for (int i = 0; i < ex->max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        out->done += lane->done;
        out->failed += lane->failed;
        if (lane->state != CF__LANE_SERVED)
            continue;
        out->workers++;
        if (cf__lane_in_hand(lane) == 0)
            out->idle++;
        else if (!cf__lane_is_untaken(lane, lane->oldest))
            out->running++;
    }
    uint64_t left = out->done + out->running + out->canceled;
    uint64_t submitted = cf__queue_count(&pool->queue);
    out->queued = submitted > left ? submitted - left : 0;
    out->restarts = pool->restarts;
    cf__process_pool_unlock(pool);
}

static void *
pool_shared_alloc(cf_executor *ex, size_t size)
{
    return cf_load_relaxed(&ex->forked)
               ? NULL
               : cf__arena_alloc_zeroed(
                     &cf__process_pool_of(ex)->shared->commons, size);
}

static void
pool_shared_free(cf_executor *ex, void *p)
{
    if (!cf_load_relaxed(&ex->forked))
        (void)cf__arena_free(&cf__process_pool_of(ex)->shared->commons, p);
}

static bool
pool_is_shared(cf_executor *ex, const void *p, size_t size)
{
    return cf__arena_contains(
        &cf__process_pool_of(ex)->shared->commons, p, size);
}

static const struct cf__executor_ops ops = {
    .name = "process_pool",
    .submit = pool_submit,
    .wait_idle = cf__process_pool_wait_idle,
    .shutdown = cf__process_pool_shutdown,
    .terminate = cf__process_pool_terminate,
    .stats = pool_stats,
    .destroy = cf__process_pool_destroy,
    .after_fork = cf__process_pool_after_fork,
    .remote = &cf__process_pool_remote_ops,
    .shared_alloc = pool_shared_alloc,
    .shared_free = pool_shared_free,
    .is_shared = pool_is_shared,
};

/* --- made and unmade ----------------------------------------------------- */

/* Pools that have ended: their memory serves the next. */
static struct {
    pthread_mutex_t lock;
    struct cf__process_pool *first;
} retired = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
init_locks(struct cf__process_pool *pool)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&pool->lock, NULL); /* cannot fail on Linux */
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* A pool that is not open; NULL: no memory. */
static struct cf__process_pool *
obtain(void)
{
    pthread_mutex_lock(&retired.lock);
    struct cf__process_pool *pool = retired.first;
    if (pool)
        retired.first = pool->retired_next;
    pthread_mutex_unlock(&retired.lock);
    if (pool)
        return pool;
    pool = aligned_alloc(CF_CACHE_LINE, sizeof *pool);
    if (pool) {
        memset(pool, 0, sizeof *pool);
        init_locks(pool);
    }
    return pool;
}

static void
retire(struct cf__process_pool *pool)
{
    pthread_mutex_lock(&retired.lock);
    pool->retired_next = retired.first;
    retired.first = pool;
    pthread_mutex_unlock(&retired.lock);
}

/* Undoes what has been made of a pool. */
static void
dismantle(struct cf__process_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    pthread_mutex_unlock(&pool->lock);
    cf__zygote_close(&pool->zygote);
    if (pool->doorbell >= 0)
        close(pool->doorbell);
    if (pool->setup.nested)
        cf__inline_free_in_worker(pool->setup.nested);
    if (pool->shared)
        cf__shared_release(pool->shared);
    cf__queue_fini(&pool->queue);
    cf__returned_fini(&pool->returned);
    cf__failure_free(pool->broken);
    free(pool->lanes);
    pool->lanes = NULL;
    retire(pool);
}

void
cf__process_pool_free(struct cf__process_pool *pool)
{
    cf__executor_fini(&pool->base);
    dismantle(pool);
}

static cf_err
check_options(const cf_process_pool_options *options)
{
    if (options->max_workers < 0 || options->max_workers > CF__PROCESSES_MAX ||
        options->queue_policy > CF_QUEUE_CALLER_RUNS ||
        options->on_worker_death > CF_WORKER_BREAK ||
        options->kill_grace_ns < 0)
        return CF_EINVAL;
    return CF_OK;
}

static void
set_name_prefix(struct cf__worker_setup *setup)
{
    static _Atomic unsigned pools; /* only to tell names apart */
    const char *given = setup->options.name_prefix;
    unsigned number = given ? 0 : cf_fetch_add_relaxed(&pools, 1);
    if (given)
        snprintf(setup->name_prefix, CF__PROCESS_NAME_SIZE, "%s", given);
    else
        snprintf(setup->name_prefix, CF__PROCESS_NAME_SIZE, "cfp%u", number);
    setup->options.name_prefix = NULL; /* the caller's memory */
}

/* How much address space parcels and commons get each: enough that the memory
 * of the machine is what limits them. */
static size_t
reservation(size_t wanted)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    if (wanted || pages <= 0)
        return wanted ? wanted : (size_t)1 << 30;
    return 2 * (size_t)pages * (size_t)page;
}

/* Nothing of the former pool in this memory is left, but its lock. */
static void
clear(struct cf__process_pool *pool, const cf_process_pool_options *options)
{
    pool->setup = (struct cf__worker_setup){.options = *options};
    if (!options->kill_grace_ns)
        pool->setup.options.kill_grace_ns = KILL_GRACE_NS;
    set_name_prefix(&pool->setup);
    cf_store_relaxed(&pool->refuse, CF_OK);
    cf_store_relaxed(&pool->wanting, 1);
    cf__queue_init(&pool->queue);
    pool->shared = NULL;
    pool->zygote = (struct cf__zygote){-1, 0};
    pool->lanes = NULL;
    pool->sequence = pool->in_hand = pool->restarts = 0;
    pool->deferred = NULL;
    pool->look_at = CF__NEVER;
    pool->trim_at = 0;
    pool->broken = NULL;
    pool->waiting = 0;
    pool->zygote_stopped = pool->zygote_gone = false;
    pool->ending = pool->ended = pool->joinable = pool->orphan = false;
}

/* Everything that the zygote is to find. */
static cf_err
furnish(struct cf__process_pool *pool, int workers)
{
    pool->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->doorbell < 0)
        return CF_ESYS;
    pool->lanes = calloc((size_t)workers, sizeof *pool->lanes);
    pool->shared =
        cf__shared_new(workers, reservation(pool->setup.options.shared_memory));
    if (!pool->lanes || !pool->shared)
        return CF_ENOMEM;
    for (int i = 0; i < workers; i++)
        cf__lane_init(&pool->lanes[i], pool->shared, i);
    pool->setup.shared = pool->shared;
    pool->setup.doorbell = pool->doorbell;
    return cf__inline_new_in_worker(&pool->setup.nested);
}

/* Forks the zygote, and lets the pool begin. */
static cf_err
launch(struct cf__process_pool *pool)
{
    cf_err err = cf__zygote_start(
        &pool->zygote, &pool->setup, pool->setup.options.inherit_descriptors);
    if (err)
        return err;
    err = cf__shared_open_vault(pool->shared);
    if (!err)
        err = cf__registry_add(&pool->base);
    if (err)
        return err;
    pthread_mutex_lock(&pool->lock);
    pool->open = true;
    cf__queue_open(&pool->queue);
    err = cf__process_pool_start_manager(pool);
    pool->open = err == CF_OK;
    pthread_mutex_unlock(&pool->lock);
    if (err)
        cf__registry_remove(&pool->base);
    return err;
}

cf_err
cf_process_pool_create(const cf_process_pool_options *opts, cf_executor **out)
{
    cf_process_pool_options options;
    if (!out)
        return CF_EINVAL;
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = check_options(&options);
    if (err)
        return err;
    unsigned cpus = cf_cpu_count();
    int workers = options.max_workers        ? options.max_workers
                  : cpus < CF__PROCESSES_MAX ? (int)cpus
                                             : CF__PROCESSES_MAX;
    struct cf__process_pool *pool = obtain();
    if (!pool)
        return CF_ENOMEM;
    clear(pool, &options);
    err = furnish(pool, workers);
    if (!err) {
        err = cf__executor_prepare(&pool->base,
                                   &ops,
                                   workers,
                                   options.queue_capacity,
                                   options.queue_policy);
        if (!err)
            err = launch(pool);
        if (err)
            cf__executor_unprepare(&pool->base);
    }
    if (err) {
        int error = errno;
        dismantle(pool);
        errno = error;
        return err;
    }
    *out = &pool->base;
    return CF_OK;
}

static cf_err
open_processes(int max_workers, cf_executor **out)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    options.max_workers = max_workers;
    return cf_process_pool_create(&options, out);
}

const struct cf__backend cf__backend_process_pool = {"processes",
                                                     open_processes};
