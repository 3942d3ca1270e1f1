/* SPDX-License-Identifier: MIT */
/*
 * The pool as its modules see it. README.md has the protocol.
 *
 *   create.c    made
 *   submit.c    submitted to, asked
 *   remote.c    what lib/ asks of tasks that are elsewhere
 *   manager.c   the thread that looks after it all
 *   bury.c      a worker has ended
 *   end.c       shutdown, terminate, destroy, fork; broken
 *   service.c   the lock, and what its holder does
 *   collect.c   from the lanes to the futures
 *   dispatch.c  from the queue to the lanes
 *   alarm.c     when the manager looks, and signals to workers
 *   tasks.c     which task is next, and tasks taken back
 *   retired.c   unmade
 *
 * Each calls those below it, and no file one above.
 *
 * A pool's memory is never given back, only used for another pool: a user of
 * one of its futures may look for the pool while it ends (lib/executor/remote.h).
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
    CF__HEARTBEAT_NS = 100000000 /* how often the manager of a busy pool looks,
                                    in case a worker is wrong about sleeping */
};

/* Which lanes could start something: cf__processes.wanting. */
enum {
    CF__CONTENT, /* none: a submit may leave it */
    CF__EAGER,   /* an idle one, or one without a worker: it must attend */
    CF__AWAKE    /* + i: lane i, whose worker looks for more: a submit may wait
                    for others, once the backlog is set */
};

struct cf__processes {
    cf_executor base;
    struct cf__queue queue;

    /* Atomic. Why submits are refused, or CF_OK. Changes under the lock. */
    _Alignas(CF_CACHE_LINE) _Atomic int refuse;
    /* Atomic. Whether a submit must attend: CF__CONTENT ... Changes under the
     * lock. */
    _Atomic uint32_t wanting;
    /* Atomic. Somebody who did not get the lock wants a service. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t again;
    /* Atomic. Not 0: so many tasks had been cancelled when it was time to drop
     * them; for the next service. */
    _Atomic uint64_t tidy;

    _Alignas(CF_CACHE_LINE) pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;        /* has ended, or is idle, or lost a worker */
    bool open;                     /* the pool exists */
    struct cf__shared *shared;     /* set once */
    struct cf__worker_setup setup; /* set once */
    struct cf__zygote zygote;
    struct cf__process_lane *lanes; /* max_workers of them */
    struct cf__returned returned;
    uint64_t sequence; /* tasks ever handed out, the first time */
    uint64_t taken;    /* tasks ever taken from the queue or from returned */
    size_t in_hand;    /* tasks in lanes */
    uint64_t restarts;
    int64_t forkless_since; /* no worker, and none could be forked; 0: no */

    /* Done, but for what user code must be called for: linked by next, with
     * their flags in base. */
    cf_future *deferred, *deferred_last;

    bool helped;      /* a thread has served since the manager fell asleep */
    int64_t wakes_at; /* when the manager does, asleep or not */
    int64_t look_at;  /* when a service is due that nobody asks for */
    int64_t trim_at;  /* when free memory is to be given back; 0: never */
    const cf_error *broken;
    int finishing;        /* threads that call user code for what has ended */
    int recalling;        /* threads that cancel what was in hand */
    int nested_callbacks; /* that wait, in each other */
    int waiting;          /* threads in wait_idle() */
    bool zygote_stopped;  /* it has been asked to end */
    bool zygote_gone;     /* it is done with */
    bool ending;          /* nothing is left to be done, and the workers know */
    bool ended;           /* no worker and no zygote is left */
    bool joinable;        /* the manager has not been joined */
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

/* The calling thread is in a callback of this pool. */
static inline bool
cf__processes_on_manager(const struct cf__processes *pool)
{
    return cf__thread.server == &pool->server;
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

/* remote.c */
extern const struct cf__remote_ops cf__processes_remote_ops;

/* manager.c: CF_ESYS (errno). */
cf_err cf__processes_start_manager(struct cf__processes *pool);

#endif
