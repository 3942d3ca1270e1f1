/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's structs and the steps that its files share. README.md has
 * the protocols: tasks, sleeping and waking, ending.
 *
 *   create.c the pool's options and constructor, the operations' table
 *   submit.c submits, statistics
 *   tasks.c  where a worker finds its next task
 *   worker.c a worker's life: its thread's main and end
 *   frame.c  running a task on a worker's stack
 *   idle.c   searching, sleeping, waking
 *   start.c  starting threads
 *   help.c   waits inside tasks
 *   watch.c  sleepers in such waits
 *   sweep.c  tasks that will never run
 *   end.c    shutdown, terminate, destroy, a broken pool, fork
 */
#ifndef CF_THREAD_POOL_POOL_H
#define CF_THREAD_POOL_POOL_H

#include <cfutures/thread_pool.h>

#include "lib/base/fence.h"
#include "lib/base/lock.h"
#include "lib/executor/call.h"
#include "lib/executor/executor.h"
#include "lib/executor/queue.h"
#include "thread_pool/deque.h"

#include <pthread.h>

enum {
    CF__WORKERS_MAX = 32767,
    CF__NAME_SIZE = 16 /* of a thread, with the terminator */
};

struct cf__threads;

/* A task that runs on a worker, and its call. Not on the worker's stack, which
 * is gone when a task has ended the thread. */
struct cf__frame {
    struct cf_call call;
    cf_future *f; /* the worker has a handle on it */
    struct cf__frame *below;
    struct cf__frame *above; /* kept for the next task; or NULL */
};

struct cf__threads_worker {
    struct cf__worker base; /* the executor is the pool */

    /* The worker's own thread. */
    struct cf__frame *frame; /* the innermost running task's, or bottom */
    struct cf__frame bottom; /* no task's */
    unsigned picks;          /* how often it looked for a task */
    uint64_t swept_at;       /* when it last swept its deque: sweep.c */
    enum cf__phase {
        CF__PHASE_INITIALIZING,
        CF__PHASE_SERVING,
        CF__PHASE_FINALIZING
    } phase; /* which user code a death on this thread interrupts */

    /* Counters. Writer: the worker. Readers: statistics. */
    _Atomic uint64_t started, done, failed, pushed;

    /* Written under the pool's lock or by the worker itself while nobody can
     * wake it: it counts as searching. */
    bool searching;

    /* Guarded by the pool's lock. */
    bool asleep; /* it is in pool->sleepers */
    struct cf__threads_worker *next_sleeper;
    bool alive;   /* its thread has been started and has not left */
    bool serving; /* ... and may take tasks */
    bool to_join; /* its thread has left and must be joined */
    pthread_t thread;
    struct cf__threads_worker *watching; /* whose tasks it would help with */

    /* Atomic. Writers: under the lock. Reader: this worker, after a push. How
     * many sleeping workers watch it. */
    atomic_int watchers;

    /* Held by this worker while it has withdrawn entries of its deque: sweep.c. */
    struct cf__lock sweeping;

    struct cf__deque deque;
};

struct cf__threads {
    cf_executor base;

    /* Set once, before the first worker. */
    cf_thread_pool_options options;
    char name_prefix[CF__NAME_SIZE];
    int searchers_max;

    /* Atomic. Set by the first task that submits: from then on sleepers pay
     * for the fences of pushes to deques. */
    atomic_bool nested;

    /* Atomic. Writers: under the lock. CF_OK, or why submits are refused. */
    atomic_int refuse;

    /* Atomic. Writers: under the lock (release). Readers: thieves (acquire).
     * workers[0 .. slots-1] have been used; a worker stays for the pool's
     * life, its thread may come and go. */
    atomic_int slots;
    struct cf__threads_worker **workers;

    /* Atomic. Writers: under the lock. Reader: a worker that begins its
     * initializer. Threads in wait_idle(). */
    atomic_int idle_waiters;

    /* Atomic: the four counts of activity.h in one word. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t activity;

    _Alignas(CF_CACHE_LINE) pthread_mutex_t lock;
    pthread_cond_t changed; /* alive, or who sleeps; on the monotonic clock */
    /* Guarded by lock. */
    struct cf__threads_worker *sleepers; /* the last to fall asleep first */
    int alive;                           /* threads that have not left */
    int serving;       /* of these, may take tasks. The queue is open only if
                          there are any */
    int shutting_down; /* of these, in shutdown() themselves */
    uint64_t restarts;
    bool orphan;            /* the last worker frees the pool */
    const cf_error *broken; /* set once, before refuse becomes CF_EBROKEN */

    struct cf__queue queue;
};

static inline struct cf__threads *
cf__threads_of(cf_executor *ex)
{
    return (struct cf__threads *)ex;
}

static inline struct cf__threads_worker *
cf__threads_worker_of(struct cf__worker *worker)
{
    return (struct cf__threads_worker *)worker;
}

/* --- submit.c: operations ------------------------------------------------ */

cf_err cf__threads_submit(cf_executor *ex,
                          cf_future *oldest,
                          cf_future *newest,
                          size_t count);
void cf__threads_stats(cf_executor *ex, cf_stats *out);

/* --- worker.c ------------------------------------------------------------ */

void *cf__threads_worker_main(void *worker);

/* --- help.c: operations -------------------------------------------------- */

bool cf__threads_run_pending(struct cf__worker *self, cf_future *f);
bool cf__threads_help(struct cf__worker *self, cf_future *f);

/* --- start.c ------------------------------------------------------------- */

/* Starts a worker. CF_ESYS with errno, CF_ENOMEM. The caller holds the lock. */
cf_err cf__threads_start(struct cf__threads *pool);

/* --- sweep.c ------------------------------------------------------------- */

/* The operation; and the deque's, before it grows. */
void cf__threads_tidy(cf_executor *ex, uint64_t canceled);
void cf__threads_make_room(struct cf__deque *deque);

#endif
