/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's structs and the steps that its files share. README.md has
 * the protocols: tasks, sleeping and waking, ending.
 *
 *   pool.c   options, submit, statistics, the operations' table
 *   worker.c a worker's life: what it runs next, running it, its end
 *   idle.c   searching, sleeping, waking
 *   start.c  starting threads
 *   help.c   waits inside tasks
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
    bool asleep; /* it is in pool->idle */
    struct cf__threads_worker *idle_next;
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
    atomic_int waiting;

    /* Atomic: the four counts of idle.c in one word. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t activity;

    _Alignas(CF_CACHE_LINE) pthread_mutex_t lock;
    pthread_cond_t changed; /* alive, or who sleeps; on the monotonic clock */
    /* Guarded by lock. */
    struct cf__threads_worker
        *idle;   /* sleepers, the last to fall asleep first */
    int alive;   /* threads that have not left */
    int serving; /* of these, may take tasks. The queue is open only if
                           there are any */
    int ending;  /* of these, in shutdown() themselves */
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

/* --- idle.c ------------------------------------------------------------- */

/* Counts in activity: CF__SLEEPING and more, if somebody could be made to
 * come. Away: in the initializer, or giving memory back; it has no task, and
 * looks for one afterwards. */
#define CF__SEARCHING UINT64_C(1)
#define CF__AWAY (UINT64_C(1) << 16)
#define CF__SLEEPING (UINT64_C(1) << 32)
#define CF__STARTABLE (UINT64_C(1) << 48)
#define CF__COUNT(activity, unit) (((activity) / (unit)) & 0xffff)

/* Adds to the counts; returns what they were. */
static inline uint64_t
cf__threads_change(struct cf__threads *pool, uint64_t plus, uint64_t minus)
{
    return cf_fetch_add_seq_cst(&pool->activity, plus - minus);
}

/* Wakes or starts a worker if none is searching. */
void cf__threads_wake_one(struct cf__threads *pool);

/* Lets all sleepers look around. The caller holds the lock. */
void cf__threads_wake_all_locked(struct cf__threads *pool);

/* The worker has found nothing: waits for work. false: it serves no more, and
 * its thread shall end. */
bool cf__threads_wait_for_work(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* The worker has found a task, or is kept from looking for one. */
void cf__threads_stop_searching(struct cf__threads *pool,
                                struct cf__threads_worker *w);

/* A new worker runs its initializer: submits meanwhile start others. What was
 * submitted before waits for it: pausing wakes nobody, and after resuming it
 * finds that or hands on. */
void cf__threads_pause_search(struct cf__threads *pool,
                              struct cf__threads_worker *w);
void cf__threads_resume_search(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* Instead of resuming: the initializer has failed, and the pool is broken. */
void cf__threads_abandon_search(struct cf__threads *pool);

/* Counts the worker as searching before its task is published as finished, so
 * that whoever sees the result and submits finds it free. */
void cf__threads_search_early(struct cf__threads *pool,
                              struct cf__threads_worker *w);

/* The worker's thread ends: by itself, or because a task ended it (died). The
 * last thing it does: the pool may be gone afterwards. */
void cf__threads_worker_gone(struct cf__threads *pool,
                             struct cf__threads_worker *w,
                             bool died);

/* There may be a task to take somewhere. */
bool cf__threads_has_work(struct cf__threads *pool);

static inline bool
cf__threads_nobody_comes(uint64_t activity)
{
    return CF__COUNT(activity, CF__SEARCHING) == 0 && activity >= CF__SLEEPING;
}

/* After a push to the queue. README.md, "Sleeping and waking". */
static inline uint64_t
cf__threads_activity_after_push(struct cf__threads *pool)
{
    cf__fence_after_rmw(); /* that of the inbox's lock */
    cf__fence_light();     /* who finds it locked pays for this one */
    return cf_load_relaxed(&pool->activity);
}

/* After a push that was a store: sleepers pay for the fence, and we only where
 * a searcher may be leaving. */
static inline void
cf__threads_wake_after_store(struct cf__threads *pool)
{
    cf__fence_light();
    /* pairs with left_work_anywhere, where it skips the heavy fence */
    uint64_t activity = cf_load_seq_cst(&pool->activity);
    if (__builtin_expect(activity < CF__SLEEPING, 1))
        return;
    cf__fence_full();
    activity = cf_load_relaxed(&pool->activity);
    if (cf__threads_nobody_comes(activity))
        cf__threads_wake_one(pool);
}

/* --- worker.c ----------------------------------------------------------- */

void *cf__threads_worker_main(void *worker);

/* Runs a claimed task on top of what the worker is doing, and drops one handle
 * on it. */
void cf__threads_run(struct cf__threads_worker *w, cf_future *f);

/* There is a frame for one more task. */
bool cf__threads_can_nest(struct cf__threads_worker *w);

/* Takes any task out of the pool, with its queue's handle, for who empties
 * it. */
cf_future *cf__threads_take_any(struct cf__threads *pool);

/* --- help.c ------------------------------------------------------------- */

bool cf__threads_run_pending(struct cf__worker *self, cf_future *f);
bool cf__threads_help(struct cf__worker *self, cf_future *f);
void cf__threads_watch(struct cf__worker *self, cf_future *f);
void cf__threads_unwatch(struct cf__worker *self);

/* The worker has pushed a task, and somebody watches it. */
void cf__threads_notify_watchers(struct cf__threads *pool,
                                 struct cf__threads_worker *w);

/* Entries of the calling worker's deque have come into reach: sleepers and
 * watchers may have seen none. */
static inline void
cf__threads_tell_of_entries(struct cf__threads *pool,
                            struct cf__threads_worker *w)
{
    cf__threads_wake_after_store(pool); /* a light fence before it all */
    if (__builtin_expect(cf_load_relaxed(&w->watchers) > 0, 0))
        cf__threads_notify_watchers(pool, w);
}

/* --- start.c ------------------------------------------------------------- */

/* Starts a worker. CF_ESYS with errno, CF_ENOMEM. */
cf_err cf__threads_start_locked(struct cf__threads *pool);

/* --- sweep.c ------------------------------------------------------------- */

/* The operation; and the deque's, before it grows. */
void cf__threads_tidy(cf_executor *ex, uint64_t canceled);
void cf__threads_make_room(struct cf__deque *deque);

/* Drops what will never run of the calling worker's own tasks, and tells
 * sleepers and watchers that the others are back in reach. */
void cf__threads_sweep_own(struct cf__threads_worker *w);

/* --- end.c -------------------------------------------------------------- */

cf_err cf__threads_wait_idle(cf_executor *ex, int64_t deadline_ns);
cf_err
cf__threads_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns);
cf_err cf__threads_terminate(cf_executor *ex, int signo);
bool cf__threads_is_stalled(cf_executor *ex);
void cf__threads_destroy(cf_executor *ex);
void cf__threads_after_fork(cf_executor *ex);

/* No task can run here any more: fails what is pending with this error. */
void cf__threads_break(struct cf__threads *pool, const cf_error *why);

/* Cancels, or fails with why, what is pending. */
void cf__threads_empty(struct cf__threads *pool, const cf_error *why);

/* Frees the pool's memory; no thread uses it. */
void cf__threads_free(struct cf__threads *pool);

/* Joins the threads that have left. The caller holds the lock, which is given
 * up meanwhile. */
void cf__threads_join_locked(struct cf__threads *pool);

#endif
