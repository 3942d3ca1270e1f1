/* SPDX-License-Identifier: MIT */
/*
 * The pool as its files see it. README.md has the protocol.
 *
 *   create.c    makes a pool; the table of its operations
 *   submit.c    takes tasks; statistics; memory that tasks share
 *   remote.c    what lib/ asks of tasks in other processes
 *   manager.c   the thread that looks after the pool
 *   bury.c      a worker has ended
 *   end.c       shutdown, terminate, destroy, break, fork
 *   check.c     whether the pool is whole
 *   service.c   what the holder of the lock (lock.h) does
 *   collect.c   from the lanes to the futures
 *   dispatch.c  which lanes get tasks from the queue
 *   deal.c      from the queue to the lanes
 *   alarm.c     when the manager looks; signals to workers
 *   tasks.c     which task is next; tasks taken back
 *   retired.c   unmakes a pool, and keeps its memory
 *
 * A file calls files below it, and none above.
 *
 * A pool's memory is never given back, only used for another pool: a thread
 * with one of its futures may look for the pool while the pool ends
 * (lib/executor/remote.h).
 */
#ifndef CF_PROCESS_POOL_POOL_H
#define CF_PROCESS_POOL_POOL_H

#include "lib/executor/executor.h"
#include "lib/executor/queue.h"
#include "lib/executor/remote.h"
#include "lib/executor/server.h"
#include "process_pool/lane.h"
#include "process_pool/zygote/zygote.h"

#include <pthread.h>

enum {
    CF__PROCESSES_MAX = 1024,
    CF__HEARTBEAT_NS =
        CF__MS(100) /* how often the manager of a busy pool looks,
                                    in case a worker sleeps and says that it
                                    does not */
};

/* Which lanes could start something: cf__processes.wanting. */
enum {
    CF__CONTENT, /* none: a submit may leave its task queued */
    CF__EAGER,   /* an idle one, or one without a worker: it must attend */
    CF__AWAKE    /* + i: lane i, whose worker is awake and looks for more: a
                    submit may wait for others, once it has set the backlog */
};

struct cf__processes {
    cf_executor base;
    struct cf__queue queue;

    /* Atomic. Why submits are refused, or CF_OK. Changes under the lock. */
    _Alignas(CF_CACHE_LINE) _Atomic int refuse;
    /* Atomic. What a submit must do: CF__CONTENT ... Changes under the lock. */
    _Atomic uint32_t wanting;
    /* Atomic. A thread that did not get the lock wants a service. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t again;
    /* Atomic. Not 0: the next service drops cancelled tasks; so many had been
     * cancelled when that became due. */
    _Atomic uint64_t tidy;

    _Alignas(CF_CACHE_LINE) pthread_mutex_t lock; /* guards all below */
#ifdef CF_ASSERTIONS
    _Atomic uintptr_t lock_owner; /* lock.h */
#endif
    pthread_cond_t changed;        /* the pool has ended or is idle, or a lane
                                      lost its worker */
    bool open;                     /* the pool exists, and is this process's */
    struct cf__shared *shared;     /* set once */
    struct cf__worker_setup setup; /* set once */
    struct cf__zygote zygote;
    struct cf__process_lane *lanes; /* max_workers of them */
    /* Tasks that were handed to a worker and taken back before it started them:
     * they go before all others of their priority. Their order is that of their
     * first handing out. */
    struct cf__task_heap returned;
    uint64_t sequence; /* tasks ever handed out, each counted once */
    uint64_t taken;    /* tasks ever taken from the queue or from returned */
    size_t in_hand;    /* tasks in lanes */
    uint64_t restarts;
    uint64_t cpu_ns;        /* of all workers, as statistics have told it */
    int64_t forkless_since; /* since when no worker is there and none could be
                               forked; 0: not so */

    /* Tasks that have ended, but for which user code must be called: linked by
     * next, with their flags in base. */
    cf_future *deferred, *deferred_last;

    bool helped;      /* a thread has served since the manager fell asleep */
    int64_t wakes_at; /* when the manager looks next, asleep or not */
    int64_t look_at;  /* when a service is due for which no thread asks */
    int64_t trim_at;  /* when to give free memory back; 0: never */
    const cf_error *broken;
    int finishing;        /* threads that call user code for tasks that have
                             ended */
    int recalling;        /* threads that cancel what was in hand */
    int nested_callbacks; /* callbacks of the manager that wait in each other */
    int waiting;          /* threads in wait_idle() */
    bool zygote_stopped;  /* it has been told to end */
    bool zygote_gone;     /* it has ended, and is reaped */
    bool ending;          /* nothing is left to do, and the workers know */
    bool ended;           /* no worker and no zygote is left */
    bool joinable;        /* no thread has joined the manager */
    bool orphan;          /* the manager frees the pool when it ends */
    pthread_t manager;
    struct cf__server server;
    struct cf__processes *retired_next; /* guarded by the list's lock */
};

static inline struct cf__processes *
cf__processes_of(cf_executor *ex)
{
    return (struct cf__processes *)ex;
}

/* The calling thread is this pool's manager. */
static inline bool
cf__processes_on_manager(const struct cf__processes *pool)
{
    return cf__thread.server == &pool->server;
}

/* When a worker or task that is asked to end now must have ended. */
static inline int64_t
cf__processes_after_grace(const struct cf__processes *pool, int64_t now)
{
    return cf__deadline_from(now, pool->setup.options.kill_grace_ns);
}

static inline struct cf__process_lane *
cf__process_lane_of(struct cf__processes *pool, uint64_t word)
{
    int runner = cf__runner(word);
    return runner >= 0 && runner < pool->base.max_workers && pool->open
               ? &pool->lanes[runner]
               : NULL;
}

/* dispatch.c: hands out what is queued. */
void cf__processes_dispatch(struct cf__processes *pool, int64_t now);

/* check.c: an operation of the executor; what it looks at. */
void cf__processes_check(cf_executor *ex);
void cf__processes_check_locked(struct cf__processes *pool);

/* remote.c */
extern const struct cf__remote_ops cf__processes_remote_ops;

/* manager.c: CF_ESYS (errno). */
cf_err cf__processes_start_manager(struct cf__processes *pool);

#endif
