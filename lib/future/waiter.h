/* SPDX-License-Identifier: MIT */
/*
 * Who wants to hear of a future's completion: iterators, waits on several
 * futures, and callbacks, in a list under the future's own little lock.
 * README.md, "The list of waiters", has the protocol.
 */
#ifndef CF_LIB_FUTURE_WAITER_H
#define CF_LIB_FUTURE_WAITER_H

#include "lib/future/future.h"

/* In an iterator or on the stack of a thread that sleeps. */
struct cf__waiter {
    /* Guarded by the future's lock while it is in the list. */
    struct cf__waiter *next;
    struct cf__waiter *prev; /* NULL: it is the first; itself: in no list */
    /*
     * Called once when the future is done, with the lock held: short, no user
     * code, no other future. It is out of the list then, and may be gone as
     * soon as it is found removed.
     */
    void (*notify)(struct cf__waiter *waiter, cf_future *f);
};

/* On the heap. */
struct cf__callback {
    _Atomic(struct cf__callback *) next; /* added after it */
    cf_done_fn *fn;
    void *data;
    /* In a list, of the oldest one. Guarded by the future's lock. */
    struct cf__callback *newest;
    struct cf__waiter *waiters;
    /* When it is due: the future, and one handle on it goes with the call. */
    cf_future *f;
    bool drop;
    uint16_t generation; /* the process in which it is due */
};

/* Adds a waiter; false: f is done already, and the waiter not in the list. */
bool cf__waiter_add(cf_future *f, struct cf__waiter *waiter);

/* Takes it out again, if it is still there. After it, notify() has been called
 * and has returned, or will never be called. */
void cf__waiter_remove(cf_future *f, struct cf__waiter *waiter);

/* Waits until a notify() under way has returned. */
void cf__waiters_sync(cf_future *f);

/* Adds a callback, which is then the list's; false: f is done already. */
bool cf__waiters_add_callback(cf_future *f, struct cf__callback *callback);

/* Some of f's waiters are callbacks. */
bool cf__waiters_have_callbacks(cf_future *f);

/* f is done: tells all waiters. Returns the callbacks, the oldest first, which
 * are due and the caller's. */
struct cf__callback *cf__waiters_tell(cf_future *f);

/* f goes without having been done: frees its callbacks. */
void cf__waiters_free_callbacks(cf_future *f);

#endif
