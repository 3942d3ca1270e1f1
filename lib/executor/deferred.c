/* SPDX-License-Identifier: MIT */
/*
 * Records of deferred tasks, and the executors' lists of them: see deferred.h
 * and README.md, "Deferred tasks". The lock of deferred_watch.h guards the
 * lists.
 */
#include "lib/executor/deferred_watch.h"

#include "lib/base/cond.h"
#include "lib/base/forked.h"
#include "lib/executor/remote.h"
#include "lib/executor/server.h"
#include "lib/executor/timers.h"
#include "lib/future/life.h"

#include <pthread.h>
#include <stdlib.h>

/* Bits of state, above the count of what is left. */
#define OPEN (UINT64_C(1) << 60)   /* all inputs have been listened to */
#define FAILED (UINT64_C(1) << 61) /* an input failed, and that counts */
#define FIRED (UINT64_C(1) << 62)  /* a thread has been told to end the wait */
#define HANDED (UINT64_C(1) << 63) /* ... by the callback, which is due */
#define LEFT (OPEN - 1)

static pthread_cond_t unlinked = PTHREAD_COND_INITIALIZER;

/* --- what is left --------------------------------------------------------- */

/* One step of the count. true: the caller is to end the wait. In that case, and
 * if handed is not 0, by the callback. */
static bool
step(struct cf__deferred *d, uint64_t less, uint64_t bits, uint64_t handed)
{
    uint64_t old = cf_load_relaxed(&d->state); /* the swap checks it */
    uint64_t next;
    bool fires;
    do {
        next = (old - less) | bits;
        fires = !(old & FIRED) && next & OPEN &&
                (next & FAILED || (next & LEFT) == 0);
        if (fires)
            next |= FIRED | handed;
        /* pairs with the other steps: the last one sees what all inputs did.
         * If it does not fire, d may be gone after it */
    } while (!cf_cas_weak_acq_rel(&d->state, &old, next));
    return fires;
}

/* The waiter's notify(): an input is done. */
static struct cf__callback *
input_done(struct cf__waiter *waiter, cf_future *f)
{
    struct cf__input *input = (struct cf__input *)waiter;
    struct cf__deferred *d = input->deferred;
    struct cf__callback *callback = d->callback;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    struct cf__input *none = NULL;
    bool failed =
        !d->anyway && (cf__state(word) == CF_CANCELED || word & CF__FAILED);
    if (failed) /* published by the step */
        (void)cf_cas_acq_rel(&d->failed, &none, input);
    return step(d, 1, failed ? FAILED : 0, HANDED) ? callback : NULL;
}

struct cf__deferred *
cf__deferred_new(cf_future *f,
                 cf_future *const *inputs,
                 size_t count,
                 cf_done_fn *callback)
{
    struct cf__deferred *d = calloc(1, sizeof *d + count * sizeof *d->inputs);
    struct cf__callback *node = malloc(sizeof *node);
    if (!d || !node) {
        free(d);
        free(node);
        return NULL;
    }
    *node = (struct cf__callback){.fn = callback, .data = d};
    d->callback = node;
    d->f = cf_future_ref(f);
    d->count = count;
    cf__list_init(&d->watches);
    for (size_t i = 0; i < count; i++) {
        d->inputs[i].waiter.notify = input_done;
        d->inputs[i].f = cf_future_ref(inputs[i]);
        d->inputs[i].deferred = d;
    }
    /* No other thread knows d, nor f. Uses: the wait, the callback, the
     * caller. */
    cf_store_relaxed(&d->refs, 3);
    cf_store_relaxed(&f->word, cf_load_relaxed(&f->word) | CF__WAITING);
    f->attributes->deferred = d;
    return d;
}

void
cf__deferred_listen(struct cf__deferred *d, bool delayed)
{
    /* Without OPEN no step fires, and d stays. */
    cf_store_relaxed(&d->state, d->count + delayed); /* not published yet */
    for (size_t i = 0; i < d->count; i++) {
        struct cf__input *input = &d->inputs[i];
        if (!cf__remote_listen(input->f, &input->waiter))
            (void)input_done(&input->waiter, input->f);
    }
}

bool
cf__deferred_open(struct cf__deferred *d)
{
    return step(d, 0, OPEN, 0);
}

struct cf__deferred *
cf__deferred_due(cf_future *f)
{
    struct cf__deferred *d = NULL;
    cf__deferred_lock();
    if (cf__is_waiting(f)) {
        d = f->attributes->deferred;
        cf_fetch_add_relaxed(&d->refs, 1); /* locked: it is linked */
    }
    cf__deferred_unlock();
    if (d && !step(d, 1, 0, 0)) {
        cf__deferred_unref(d);
        d = NULL;
    }
    return d;
}

/* --- the end of a record -------------------------------------------------- */

static void
drop_refs(struct cf__deferred *d, uint32_t count)
{
    /* pairs with those of other threads: their use of d is over */
    if (cf_fetch_sub_acq_rel(&d->refs, count) != count)
        return;
    cf__future_unref(d->f);
    free(d);
}

void
cf__deferred_unref(struct cf__deferred *d)
{
    drop_refs(d, 1);
}

/* After the call no input's notify() is under way, nor comes. Returns how many
 * uses of the memory the caller has to drop for that: the callback's, if it
 * never became due. */
static uint32_t
stop_listening(struct cf__deferred *d)
{
    /* If nothing is left, all have been called, and no one touches d after its
     * step. */
    if (cf_load_acquire(&d->state) & LEFT)
        for (size_t i = 0; i < d->count; i++)
            cf__waiter_remove(d->inputs[i].f, &d->inputs[i].waiter);
    if (cf_load_acquire(&d->state) & HANDED) /* pairs with step */
        return 0;
    free(d->callback);
    return 1;
}

static void
drop_inputs(struct cf__deferred *d)
{
    for (size_t i = 0; i < d->count; i++)
        cf_future_unref(d->inputs[i].f);
}

void
cf__deferred_discard(struct cf__deferred *d)
{
    cf_future *f = d->f;
    uint32_t callbacks = stop_listening(d);
    drop_inputs(d);
    cf_store_relaxed(&f->word, cf_load_relaxed(&f->word) & ~CF__WAITING);
    drop_refs(d, callbacks + 2); /* f has the handles that it had */
}

static void
drop_link_locked(struct cf__deferred *d)
{
    cf__assert(d->links > 0);
    if (--d->links > 0)
        return;
    cf__list_take_out(&d->link);
    pthread_cond_broadcast(&unlinked);
}

void
cf__deferred_end(struct cf__deferred *d, bool queued)
{
    cf_future *f = d->f;
    cf_executor *ex = f->executor;
    uint32_t callbacks = stop_listening(d);
    if (d->timed)
        cf__timers_stop(ex->timers, f);
    if (!queued) /* it counts as having left the queue, but was not in it */
        cf_fetch_add_relaxed(&ex->taken_back, -1);
    cf__deferred_lock();
    cf__deferred_tell_locked(d, queued);
    drop_link_locked(d); /* after this, ex may be gone */
    cf__deferred_unlock();
    drop_inputs(d);
    if (!queued)
        cf__future_unref(f);
    drop_refs(d, callbacks + 1);
}

bool
cf__deferred_take(cf_future *f, cf_state state)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    do {
        if ((word & (CF__PHASE | CF__WAITING)) != (CF__WAITING | CF_PENDING))
            return false;
        /* pairs with cf__is_waiting */
    } while (!cf_cas_weak_acq_rel(
        &f->word, &word, (word & ~CF__WAITING) | (uint64_t)state));
    return true;
}

/* --- the executor's list -------------------------------------------------- */

static struct cf__deferred *
deferred_of(const struct cf__link *link)
{
    return CF__LINK_OWNER(link, struct cf__deferred, link);
}

bool
cf__deferred_link(struct cf__deferred *d,
                  void (*due)(cf_future *f),
                  int64_t at_ns)
{
    cf_executor *ex = d->f->executor;
    struct cf__deferrals *list = &ex->deferrals;
    cf__deferred_lock();
    bool open = !list->closed;
    if (open) {
        d->links = 1;
        cf__list_append(&list->list, &d->link);
        if (due) /* before another thread can end the wait, and the timer */
            cf__timers_delay(ex->timers, d->f, due, at_ns);
    }
    cf__deferred_unlock();
    return open;
}

bool
cf__deferred_pin(struct cf__deferred *d, bool submits)
{
    cf__deferred_lock();
    bool linked = d->links > 0;
    if (linked) {
        d->links++;
        if (submits)
            d->submitter = &cf__thread;
    }
    cf__deferred_unlock();
    return linked;
}

void
cf__deferred_unpin(struct cf__deferred *d)
{
    cf__deferred_lock();
    drop_link_locked(d);
    cf__deferred_unlock();
}

void
cf__deferred_close(cf_executor *ex, bool cancel)
{
    cf__deferred_lock();
    ex->deferrals.closed = true;
    struct cf__link *list = &ex->deferrals.list, *at = list->next;
    while (at != list && !cf__executor_forked(ex)) { /* a callback may fork */
        struct cf__deferred *d = deferred_of(at);
        if (d->told) {
            at = at->next;
            continue;
        }
        d->told = true;
        cf_fetch_add_relaxed(&d->refs, 1); /* locked: it is linked */
        cf__deferred_unlock();
        d->close(d, cancel);
        cf__deferred_lock();
        at = list->next; /* the list has changed */
    }
    cf__deferred_unlock();
}

/* Another thread is not through with one. */
static bool
is_used_locked(const cf_executor *ex)
{
    const struct cf__link *list = &ex->deferrals.list, *at = list->next;
    while (at != list && deferred_of(at)->submitter == &cf__thread)
        at = at->next;
    return at != list;
}

void
cf__deferred_await(cf_executor *ex)
{
    cf__deferred_lock();
    while (is_used_locked(ex))
        (void)cf__sleep_locked(
            &unlinked, &cf__deferred_mutex, CF__NEVER, NULL, NULL);
    cf__deferred_unlock();
}

/* In a fork's child: its parent's tasks never run here. */
static void
forget(void)
{
    cf__deferred_forget_watches();
    pthread_cond_init(&unlinked, NULL);
}

CF__FORK_STEPS(CF__FORK_DEFERRED, .in_child = forget);
