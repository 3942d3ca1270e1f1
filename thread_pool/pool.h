/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's structs, and what files without a header of their own
 * share. README.md has the files and the protocols.
 */
#ifndef CF_THREAD_POOL_POOL_H
#define CF_THREAD_POOL_POOL_H

#include <cfutures/thread_pool.h>

#include "lib/base/fence.h"
#include "lib/base/lock.h"
#include "lib/executor/call.h"
#include "lib/executor/executor.h"
#include "lib/executor/job.h"
#include "lib/executor/queue.h"
#include "thread_pool/deque.h"

#include <pthread.h>

enum {
    CF__WORKERS_MAX = 32767,
    CF__NAME_SIZE = 16 /* a thread's name, with the terminator */
};

struct cf__threads;

/* A task that runs on a worker, and its call. It is not on the worker's stack,
 * which is gone when a task has ended the thread. */
struct cf__frame {
    struct cf_call call;
    cf_future *f; /* the worker has a handle on it */
    struct cf__frame *below;
    struct cf__frame *above; /* kept for the next task on top; or NULL */
};

struct cf__threads_worker {
    struct cf__worker base; /* the executor is the pool */

    /* Only the worker's own thread uses these. */
    struct cf__frame *frame; /* of the innermost running task; or &bottom */
    struct cf__frame bottom; /* of no task */
    unsigned picks;          /* how often it has looked for a task */
    uint64_t swept_at;       /* how many tasks had been cancelled when it last
                                swept its deque */
    enum cf__phase {
        CF__PHASE_INITIALIZING,
        CF__PHASE_TASKS,
        CF__PHASE_FINALIZING
    } phase; /* which user code is interrupted if the thread dies now */
    bool in_initializer; /* so it counts as away; false in a task on top */

    /* Counters of tasks. Writer: the worker. Readers: statistics. */
    _Atomic uint64_t started, done, failed, pushed;

    /* It counts as searching. Written under the pool's lock; while the worker
     * does not sleep, so that no thread can wake it, by the worker itself. */
    bool searching;

    /* Guarded by the pool's lock. */
    bool asleep; /* it is in pool->sleepers */
    struct cf__threads_worker *next_sleeper;
    bool alive;   /* its thread has been started and has not left */
    bool serving; /* it is alive and may take tasks */
    bool to_join; /* its thread has left and must be joined */
    pthread_t thread;
    /* Atomic. Of its thread (lib/base/cpu_time.h). The thread sets it, and
     * clears it under the lock. */
    atomic_int cpu_clock;
    struct cf__threads_worker *watching; /* whose next push wakes it; or NULL */

    /* How many workers watch this one. Atomic. Writers: under the lock. Reader:
     * this worker, after a push. */
    atomic_int watchers;

    /* The worker holds it while entries of its deque are withdrawn: sweep.c. */
    struct cf__lock sweeping;

    struct cf__deque deque;

    /* Only the worker's own thread uses them, but for the counters. */
    _Alignas(CF_CACHE_LINE) struct cf__jobs jobs;
};

/* A thread that has left, and whose worker has a new one. It is about to exit,
 * and must be joined. */
struct cf__former_thread {
    pthread_t thread;
    struct cf__former_thread *next;
};

struct cf__threads {
    cf_executor base;

    /* Set once, before the first worker. */
    cf_thread_pool_options options;
    char name_prefix[CF__NAME_SIZE];
    int searchers_max; /* workers that search at once */

    /* A task has submitted. From then on workers look into each other's deques,
     * and sleepers pay for the fences of pushes to deques. Atomic. Writers:
     * tasks that submit. Readers: they, and workers. */
    atomic_bool nested;

    /* CF_OK, or why submits are refused. Atomic. Writers: under the lock. */
    atomic_int refuse;

    /* workers[0 .. slots - 1] have been used. A worker stays as long as the
     * pool; its thread may come and go. slots is atomic. Writers: under the
     * lock (release). Readers: thieves (acquire). */
    atomic_int slots;
    struct cf__threads_worker **workers;

    /* How many threads are in wait_idle(). Atomic. Writers: under the lock.
     * Reader: a worker that begins its initializer. */
    atomic_int idle_waiters;

    /* The four counts of activity.h in one word. Atomic. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t activity;

    _Alignas(CF_CACHE_LINE) pthread_mutex_t lock;
    /* What threads in shutdown() and wait_idle() wait for: alive,
     * shutting_down, the sleepers or the workers away have changed. On the
     * monotonic clock. */
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct cf__threads_worker *sleepers; /* the last to fall asleep is first */
    int alive;                           /* workers that are alive */
    int serving;       /* workers that serve. Without any the queue is closed,
                          with two exceptions: README.md, "Threads that end" */
    int shutting_down; /* workers that are in shutdown() themselves */
    uint64_t restarts; /* threads that a task has ended */
    uint64_t cpu_ns;   /* of threads that have left */
    bool orphan;       /* the last worker that leaves frees the pool */
    struct cf__former_thread *former_threads;
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

/* --- check.c: an operation ------------------------------------------------ */

void cf__threads_check(cf_executor *ex);

/* --- worker.c ------------------------------------------------------------ */

/* The main function of a worker's thread. */
void *cf__threads_worker_main(void *worker);

/* --- help.c: operations -------------------------------------------------- */

bool cf__threads_run_pending(struct cf__worker *self, cf_future *f);
bool cf__threads_help(struct cf__worker *self, cf_future *f);

/* --- start.c ------------------------------------------------------------- */

/* Starts a worker's thread. CF_ESYS with errno, CF_ENOMEM. The caller holds the
 * lock. */
cf_err cf__threads_start(struct cf__threads *pool);

/* --- sweep.c ------------------------------------------------------------- */

/* The operation. */
cf_future *cf__threads_tidy(cf_executor *ex, uint64_t canceled);

/* What a worker's deque calls before its ring grows. */
void cf__threads_make_room(struct cf__deque *deque);

#endif
