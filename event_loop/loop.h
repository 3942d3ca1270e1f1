/* SPDX-License-Identifier: MIT */
/*
 * The event loop's structs and the steps that its files share. README.md has
 * the protocols. From below, where a file uses those above it in this list:
 *
 *   context.c    switching stacks
 *   stack.c      memory for stacks
 *   timer_heap.c timers by deadline
 *   circle.c     waits that could never end
 *   watchdog.c   the thread that tells which task holds the others up
 *   start.c      which task starts next
 *   coroutine.c  coroutines: made, run tasks, switched
 *   wait.c       how coroutines wait and are woken
 *   io_error.c   libuv's errors
 *   engine.c     a loop's part of libuv
 *   io.c         how a task waits for libuv
 *   wait_fd.c    tasks that wait for descriptors
 *   resolver.c, resolve.c  what names stand for
 *   extend.c     what libraries add to a loop
 *   signals.c    tasks that wait for signals
 *   ctrl_c.c     SIGINT in a run
 *   subprocess.c, subprocess_run.c  other programs
 *   sleep.c      the loop's sleep
 *   turn.c       the loop: turns
 *   thread.c     the loop's thread, from its begin to its end
 *   submit.c     submits, statistics
 *   embed.c      a loop inside of a program's own uv_loop_t
 *   end.c        shutdown, terminate, destroy, fork
 *   create.c     options, constructors, the operations' table
 */
#ifndef CF_EVENT_LOOP_LOOP_H
#define CF_EVENT_LOOP_LOOP_H

#include <cfutures/event_loop.h>

#include "event_loop/coroutine.h"
#include "event_loop/sigpipe.h"
#include "event_loop/stack.h"
#include "event_loop/timer_heap.h"
#include "event_loop/watchdog.h"
#include "event_loop/woken.h"
#include "lib/base/fence.h"
#include "lib/executor/call.h"
#include "lib/executor/executor.h"
#include "lib/executor/queue.h"
#include "lib/future/awaited.h"

#include <pthread.h>

struct cf__engine;

struct cf__evloop {
    cf_executor base;

    /* Set once, before the first task. */
    cf_event_loop_options options;
    char name[16];
    const struct cf__suspend_ops *suspend; /* of its coroutines */
    cf_future *first;                      /* of a run: its first task */
    /* Inside of a program's uv_loop_t: its handles find the loop there, or NULL
     * when it has ended. NULL: it is not (embed.c). */
    struct cf__evloop **inside;
    bool entered;                 /* ... and has taken a turn */
    bool marked;                  /* CF__ASLEEP_IN_ENGINE was put into woken */
    bool initialized;             /* the initializer, if any, has succeeded */
    bool in_caller;               /* it runs in the thread that made it */
    struct cf__evloop *next_lost; /* of those that stay for ever */

    /* --- the loop's thread's ------------------------------------------- */
    struct cf__stacks stacks; /* partly read by all */
    struct cf__context root;  /* the thread's own stack */
    struct cf__on_stack root_on_stack;
    struct cf__coroutine *batch; /* those that are left in a turn */
    struct cf__coroutine *ready, *last_ready; /* for the next turn */
    struct cf__coroutine *free_coroutines;
    size_t free_count;
    size_t least_free; /* how few there were since stacks were last judged */
    int64_t trim_at; /* when stacks are to be trimmed; CF__NEVER: not so far */
    /* Tasks that tasks of the loop have submitted, the oldest first. They come
     * before all of priority 0 in the queue. */
    cf_future *own, *last_own;
    size_t own_count;
    struct cf__coroutine *active; /* linked by next_active */
    size_t active_count;
    struct cf__coroutine *choosers; /* linked by next_chooser */
    size_t outside_waits; /* coroutines that wait for other executors' tasks */
    bool outside_stirs;   /* since the last sleep one began to wait so, or
                             another thread has unparked one */
    struct cf__timer_heap timers;
    struct cf__ender *enders;
    struct cf__engine *engine; /* NULL: no task has needed libuv yet */
    struct cf__sigpipe sigpipe;
    struct cf__worker keeper; /* of freed blocks, while the loop sleeps */
    int starts_left;          /* tasks that may begin in this turn */
    int rounds_left; /* how often the ready ones may become the batch in it */
    void *data;      /* what the initializer left */

    /* Counters. Writer: the loop's thread. Readers: statistics, the
     * watchdog. */
    _Atomic uint64_t started, done, failed;
    _Atomic uint64_t switches; /* of stacks, and yields that came to nothing */
    /* Writer: the loop's thread. NULL: it runs on its own stack. */
    _Atomic(struct cf__coroutine *) running;
    struct cf__watchdog watchdog;
    _Atomic uint64_t own_submitted; /* to own, ever */

    /* --- any thread's --------------------------------------------------- */
    /* What other threads have unparked and delivered; or that the loop's thread
     * sleeps. */
    _Alignas(CF_CACHE_LINE) struct cf__woken woken;
    /* The loop's thread; 0 before and after. It sets it; others ask whether it
     * is their own name. */
    _Atomic pthread_t owner;
    atomic_bool ctrl_c; /* the first task is to be told to stop */
    /* CF_OK, or why submits are refused. Writers: under the lock. */
    atomic_int refuse;
    /* What is pending is to be cancelled. Then submits are refused. */
    atomic_bool cancels_pending;
    /* How often wait_idle() has asked. Writers: under the lock. */
    atomic_uint asked;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    /* Guarded by lock. */
    unsigned answered; /* so many of asked: it was idle after they came */
    bool begun;        /* its thread has been started */
    bool ended;        /* ... and touches nothing of the loop any more */
    bool to_join;
    int cpu_clock;      /* of its thread, while that is the loop's */
    uint64_t cpu_begun; /* what that showed when the loop began */
    uint64_t cpu_ns;    /* when it has ended: what it has used */
    bool lost;          /* stacks with tasks that will never go on: they stay */
    pthread_t thread;
    bool orphan;            /* its thread frees it */
    const cf_error *broken; /* set once, before refuse becomes CF_EBROKEN */

    struct cf__queue queue;
};

static inline struct cf__evloop *
cf__evloop_of(cf_executor *ex)
{
    return (struct cf__evloop *)ex;
}

/* The coroutine that is noted in f, which runs or has run; NULL: none. */
static inline struct cf__coroutine *
cf__coroutine_of_task(const cf_future *f)
{
    uint32_t base = cf_load_acquire(&f->base); /* pairs with its start */
    return base ? cf__stacks_at(&cf__evloop_of(f->executor)->stacks, base - 1)
                : NULL;
}

/* Takes the first task of own. */
static inline cf_future *
cf__evloop_take_own(struct cf__evloop *loop)
{
    cf_future *f = loop->own;
    if (f) {
        loop->own = cf_load_relaxed(&f->next); /* the loop's thread's */
        loop->own_count--;
    }
    return f;
}

/* Puts it at the end of the ready list. The loop's thread. */
static inline void
cf__coroutine_ready(struct cf__evloop *loop, struct cf__coroutine *self)
{
    self->link = NULL;
    if (loop->ready)
        loop->last_ready->link = self;
    else
        loop->ready = self;
    loop->last_ready = self;
}

/* It may go on. The loop's thread. */
static inline void
cf__coroutine_notify(struct cf__evloop *loop, struct cf__coroutine *self)
{
    if (self->parked) {
        self->parked = false;
        cf__coroutine_ready(loop, self);
    } else {
        self->notified = true;
    }
}

/* Ends the sleep in libuv. engine.c; any thread. */
void cf__engine_send(struct cf__engine *engine);

/* The caller has taken that mark away from woken; 0: none. If the thread sleeps
 * on the word, only its address is used: the loop may be gone. */
static inline void
cf__evloop_rouse(struct cf__evloop *loop, uint32_t mark)
{
    if (__builtin_expect(mark == 0, 1))
        return;
    if (mark == CF__ASLEEP)
        cf__futex_wake(&loop->woken.word, 1);
    else
        cf__engine_send(loop->engine);
}

/* What has been pushed, but for what is in woken, may be seen by the loop's
 * thread only if that wakes. */
static inline void
cf__evloop_wake(struct cf__evloop *loop)
{
    cf__fence_full(); /* pairs with sleep.c: it sees the push, or we a mark */
    cf__evloop_rouse(loop, cf__woken_unmark(&loop->woken));
}

/* The calling thread is the loop's, inside of a task or outside. */
static inline bool
cf__evloop_is_here(const struct cf__evloop *loop)
{
    return cf_load_relaxed(&loop->owner) == pthread_self();
}

/* There is a task to start. The loop's thread. */
static inline bool
cf__evloop_has_tasks(struct cf__evloop *loop)
{
    return loop->own || cf__queue_has_work(&loop->queue);
}

/* Some coroutine or a queued task can go on. The loop's thread. */
static inline bool
cf__evloop_has_work(struct cf__evloop *loop)
{
    /* First what no other thread writes to. */
    return loop->ready || cf__evloop_has_tasks(loop) ||
           cf__woken_any(&loop->woken) || cf_load_relaxed(&loop->ctrl_c);
}

/* --- circle.c ------------------------------------------------------------- */

/* f is a task of the loop that runs: its coroutine; else NULL. */
struct cf__coroutine *cf__evloop_runner_of(const struct cf__evloop *loop,
                                           const cf_future *f);

/* self is about to wait for f: f waits for self, or for what does. */
bool cf__evloop_closes_circle(const struct cf__coroutine *self,
                              const cf_future *f);

/* Nothing is left that could wake a coroutine, but other threads: marks
 * those as hopeless that wait for each other, and that no other thread can
 * wake. true: there are some, and they are the callers's to wake. */
bool cf__evloop_search(struct cf__evloop *loop);

/* How many coroutines, those in a shutdown apart, wait for one that is in
 * a shutdown. */
size_t cf__evloop_held_up(const struct cf__evloop *loop);

/* --- watchdog.c ---------------------------------------------------------- */

/* How long a stall is, by the option, or else by the environment; 0: there are
 * none. */
int64_t cf__watchdog_stall_ns(int64_t option);

/* The loop's thread begins and ends the watchdog, which it must not outlive. */
void cf__watchdog_begin(struct cf__evloop *loop);
void cf__watchdog_end(struct cf__evloop *loop);

/* In a child of a fork, whose one thread the caller is. */
void cf__watchdog_after_fork(struct cf__watchdog *dog);

/* The slow sides of the functions below. */
void cf__watchdog_wake(struct cf__watchdog *dog);
void cf__watchdog_await_look(struct cf__watchdog *dog);

/* The loop's thread is about to sleep ... */
static inline void
cf__watchdog_rest(struct cf__evloop *loop)
{
    if (loop->watchdog.on)
        cf_store_release(&loop->watchdog.at_work, CF__WATCH_RESTS);
}

/* ... and has slept. */
static inline void
cf__watchdog_work(struct cf__evloop *loop)
{
    if (!loop->watchdog.on)
        return;
    cf_bump(&loop->switches); /* what comes now is not one run with what was */
    if (cf_exchange_acq_rel(&loop->watchdog.at_work, CF__WATCH_WORKS) ==
        CF__WATCH_ALONE) /* pairs with rest */
        cf__watchdog_wake(&loop->watchdog);
}

/* self's task has ended, and is not self's any more: its future may be freed
 * when this returns. */
static inline void
cf__coroutine_drop(struct cf__evloop *loop, struct cf__coroutine *self)
{
    cf_store_relaxed(&self->f, NULL); /* the fence orders it */
    if (__builtin_expect(!loop->watchdog.on, 1))
        return;
    cf__fence_full(); /* pairs with describe_run: that sees NULL, or this
                          thread that it looks */
    /* pairs with describe_run: it has read what it wanted */
    if (__builtin_expect(cf_load_acquire(&loop->watchdog.looking), 0))
        cf__watchdog_await_look(&loop->watchdog);
}

/* --- start.c -------------------------------------------------------------- */

/* The next task is self's. false: none is to begin now. Runs callbacks of those
 * that are turned away. */
bool cf__task_take(struct cf__evloop *loop, struct cf__coroutine *self);

/* The same for the first task of own, which there is. Runs no callbacks: false
 * if others come first, or if it may have to be turned away. */
bool cf__task_take_own(struct cf__evloop *loop, struct cf__coroutine *self);

/* There is no memory for the stack of the next task. false: there is none. */
bool cf__task_refuse(struct cf__evloop *loop);

/* --- coroutine.c ---------------------------------------------------------- */

/* Gives the first task of own, which there is, a coroutine, to be gone on with.
 * Runs no callbacks. NULL: that is for the loop's own part of a turn. */
struct cf__coroutine *cf__coroutine_start_own(struct cf__evloop *loop);

/* Leaves self for what runs next. Returns when self is gone on with. */
void cf__coroutine_leave(struct cf__evloop *loop, struct cf__coroutine *self);

/* Starts the next task. false: none is to begin now. */
bool cf__coroutine_start(struct cf__evloop *loop);

/* Leaves the loop's own stack for first, which is in no list. Returns when no
 * coroutine of the batch is left. */
void cf__coroutine_run(struct cf__evloop *loop, struct cf__coroutine *first);

/* The thread of the loop ends inside a task, by pthread_exit(): fails what
 * runs. The stacks stay as they are. */
void cf__coroutine_fail_all(struct cf__evloop *loop);

void cf__coroutine_free_all(struct cf__evloop *loop);

/* --- sleep.c -------------------------------------------------------------- */

/* Sleeps until there is something to do. */
void cf__evloop_sleep(struct cf__evloop *loop);

/* Of the loop's keeper. */
extern const struct cf__suspend_ops cf__evloop_keeper_ops;

/* --- wait.c --------------------------------------------------------------- */

extern const struct cf__suspend_ops cf__coroutine_ops;

/* --- turn.c --------------------------------------------------------------- */

/* Does what there is to do, or sleeps until there is something. */
void cf__evloop_turn(struct cf__evloop *loop);

/* --- thread.c ------------------------------------------------------------- */

/* Runs tasks until the loop has been shut down and is empty. */
void cf__evloop_run_thread(struct cf__evloop *loop);

/* The main function of its own thread; arg is the loop. */
void *cf__evloop_main(void *arg);

/* Refuses submits for that reason. The first one stands, but for CF_EBROKEN. */
void cf__evloop_refuse(struct cf__evloop *loop, cf_err why);

/* Empties the queue: cancels what is in it, or, if why is not NULL, fails it
 * so. In a task also own: else the loop does that (cancels_pending). */
void cf__evloop_empty(struct cf__evloop *loop, const cf_error *why);

/* Frees the loop. No thread uses it. */
void cf__evloop_free(struct cf__evloop *loop);

/* --- submit.c: operations ------------------------------------------------- */

cf_err cf__evloop_submit(cf_executor *ex,
                         cf_future *oldest,
                         cf_future *newest,
                         size_t count);
cf_future *cf__evloop_tidy(cf_executor *ex, uint64_t canceled);
void cf__evloop_stats(cf_executor *ex, cf_stats *out);
cf_executor_phase cf__evloop_phase(cf_executor *ex);

/* --- end.c: operations ---------------------------------------------------- */

cf_err cf__evloop_wait_idle(cf_executor *ex, int64_t deadline_ns);
cf_err
cf__evloop_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns);
cf_err cf__evloop_terminate(cf_executor *ex, int signo);
void cf__evloop_destroy(cf_executor *ex);
void cf__evloop_after_fork(cf_executor *ex);

#endif
