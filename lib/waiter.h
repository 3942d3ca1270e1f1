/* SPDX-License-Identifier: MIT */
/*
 * Who wants to hear of a future's completion: iterators, waits on several
 * futures, and callbacks, in one list under the future's own little lock.
 */
#ifndef CF_LIB_WAITER_H
#define CF_LIB_WAITER_H

#include "lib/future.h"

struct cf__waiter {
    struct cf__waiter *next; /* guarded by the future's lock */
    /*
     * Called once when the future is done, with the lock held: short, no user
     * code, no other future. After it the waiter is out of the list and may be
     * gone as soon as it is found removed. NULL: this is a callback.
     */
    void (*notify)(struct cf__waiter *waiter, cf_future *f);
};

/* Adds a waiter; false: f is done already, and the waiter not in the list. */
bool cf__waiter_add(cf_future *f, struct cf__waiter *waiter);

/* Takes it out again, if it is still there. After it, notify() has been called
 * and has returned, or will never be called. */
void cf__waiter_remove(cf_future *f, struct cf__waiter *waiter);

/* Waits until a notify() under way has returned. */
void cf__waiters_sync(cf_future *f);

/* f goes without having been done: frees its callbacks. */
void cf__waiters_forget(cf_future *f);

/* f is done: tells all waiters, then runs the callbacks without the lock. */
void cf__waiters_notify(cf_future *f);

/* Some of f's waiters are callbacks. */
bool cf__waiters_call_back(cf_future *f);

#endif
