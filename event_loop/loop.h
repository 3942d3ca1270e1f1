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
 *   coroutine.c  coroutines: made, run tasks, suspended, woken
 *   io_error.c   libuv's errors
 *   engine.c     a loop's part of libuv
 *   io.c         how a task waits for libuv
 *   wait_fd.c    tasks that wait for descriptors
 *   extend.c     what libraries add to a loop
 *   sleep.c      the loop's sleep
 *   turn.c       the loop: turns, its thread's main
 *   submit.c     submits, statistics
 *   end.c        shutdown, terminate, destroy, fork
 *   create.c     options, constructors, the operations' table
 */
#ifndef CF_EVENT_LOOP_LOOP_H
#define CF_EVENT_LOOP_LOOP_H

#include <cfutures/event_loop.h>

#include "event_loop/context.h"
#include "event_loop/sigpipe.h"
#include "event_loop/stack.h"
#include "event_loop/timer_heap.h"
#include "event_loop/watchdog.h"
#include "lib/base/fence.h"
#include "lib/executor/call.h"
#include "lib/executor/executor.h"
#include "lib/executor/queue.h"
#include "lib/future/awaited.h"

#include <pthread.h>

/* The values of a loop's asleep; 0: it is awake. */
enum {
    CF__ASLEEP = 1,          /* on the word itself */
    CF__ASLEEP_IN_ENGINE = 2 /* in libuv */
};

struct cf__engine;

/*
 * A coroutine, at the top of its stack. It is made once and runs one task after
 * the other. Other threads touch base.parker, woken_link and base.suspend only;
 * all else is the loop's thread's.
 */
struct cf__coroutine {
    struct cf__worker base; /* the executor is the loop. parker 1: another
                               thread has unparked it, and it is in woken */
    struct cf__coroutine *woken_link;

    bool parked;    /* it is suspended in a wait, and in no list but woken */
    bool notified;  /* it was unparked while it was not parked */
    bool timed_out; /* its deadline was what woke it */
    uint32_t index; /* of its stack */
    struct cf__coroutine *link;   /* in the one list that it is in: ready, a
                                   turn's batch, free */
    struct cf__on_stack on_stack; /* while it does not run */
    struct cf__context context;

    struct cf_call call;
    /* The task that it runs; NULL: none, or that is done. Atomic. Writer: the
     * loop's thread. Reader: the watchdog. */
    _Atomic(cf_future *) f;
    struct cf__coroutine *next_active, *prev_active; /* it has a task */

    bool trimmed; /* it is free, and its stack's memory has been given back */

    struct cf__loop_timer timer; /* while it is parked with a deadline */

    /* While it waits (base.awaited): */
    bool forever;  /* without a deadline */
    bool hopeless; /* it was woken because that could never end */
    bool possible; /* found by a search: its wait can end */
    bool chooses;  /* it is in the list of choosers */
    struct cf__coroutine *next_chooser, *prev_chooser; /* it waits for the first
                                                          of several */
};

/* A coroutine that is in a shutdown of its own loop; on its stack. */
struct cf__ender {
    struct cf__coroutine *coroutine;
    struct cf__ender *next;
};

struct cf__evloop {
    cf_executor base;

    /* Set once, before the first task. */
    cf_event_loop_options options;
    char name[16];
    bool in_caller;               /* it runs in the thread that made it */
    struct cf__evloop *next_lost; /* of those that stay for ever */

    /* --- the loop's thread's ------------------------------------------- */
    struct cf__stacks stacks; /* partly read by all */
    struct cf__context root;  /* the thread's own stack */
    struct cf__on_stack root_on_stack;
    struct cf__coroutine *batch; /* those that are left in a turn */
    struct cf__coroutine *ready, *last_ready; /* for the next turn */
    struct cf__coroutine *free_coroutines;
    struct cf__coroutine *active; /* linked by next_active */
    size_t active_count;
    struct cf__coroutine *choosers; /* linked by next_chooser */
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

    /* --- any thread's --------------------------------------------------- */
    /* Coroutines that other threads have unparked, the last one first. */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__coroutine *) woken;
    /* Not 0: the loop's thread sleeps, or is about to. It sets it; whoever
     * turns it to 0 wakes the thread. */
    _Atomic uint32_t asleep;
    /* The loop's thread; 0 before and after. It sets it; others ask whether it
     * is their own name. */
    _Atomic pthread_t owner;
    /* CF_OK, or why submits are refused. Writers: under the lock. */
    atomic_int refuse;
    /* How often wait_idle() has asked. Writers: under the lock. */
    atomic_uint asked;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    /* Guarded by lock. */
    unsigned answered; /* so many of asked: it was idle after they came */
    bool begun;        /* its thread has been started */
    bool ended;        /* ... and touches nothing of the loop any more */
    bool to_join;
    bool lost; /* stacks with tasks that will never go on: they stay */
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

static inline struct cf__coroutine *
cf__coroutine_of(struct cf__worker *worker)
{
    return (struct cf__coroutine *)worker;
}

/* The coroutine that is noted in f, which runs or has run; NULL: none. */
static inline struct cf__coroutine *
cf__coroutine_of_task(const cf_future *f)
{
    uint32_t base = cf_load_acquire(&f->base); /* pairs with its start */
    return base ? cf__stacks_at(&cf__evloop_of(f->executor)->stacks, base - 1)
                : NULL;
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

/* What has been pushed may be seen by the loop's thread only if that wakes. */
static inline void
cf__evloop_wake(struct cf__evloop *loop)
{
    cf__fence_full(); /* pairs with sleep.c: it sees the push, or we asleep */
    if (__builtin_expect(cf_load_relaxed(&loop->asleep) == 0, 1))
        return;
    switch (cf_exchange_acq_rel(&loop->asleep, 0)) {
    case CF__ASLEEP:
        cf__futex_wake(&loop->asleep, 1);
        break;
    case CF__ASLEEP_IN_ENGINE:
        cf__engine_send(loop->engine);
        break;
    default: /* another thread was faster */
        break;
    }
}

/* The calling thread is the loop's, inside of a task or outside. */
static inline bool
cf__evloop_is_here(const struct cf__evloop *loop)
{
    return cf_load_relaxed(&loop->owner) == pthread_self();
}

/* Some coroutine or a queued task can go on. The loop's thread. */
static inline bool
cf__evloop_has_work(struct cf__evloop *loop)
{
    return loop->ready || cf_load_relaxed(&loop->woken) ||
           cf__queue_has_work(&loop->queue);
}

/* --- circle.c ------------------------------------------------------------- */

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

/* --- coroutine.c --------------------------------------------------------- */

/* Starts the next task. false: none is to begin now. */
bool cf__coroutine_start(struct cf__evloop *loop);

/* Leaves the loop's own stack for first, which is in no list. Returns when no
 * coroutine of the batch is left. */
void cf__coroutine_run(struct cf__evloop *loop, struct cf__coroutine *first);

/* Gives memory of stacks back that have not been used for long. */
void cf__coroutine_trim(struct cf__evloop *loop);

/* Ends its wait, if it is in one. Any thread. */
void cf__coroutine_unpark(struct cf__worker *worker);

/* The thread of the loop ends inside a task, by pthread_exit(): fails what
 * runs. The stacks stay as they are. */
void cf__coroutine_fail_all(struct cf__evloop *loop);

void cf__coroutine_free_all(struct cf__evloop *loop);

/* --- sleep.c -------------------------------------------------------------- */

/* Sleeps until there is something to do. */
void cf__evloop_sleep(struct cf__evloop *loop);

/* Of the loop's keeper. */
extern const struct cf__suspend_ops cf__evloop_keeper_ops;

/* --- turn.c --------------------------------------------------------------- */

/* Runs tasks until the loop has been shut down and is empty. */
void cf__evloop_run_thread(struct cf__evloop *loop);

/* The main function of its own thread; arg is the loop. */
void *cf__evloop_main(void *arg);

/* Refuses submits for that reason. The first one stands, but for CF_EBROKEN. */
void cf__evloop_refuse(struct cf__evloop *loop, cf_err why);

/* Empties the queue: cancels what is in it, or, if why is not NULL, fails it
 * so. */
void cf__evloop_empty(struct cf__evloop *loop, const cf_error *why);

/* Frees the loop. No thread uses it. */
void cf__evloop_free(struct cf__evloop *loop);

/* --- submit.c: operations ------------------------------------------------- */

cf_err cf__evloop_submit(cf_executor *ex,
                         cf_future *oldest,
                         cf_future *newest,
                         size_t count);
void cf__evloop_tidy(cf_executor *ex, uint64_t canceled);
void cf__evloop_stats(cf_executor *ex, cf_stats *out);

/* --- end.c: operations ---------------------------------------------------- */

cf_err cf__evloop_wait_idle(cf_executor *ex, int64_t deadline_ns);
cf_err
cf__evloop_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns);
cf_err cf__evloop_terminate(cf_executor *ex, int signo);
void cf__evloop_destroy(cf_executor *ex);
void cf__evloop_after_fork(cf_executor *ex);

#endif
