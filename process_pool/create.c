/* SPDX-License-Identifier: MIT */
/* The process pool's constructor, and the table of its operations. */
#include "process_pool/pool.h"

#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/forked.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/backend.h"
#include "lib/executor/inline.h"
#include "lib/executor/registry.h"
#include "process_pool/end.h"
#include "process_pool/lock.h"
#include "process_pool/memory/room.h"
#include "process_pool/retired.h"
#include "process_pool/submit.h"
#include "process_pool/zygote/own_fork.h"
#include "process_pool/zygote/stack.h"

#include <cfutures/process_pool.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define RESERVATION_MAX ((size_t)1 << 42) /* bytes; arena.h has a limit */
#define STACK_SIZE_MIN ((size_t)8 << 20)  /* bytes; of the default */
#define KILL_GRACE_NS CF__S(5)

static const struct cf__executor_ops operations = {
    .name = "process_pool",
    .queues = true,
    .submit = cf__processes_submit,
    .tidy = cf__processes_tidy,
    .wait_idle = cf__processes_wait_idle,
    .shutdown = cf__processes_shutdown,
    .terminate = cf__processes_terminate,
    .stats = cf__processes_stats,
    .phase = cf__processes_phase,
    .check = cf__processes_check,
    .destroy = cf__processes_destroy,
    .after_fork = cf__processes_after_fork,
    .remote = &cf__processes_remote_ops,
    .shared_alloc = cf__processes_shared_alloc,
    .shared_free = cf__processes_shared_free,
    .is_shared = cf__processes_is_shared,
};

/* NULL: nothing is. */
static const char *
wrong_in(const cf_process_pool_options *options)
{
    if (options->max_workers < 0)
        return "max_workers is negative";
    if (options->max_workers > CF__PROCESSES_MAX)
        return "max_workers is too large";
    if (options->queue_policy > CF_QUEUE_CALLER_RUNS)
        return "queue_policy has no such value";
    if (options->on_worker_death > CF_WORKER_BREAK)
        return "on_worker_death has no such value";
    if (options->kill_grace_ns < 0)
        return "kill_grace_ns is negative";
    return options->stack_size &&
                   options->stack_size < (size_t)PTHREAD_STACK_MIN
               ? "stack_size is below PTHREAD_STACK_MIN"
               : NULL;
}

static cf_err
check_options(const cf_process_pool_options *options)
{
    const char *why = wrong_in(options);
    if (why)
        return cf__einval("cf_process_pool_options", why);
    return options->stack_size > CF__SIZE_MAX ? CF_ETOOBIG : CF_OK;
}

/* In bytes: as a thread would have, but no less than main() usually has. */
static size_t
default_stack_size(void)
{
    size_t size = 0;
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) == 0) {
        (void)pthread_attr_getstacksize(&attr, &size);
        (void)pthread_attr_destroy(&attr);
    }
    return size > STACK_SIZE_MIN ? size : STACK_SIZE_MIN;
}

/* How many bytes of address space parcels and commons get each: so many that
 * the machine's memory is the limit. */
static size_t
reservation(size_t wanted)
{
    size_t by_user = cf__room_parse(getenv("CF_SHARED_MEMORY"));
    if (by_user)
        wanted = by_user;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    if (wanted)
        return wanted < RESERVATION_MAX ? wanted : RESERVATION_MAX;
    if (pages <= 0)
        return (size_t)1 << 30;
    size_t twice = 2 * (size_t)pages * (size_t)page;
    return twice < RESERVATION_MAX ? twice : RESERVATION_MAX;
}

/* Sets all that is not the lock: nothing of the former pool in this memory is
 * left. */
static void
clear(struct cf__processes *pool, const cf_process_pool_options *options)
{
    static _Atomic unsigned pools;
    struct cf__worker_setup *setup = &pool->setup;
    *setup = (struct cf__worker_setup){.options = *options};
    if (!options->kill_grace_ns)
        setup->options.kill_grace_ns = KILL_GRACE_NS;
    if (!options->stack_size)
        setup->options.stack_size = default_stack_size();
    cf__options_prefix(setup->name_prefix,
                       CF__PROCESS_NAME_SIZE,
                       options->name_prefix,
                       "cfp",
                       &pools);
    setup->options.name_prefix = NULL; /* it is the caller's memory */
    cf_store_relaxed(&pool->refuse, CF_OK);
    cf_store_relaxed(&pool->wanting, CF__EAGER);
    cf_store_relaxed(&pool->tidy, 0);
    cf__queue_init(&pool->queue);
    pool->shared = NULL;
    pool->zygote = (struct cf__zygote){.lifeline.fd = -1};
    pool->lanes = NULL;
    pool->sequence = pool->taken = pool->in_hand = pool->restarts = 0;
    pool->forkless_since = 0;
    pool->deferred = NULL;
    pool->helped = false;
    pool->wakes_at = pool->look_at = CF__NEVER;
    pool->trim_at = 0;
    pool->broken = NULL;
    pool->waiting = pool->finishing = pool->recalling = pool->nested_callbacks =
        0;
    pool->zygote_stopped = pool->zygote_gone = false;
    pool->ending = pool->ended = pool->joinable = pool->orphan = false;
}

/* Makes everything that the zygote must find. */
static cf_err
furnish(struct cf__processes *pool, int workers)
{
    pool->lanes = calloc((size_t)workers, sizeof *pool->lanes);
    pool->shared =
        cf__shared_new(workers, reservation(pool->setup.options.shared_memory));
    /* As many as lanes have in hand at most: so a service allocates nothing. */
    size_t most = (size_t)workers * (CF__LANE / 2);
    if (!pool->lanes || !pool->shared ||
        !cf__roster_init(&pool->setup.roster, workers) ||
        !cf__task_heap_reserve(&pool->returned, most))
        return CF_ENOMEM;
    for (int i = 0; i < workers; i++)
        cf__lane_init(&pool->lanes[i], pool->shared, i);
    pool->setup.shared = pool->shared;
    pool->setup.executable_stack = cf__stack_must_execute();
    return cf__inline_new_in_worker(&pool->setup.nested);
}

/* Forks the zygote, starts the manager and opens the pool. */
static cf_err
launch(struct cf__processes *pool)
{
    /* Before the fork: a worker that had to set hooks would fault in a dozen
     * pages for it. */
    cf_err err = cf__registry_set_hooks();
    if (!err)
        err = cf__zygote_start(&pool->zygote, &pool->setup);
    if (err)
        return err;
    cf__roster_read_only(&pool->setup.roster);
    cf__shared_keep(pool->shared);
    err = cf__shared_open_vault(pool->shared);
    if (!err)
        err = cf__registry_add(&pool->base);
    if (err)
        return err;
    cf__processes_lock(pool);
    pool->open = true;
    cf__queue_open(&pool->queue);
    err = cf__processes_start_manager(pool);
    pool->open = err == CF_OK;
    cf__processes_unlock_alone(pool);
    if (err)
        cf__registry_remove(&pool->base);
    return err;
}

cf_err
cf_process_pool_create(const cf_process_pool_options *opts, cf_executor **out)
{
    cf_process_pool_options options;
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = check_options(&options);
    if (err)
        return err;
    int former = cf__cancel_disable(); /* in the zygote and workers, too */
    unsigned cpus = cf_cpu_count();
    int workers = options.max_workers        ? options.max_workers
                  : cpus < CF__PROCESSES_MAX ? (int)cpus
                                             : CF__PROCESSES_MAX;
    if (cf__in_own_fork()) {
        cf__cancel_restore(former);
        /* or a fork handler that makes a pool would be called for ever */
        return CF_ENOTSUP;
    }
    cf__notice_fork();
    struct cf__processes *pool = cf__processes_obtain();
    if (!pool) {
        cf__cancel_restore(former);
        return CF_ENOMEM;
    }
    clear(pool, &options);
    err = furnish(pool, workers);
    if (!err) {
        err = cf__executor_prepare(&pool->base,
                                   &operations,
                                   workers,
                                   options.queue_capacity,
                                   options.queue_policy);
        if (!err) {
            err = launch(pool);
            if (err)
                cf__executor_unprepare(&pool->base);
        }
    }
    if (err) {
        int error = errno;
        cf__processes_dismantle(pool);
        errno = error;
    } else {
        *out = &pool->base;
    }
    cf__cancel_restore(former);
    return err;
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
