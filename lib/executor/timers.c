/* SPDX-License-Identifier: MIT */
/*
 * A binary heap of running tasks by deadline, and the thread that waits for
 * the earliest: see timers.h. A task knows its place in the heap
 * (timer_index), so that it leaves at once when it ends. Places count from 1;
 * 0 is nowhere.
 */
#include "lib/executor/timers.h"

#include "lib/base/assert.h"
#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/forked.h"
#include "lib/base/helper_thread.h"
#include "lib/executor/executor.h"
#include "lib/executor/server.h"
#include "lib/future/waiter.h"

#include <pthread.h>
#include <stdlib.h>

/* If more callbacks than this wait, each in the one before, the thread expires
 * only tasks without callbacks. */
enum { WAITS_MAX = 32 };

/* A callback that waits looks at least so often for what it waits for. */
#define SERVE_NS CF__MS(1)

/* A call of expired(), on the thread's stack. */
struct expiry {
    const cf_future *f;   /* NULL: f was stopped meanwhile */
    struct expiry *below; /* the call whose callback waits */
};

struct cf__timers {
    struct cf__server server; /* only the thread writes its executor */
    /* Set once. */
    cf__expired_fn *expired;
    const struct cf__origin *origin; /* the executor's: the thread is like it */
    pthread_mutex_t lock;
    /* On the monotonic clock. changed: the thread looks again. returned:
     * a call of expired() has returned. */
    pthread_cond_t changed, returned;
    pthread_t thread; /* set before started */
    /* Guarded by lock. */
    cf_future **heap; /* its tasks are at 1 .. count; entries: capacity */
    size_t count, capacity;
    size_t reserved; /* tasks for which there is room: pending or running ones
                        with a timeout */
    bool started, ending;
    struct expiry *expiring; /* the calls under way, innermost first */
    int waits;               /* how many of these wait */
    bool orphan;             /* the thread frees this when it ends */
};

static void serve(struct cf__server *server, int64_t deadline_ns);

struct cf__timers *
cf__timers_new(cf_executor *ex, cf__expired_fn *expired)
{
    struct cf__timers *timers = calloc(1, sizeof *timers);
    if (!timers)
        return NULL;
    timers->server = (struct cf__server){ex, serve};
    timers->expired = expired;
    timers->origin = &ex->origin;
    cf__cond_init(&timers->changed);
    cf__cond_init(&timers->returned);
    pthread_mutex_init(&timers->lock, NULL);
    return timers;
}

static void
release(struct cf__timers *timers)
{
    pthread_cond_destroy(&timers->changed);
    pthread_cond_destroy(&timers->returned);
    pthread_mutex_destroy(&timers->lock);
    free(timers->heap);
    free(timers);
}

static void
place_locked(struct cf__timers *timers, size_t at, cf_future *f)
{
    timers->heap[at] = f;
    f->attributes->timer_index = at;
}

static int64_t
at_locked(const struct cf__timers *timers, size_t i)
{
    return timers->heap[i]->attributes->timer_at;
}

/* Puts f where it belongs, starting at the free place at. */
static void
sift_locked(struct cf__timers *timers, size_t at, cf_future *f)
{
    int64_t key = f->attributes->timer_at;
    while (at > 1 && at_locked(timers, at / 2) > key) {
        place_locked(timers, at, timers->heap[at / 2]);
        at /= 2;
    }
    for (size_t child; (child = 2 * at) <= timers->count; at = child) {
        if (child < timers->count &&
            at_locked(timers, child + 1) < at_locked(timers, child))
            child++;
        if (at_locked(timers, child) >= key)
            break;
        place_locked(timers, at, timers->heap[child]);
    }
    place_locked(timers, at, f);
}

static void
remove_locked(struct cf__timers *timers, cf_future *f)
{
    size_t at = f->attributes->timer_index;
    f->attributes->timer_index = 0;
    cf_future *last = timers->heap[timers->count--];
    if (last != f)
        sift_locked(timers, at, last);
}

/* The call of expired(f) that is under way. NULL: there is none. */
static struct expiry *
expiry_of_locked(const struct cf__timers *timers, const cf_future *f)
{
    struct expiry *at = timers->expiring;
    while (at && at->f != f)
        at = at->below;
    return at;
}

static void
expire_locked(struct cf__timers *timers, cf_future *f)
{
    struct expiry call = {cf_future_ref(f), timers->expiring};
    cf__expired_fn *due = f->attributes->due;
    f->attributes->due = NULL;
    if (due) /* the task begins, and may expire, while due() is under way */
        call.f = NULL;
    remove_locked(timers, f);
    timers->expiring = &call;
    pthread_mutex_unlock(&timers->lock);
    (due ? due : timers->expired)(f);
    cf_future_unref(f);
    pthread_mutex_lock(&timers->lock);
    timers->expiring = call.below;
    pthread_cond_broadcast(&timers->returned);
}

/* The place of a task whose deadline has passed. 0: there is none. Above
 * WAITS_MAX only tasks without callbacks count. */
static size_t
next_due_locked(const struct cf__timers *timers)
{
    int64_t now = cf__now_ns();
    if (timers->count == 0 || at_locked(timers, 1) > now)
        return 0;
    if (timers->waits <= WAITS_MAX)
        return 1;
    for (size_t i = 1; i <= timers->count; i++) {
        if (at_locked(timers, i) <= now &&
            !cf__waiters_have_callbacks(timers->heap[i]))
            return i;
    }
    return 0;
}

/* Expires a task that is due, or sleeps until one is, at most until
 * deadline_ns. */
static void
step_locked(struct cf__timers *timers, int64_t deadline_ns)
{
    size_t due = next_due_locked(timers);
    int64_t at = deadline_ns;
    if (due) {
        expire_locked(timers, timers->heap[due]);
        return;
    }
    if (timers->count && timers->waits <= WAITS_MAX)
        at = cf__sooner(at, at_locked(timers, 1));
    (void)cf__cond_wait(&timers->changed, &timers->lock, at);
}

/* Called in a callback that waits: other tasks have deadlines, too. */
static void
serve(struct cf__server *server, int64_t deadline_ns)
{
    struct cf__timers *timers = (struct cf__timers *)server;
    int64_t until = cf__sooner(deadline_ns, cf__now_ns() + SERVE_NS);
    pthread_mutex_lock(&timers->lock);
    timers->waits++;
    step_locked(timers, until);
    timers->waits--;
    pthread_mutex_unlock(&timers->lock);
}

static bool
in_callback_locked(const struct cf__timers *timers)
{
    return timers->expiring && !pthread_equal(timers->thread, pthread_self());
}

bool
cf__timers_in_callback(struct cf__timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    bool busy = in_callback_locked(timers);
    pthread_mutex_unlock(&timers->lock);
    return busy;
}

cf_err
cf__timers_await_callback(struct cf__timers *timers, int64_t deadline_ns)
{
    pthread_mutex_lock(&timers->lock);
    while (in_callback_locked(timers) &&
           cf__sleep_locked(
               &timers->returned, &timers->lock, deadline_ns, NULL, NULL))
        continue;
    bool busy = in_callback_locked(timers);
    pthread_mutex_unlock(&timers->lock);
    return busy ? CF_ETIMEDOUT : CF_OK;
}

static void *
timers_main(void *arg)
{
    struct cf__timers *timers = arg;
    cf__helper_thread_enter(timers->origin, "cf_timers");
    cf__thread.server = &timers->server;
    pthread_mutex_lock(&timers->lock);
    while (!timers->ending)
        step_locked(timers, CF__NEVER);
    bool orphan = timers->orphan;
    pthread_mutex_unlock(&timers->lock);
    cf__thread.server = NULL;
    if (orphan)
        release(timers);
    return NULL;
}

void
cf__timers_free(struct cf__timers *timers)
{
    if (!timers)
        return;
    pthread_mutex_lock(&timers->lock);
    bool started = timers->started;
    timers->ending = true;
    timers->orphan = started && pthread_equal(timers->thread, pthread_self());
    bool orphan = timers->orphan;
    pthread_cond_signal(&timers->changed);
    pthread_mutex_unlock(&timers->lock);
    if (orphan) {
        timers->server.executor = NULL;
        pthread_detach(pthread_self());
        return;
    }
    if (started)
        cf__join(timers->thread);
    release(timers);
}

static cf_err
start_thread_locked(struct cf__timers *timers)
{
    cf_err err = cf__helper_thread_start(
        timers->origin, &timers->thread, timers_main, timers);
    timers->started = err == CF_OK;
    return err;
}

cf_err
cf__timers_reserve(struct cf__timers *timers)
{
    cf_err err = CF_OK;
    cf__notice_fork();
    pthread_mutex_lock(&timers->lock);
    if (timers->reserved + 2 > timers->capacity) {
        size_t capacity = timers->capacity ? 2 * timers->capacity : 16;
        cf_future **heap = realloc(timers->heap, capacity * sizeof *heap);
        if (heap) {
            timers->heap = heap;
            timers->capacity = capacity;
        } else {
            err = CF_ENOMEM;
        }
    }
    if (!err && !timers->started)
        err = start_thread_locked(timers);
    if (!err)
        timers->reserved++;
    pthread_mutex_unlock(&timers->lock);
    return err;
}

void
cf__timers_unreserve(struct cf__timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    cf__assert(timers->reserved > 0);
    timers->reserved--;
    pthread_mutex_unlock(&timers->lock);
}

static void
insert_locked(struct cf__timers *timers, cf_future *f, int64_t deadline_ns)
{
    f->attributes->timer_at = deadline_ns;
    timers->count++;
    sift_locked(timers, timers->count, f);
    if (f->attributes->timer_index == 1)
        pthread_cond_signal(&timers->changed);
}

void
cf__timers_start(struct cf__timers *timers, cf_future *f)
{
    pthread_mutex_lock(&timers->lock);
    if (!f->attributes->timer_index && !expiry_of_locked(timers, f))
        insert_locked(timers, f, cf__deadline(f->attributes->timeout_ns));
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_delay(struct cf__timers *timers,
                 cf_future *f,
                 void (*due)(cf_future *f),
                 int64_t deadline_ns)
{
    pthread_mutex_lock(&timers->lock);
    f->attributes->due = due;
    insert_locked(timers, f, deadline_ns);
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_again(struct cf__timers *timers, cf_future *f, int64_t deadline_ns)
{
    pthread_mutex_lock(&timers->lock);
    if (expiry_of_locked(timers, f)) /* else f was stopped meanwhile */
        insert_locked(timers, f, deadline_ns);
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_stop(struct cf__timers *timers, cf_future *f)
{
    pthread_mutex_lock(&timers->lock);
    /* In a fork's child count is 0. */
    if (f->attributes->timer_index && timers->count)
        remove_locked(timers, f);
    struct expiry *call = expiry_of_locked(timers, f);
    if (call)
        call->f = NULL;
    cf__assert(timers->reserved > 0);
    timers->reserved--;
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_check(struct cf__timers *timers)
{
#ifdef CF_ASSERTIONS
    int calls = 0;
    pthread_mutex_lock(&timers->lock);
    cf__assert(timers->count <= timers->reserved);
    cf__assert(timers->reserved == 0 || timers->reserved < timers->capacity);
    cf__assert(timers->count == 0 || timers->started);
    for (size_t i = 1; i <= timers->count; i++) {
        cf__assert(timers->heap[i]->attributes->timer_index == i);
        cf__assert(i == 1 || at_locked(timers, i / 2) <= at_locked(timers, i));
    }
    for (const struct expiry *at = timers->expiring; at; at = at->below)
        calls++;
    cf__assert(0 <= timers->waits && timers->waits <= calls);
    pthread_mutex_unlock(&timers->lock);
#else
    (void)timers;
#endif
}

void
cf__timers_after_fork(struct cf__timers *timers)
{
    pthread_mutex_init(&timers->lock, NULL);
    pthread_cond_init(&timers->changed, NULL);
    pthread_cond_init(&timers->returned, NULL);
    timers->count = 0;
    timers->expiring = NULL;
    timers->waits = 0;
    timers->started = false;
    timers->ending = true; /* this thread may be in a callback of it */
}
