/* SPDX-License-Identifier: MIT */
/*
 * A real-time thread (SCHED_FIFO) that needs what a normal thread of the same
 * CPU holds lets that thread finish: it spins for a bounded time only. One
 * situation for each thing of the library that one thread holds for an instant
 * and another waits for.
 *
 * The normal thread takes the lock and then wakes the real-time thread, which
 * takes the CPU at once and asks for the lock. A thread that spins for ever
 * would keep the CPU until the kernel's limit for real-time threads, a second
 * or so. After such a second the kernel favours normal threads for a while (its
 * fair server), in which nothing is shown: so only those rounds count in which
 * the real-time thread asked before the normal one had given back.
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include "lib/base/clock.h"
#include "lib/executor/argument.h"
#include "lib/executor/pending.h"
#include "lib/executor/remote.h"
#include "lib/future/life.h"
#include "lib/future/waiter.h"
#include "thread_pool/pool.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>

enum {
    SKIPPED = 77,
    LIMIT_MS = 100,
    ROUNDS = 10,        /* that count */
    ROUNDS_MAX = 20000, /* else the kernel never lets them meet */
    PRIORITY = 10
};

/* One situation. hold: the normal thread takes something, calls wake(), gives
 * it back. ask: the real-time thread asks for it. */
struct situation {
    const char *name;
    void (*hold)(void);
    void (*ask)(void);
};

static sem_t asks, answered;
static bool refused; /* SCHED_FIFO; written before answered */
static int64_t longest_ns;
static atomic_bool asking;
static bool met; /* it asked while the other thread had what it asks for */

static void
wake(void)
{
    sem_post(&asks); /* from here on the real-time thread has the CPU */
    met = cf_load_relaxed(&asking); /* one CPU */
}

/* --- a lock as such, which is also a promise's --------------------------- */

static struct cf__lock a_lock;

static void
hold_lock(void)
{
    cf__lock(&a_lock);
    wake();
    cf__unlock(&a_lock);
}

static void
ask_for_lock(void)
{
    cf__lock(&a_lock);
    cf__unlock(&a_lock);
}

static cf_future *promise;

static void
hold_promise(void)
{
    cf__lock(&promise->lock);
    wake();
    cf__unlock(&promise->lock);
}

static void
ask_for_promise(void)
{
    cf__waiters_sync(promise);
}

/* --- a queue ------------------------------------------------------------- */

static cf_executor *pool;

static struct cf__queue *
queue(void)
{
    return &cf__threads_of(pool)->queue;
}

static void
hold_inbox(void)
{
    cf__lock(&queue()->inbox.lock);
    wake();
    cf__unlock(&queue()->inbox.lock);
}

static int
nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return 0;
}

static void
ask_to_submit(void)
{
    (void)cf_submit(pool, nothing, NULL, 0, NULL);
}

static void
hold_refill(void)
{
    cf__lock(&queue()->refill_lock);
    wake();
    cf__unlock(&queue()->refill_lock);
}

/* As a worker does that sees tasks and can take none. */
static void
ask_for_refill(void)
{
    cf__queue_await_refill(queue());
}

/* --- a canceller that still needs the executor --------------------------- */

static cf_future *canceled;

static void *
no_arg(cf_executor *ex, size_t size)
{
    (void)ex, (void)size;
    return NULL;
}

/* Called by the canceller, before it lets go of the executor. */
static void
arg_is_freed(cf_executor *ex, void *arg)
{
    (void)ex, (void)arg;
    wake();
}

static const struct cf__remote_ops remote_ops = {
    .arg_alloc = no_arg,
    .arg_free = arg_is_freed,
};
static const struct cf__executor_ops canceler_ops = {.remote = &remote_ops};
static cf_executor canceler = {.ops = &canceler_ops};

static void
hold_canceled(void)
{
    static char arg[1];
    canceler.generation = cf__generation;
    canceled = cf__block_alloc(); /* two handles: one is the queue's */
    cf__future_init(canceled, &canceler, nothing, 0, 2);
    cf__future_adopt_arg(canceled, arg, sizeof arg);
    (void)cf__future_cancel_now(canceled);
    cf_future_unref(canceled);
}

static void
ask_to_drop(void)
{
    cf__future_drop_stale(canceled);
}

/* --- a task of an inline executor ---------------------------------------- */

static cf_executor *inline_executor;

static int
task_wakes(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    wake();
    return 0;
}

static void
hold_inline(void)
{
    (void)cf_submit(inline_executor, task_wakes, NULL, 0, NULL);
}

static void
ask_for_idle(void)
{
    (void)cf_executor_wait_idle(inline_executor, CF_FOREVER);
}

/* --- the two threads ----------------------------------------------------- */

static const struct situation situations[] = {
    {"lock", hold_lock, ask_for_lock},
    {"promise", hold_promise, ask_for_promise},
    {"inbox", hold_inbox, ask_to_submit},
    {"refill", hold_refill, ask_for_refill},
    {"cancelled task", hold_canceled, ask_to_drop},
    {"inline executor", hold_inline, ask_for_idle},
};
enum { SITUATIONS = sizeof situations / sizeof situations[0] };

static void *
ask(void *situation)
{
    const struct situation *s = situation;
    struct sched_param param = {.sched_priority = PRIORITY};
    refused = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) != 0;
    sem_post(&answered);
    if (refused)
        return NULL;
    while (sem_wait(&asks) != 0)
        continue;
    int64_t began = cf__now_ns();
    cf_store_relaxed(&asking, true);
    s->ask();
    cf_store_relaxed(&asking, false);
    int64_t took = cf__now_ns() - began;
    longest_ns = took > longest_ns ? took : longest_ns;
    return NULL;
}

/* false: there are no real-time threads here. */
static bool
try_once(const struct situation *s)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, ask, (void *)(uintptr_t)s) != 0)
        return false;
    while (sem_wait(&answered) != 0)
        continue;
    if (!refused)
        s->hold();
    pthread_join(thread, NULL);
    return !refused;
}

/* Returns how often the two met. */
static int
measure(const struct situation *s)
{
    int rounds = 0;
    longest_ns = 0;
    for (int tries = 0; tries < ROUNDS_MAX && rounds < ROUNDS; tries++) {
        met = false;
        if (!try_once(s))
            break;
        rounds += met;
        if (longest_ns / 1000000 >= LIMIT_MS)
            return ROUNDS; /* that is enough */
    }
    return rounds;
}

static bool
stay_on_one_cpu(void)
{
    cpu_set_t mask;
    int cpu = sched_getcpu();
    if (cpu < 0)
        return false;
    CPU_ZERO(&mask);
    CPU_SET((size_t)cpu, &mask);
    return sched_setaffinity(0, sizeof mask, &mask) == 0;
}

int
main(void)
{
    int status = 0;
    if (!stay_on_one_cpu())
        return SKIPPED;
    sem_init(&asks, 0, 0);
    sem_init(&answered, 0, 0);
    if (cf_executor_open("threads:1", &pool) || cf_future_create(&promise) ||
        cf_inline_create(&inline_executor))
        return 1;
    for (int i = 0; i < SITUATIONS && status != SKIPPED; i++) {
        int rounds = measure(&situations[i]);
        int64_t ms = longest_ns / 1000000;
        printf("%s: %d times, at most %lld ms\n",
               situations[i].name,
               rounds,
               (long long)ms);
        if (rounds < ROUNDS)
            status = SKIPPED;
        else if (ms >= LIMIT_MS)
            status = 1;
    }
    cf_future_unref(promise);
    cf_executor_destroy(pool);
    cf_executor_destroy(inline_executor);
    return status;
}
