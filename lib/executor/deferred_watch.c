/* SPDX-License-Identifier: MIT */
/* Workers that wait for deferred tasks: see deferred_watch.h. */
#include "lib/executor/deferred_watch.h"

#include "lib/base/forked.h"

pthread_mutex_t cf__deferred_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Guarded by cf__deferred_mutex. */
static uint64_t searches;
static struct cf__link helpers = {&helpers, &helpers};

void
cf__deferred_lock(void)
{
    cf__notice_fork();
    pthread_mutex_lock(&cf__deferred_mutex);
}

void
cf__deferred_unlock(void)
{
    pthread_mutex_unlock(&cf__deferred_mutex);
}

void
cf__deferred_forget_watches(void)
{
    pthread_mutex_init(&cf__deferred_mutex, NULL);
    cf__list_init(&helpers);
}

void
cf__deferred_tell_locked(struct cf__deferred *d, bool queued)
{
    cf_executor *ex = d->f->executor;
    struct cf__link *at = d->watches.next;
    for (; at != &d->watches; at = at->next) {
        struct cf__watch *watch = CF__LINK_OWNER(at, struct cf__watch, link);
        watch->deferred = NULL;
        cf__worker_unpark(watch->worker);
    }
    cf__list_init(&d->watches);
    if (!queued)
        return;
    ex->deferrals.queued++;
    for (at = helpers.next; at != &helpers; at = at->next) {
        struct cf__watch *watch = CF__LINK_OWNER(at, struct cf__watch, helper);
        if (watch->worker->executor == ex)
            cf__worker_unpark(watch->worker);
    }
}

/* The next input of d that is not done, for a search. NULL: there is none. */
static cf_future *
next_undone_locked(struct cf__deferred *d)
{
    while (d->search_at < d->count) {
        cf_future *f = d->inputs[d->search_at].f;
        bool done = cf__is_done(cf_load_acquire(&f->word)); /* finish */
        if (done && d->first_undone == d->search_at)
            d->first_undone++; /* it stays done */
        d->search_at++;
        if (!done)
            return f;
    }
    return NULL;
}

/* The search goes on at d, if it has not been there. Returns where it is. */
static struct cf__deferred *
visit_locked(struct cf__deferred *d, struct cf__deferred *parent)
{
    if (d->search == searches)
        return parent;
    d->search = searches;
    d->search_at = d->first_undone;
    d->parent = parent;
    return d;
}

cf_future *
cf__deferred_input(cf_future *f, struct cf__watch *watch)
{
    const cf_executor *ex = watch->worker->executor;
    cf_future *pending = NULL, *running = NULL, *other = NULL, *input;
    cf__deferred_lock();
    searches++;
    watch->queued = ex->deferrals.queued;
    /* A record stays while its task waits and the lock is held. */
    struct cf__deferred *at =
        cf__is_waiting(f) ? visit_locked(f->attributes->deferred, NULL) : NULL;
    while (at && !pending) {
        input = next_undone_locked(at);
        if (!input)
            at = at->parent;
        else if (cf__is_waiting(input))
            at = visit_locked(input->attributes->deferred, at);
        else if (input->executor != ex)
            other = other ? other : input;
        else if (cf__state(cf_load_relaxed(&input->word)) == CF_PENDING)
            pending = input;
        else
            running = running ? running : input;
    }
    input = pending ? pending : running ? running : other;
    input = cf_future_ref(input ? input : f);
    cf__deferred_unlock();
    return input;
}

/* A worker that is a coroutine runs no task while it waits: others do. */
static bool
is_helper(const struct cf__watch *watch)
{
    return !watch->worker->suspend;
}

bool
cf__deferred_watch(cf_future *f, struct cf__watch *watch)
{
    const cf_executor *ex = watch->worker->executor;
    cf__deferred_lock();
    bool waits = cf__is_waiting(f) &&
                 !(is_helper(watch) && watch->queued != ex->deferrals.queued);
    if (waits) {
        struct cf__deferred *d = f->attributes->deferred;
        watch->deferred = d;
        cf__list_append(&d->watches, &watch->link);
        if (is_helper(watch))
            cf__list_append(&helpers, &watch->helper);
    }
    cf__deferred_unlock();
    return waits;
}

void
cf__deferred_unwatch(struct cf__watch *watch)
{
    cf__deferred_lock();
    if (watch->deferred)
        cf__list_take_out(&watch->link);
    if (is_helper(watch))
        cf__list_take_out(&watch->helper);
    cf__deferred_unlock();
}
