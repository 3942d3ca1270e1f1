/* SPDX-License-Identifier: MIT */
/*
 * The list of waiters: see waiter.h. The future's lock is held for a few
 * instructions (lock.h).
 *
 * Nobody is missed: a waiter is linked first and CF__WAITERS set second, both
 * under the lock. A completer whose swap sees the bit takes the lock, hence
 * finds the waiter. If the swap came first, setting the bit finds the future
 * done, and the waiter is taken out again before anybody looks.
 */
#include "lib/waiter.h"

#include "lib/executor.h"
#include "lib/registry.h"
#include "lib/remote.h"

#include <stdlib.h>

struct callback {
    struct cf__waiter waiter;
    cf_done_fn *fn;
    void *data;
};

bool
cf__waiter_add(cf_future *f, struct cf__waiter *waiter)
{
    cf__lock(&f->lock);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    bool added = !cf__is_done(word);
    if (added) {
        waiter->next = f->waiters;
        f->waiters = waiter;
        if (!(word & CF__WAITERS)) {
            /* pairs with finish: it sees the bit, or we see it done */
            word = cf_fetch_or_acq_rel(&f->word, CF__WAITERS);
            if (cf__is_done(word)) {
                f->waiters = waiter->next;
                added = false;
            }
        }
    }
    cf__unlock(&f->lock);
    if (added)
        cf__remote_expect(f, word);
    return added;
}

void
cf__waiter_remove(cf_future *f, struct cf__waiter *waiter)
{
    cf__lock(&f->lock);
    for (struct cf__waiter **at = &f->waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    }
    cf__unlock(&f->lock);
}

bool
cf__waiters_call_back(cf_future *f)
{
    bool found = false;
    cf__lock(&f->lock);
    for (struct cf__waiter *w = f->waiters; w; w = w->next)
        found = found || !w->notify;
    cf__unlock(&f->lock);
    return found;
}

void
cf__waiters_sync(cf_future *f)
{
    cf__lock(&f->lock);
    cf__unlock(&f->lock);
}

void
cf__waiters_notify(cf_future *f)
{
    struct cf__waiter *callbacks = NULL; /* the list is newest first */
    cf__lock(&f->lock);
    for (struct cf__waiter *w = f->waiters, *next; w; w = next) {
        next = w->next;
        if (w->notify) {
            w->notify(w, f); /* w may be gone after the unlock */
        } else {
            w->next = callbacks;
            callbacks = w;
        }
    }
    f->waiters = NULL;
    cf__unlock(&f->lock);
    struct cf__worker *worker = cf__thread.worker;
    if (callbacks && worker && worker->executor->ops->callbacks_begin)
        worker->executor->ops->callbacks_begin(worker);
    while (callbacks) {
        struct callback *callback = (struct callback *)callbacks;
        callbacks = callbacks->next;
        callback->fn(f, callback->data);
        free(callback);
    }
}

void
cf__waiters_forget(cf_future *f)
{
    /* Iterators hold a handle: only callbacks are left. */
    for (struct cf__waiter *w = f->waiters, *next; w; w = next) {
        next = w->next;
        free(w);
    }
}

cf_err
cf_future_on_done(cf_future *f, cf_done_fn *fn, void *data)
{
    if (!f || !fn)
        return CF_EINVAL;
    if (!cf_future_done(f)) {
        if (cf__forked(f))
            return CF_OK; /* it never will be, here */
        struct callback *callback = malloc(sizeof *callback);
        if (!callback)
            return CF_ENOMEM;
        *callback = (struct callback){{NULL, NULL}, fn, data};
        if (cf__waiter_add(f, &callback->waiter))
            return CF_OK;
        free(callback);
    }
    (void)cf_future_ref(f); /* fn may drop the caller's handle */
    fn(f, data);
    cf_future_unref(f);
    return CF_OK;
}
