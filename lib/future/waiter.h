/* SPDX-License-Identifier: MIT */
/*
 * The list of what must be told of a future's end: iterators, waits for several
 * futures, and callbacks. The future's own lock guards it. README.md, "The list
 * of waiters", has the protocol.
 */
#ifndef CF_LIB_FUTURE_WAITER_H
#define CF_LIB_FUTURE_WAITER_H

#include "lib/future/future.h"

struct cf__callback;

/* Lives in an iterator, in the record of a task that waits for the future, or
 * on the stack of a thread that sleeps. */
struct cf__waiter {
    /* Guarded by the future's lock while it is in the list. */
    struct cf__waiter *next;
    struct cf__waiter *prev; /* NULL: it is the first; itself: in no list */
    /*
     * Called once, when the future is done, with the future's lock held. It is
     * short, and runs no code of the user and touches no other future. The
     * waiter is out of the list then. Its owner may free it as soon as it finds
     * it removed. What it returns is due from then on, before f's callbacks;
     * NULL: nothing.
     */
    struct cf__callback *(*notify)(struct cf__waiter *waiter, cf_future *f);
};

/* Lives on the heap. */
struct cf__callback {
    _Atomic(struct cf__callback *) next; /* the one that was added next */
    cf_done_fn *fn;
    void *data;
    /* Used in the oldest one of a list. Guarded by the future's lock. */
    struct cf__callback *newest;
    struct cf__waiter *waiters;
    /* Set when it is due. */
    cf_future *f;
    bool drop;           /* one handle of f goes with the call */
    uint16_t generation; /* of the process in which it is due */
};

/* Adds a waiter. false: f is done already, and the waiter is in no list. */
bool cf__waiter_add(cf_future *f, struct cf__waiter *waiter);

/* Takes a waiter out, if it is still in the list. After the call, notify() has
 * returned, or will never be called. */
void cf__waiter_remove(cf_future *f, struct cf__waiter *waiter);

/* If a notify() is under way, waits until it has returned. */
void cf__waiters_sync(cf_future *f);

/* Locks f's list. false: f is done already, and the list is not locked. Until
 * cf__waiters_release(), f's completer waits for the lock, so the executor that
 * runs f stays. Meanwhile the caller runs no code of the user and takes no
 * other lock. */
bool cf__waiters_hold(cf_future *f);
void cf__waiters_release(cf_future *f);

/* Adds a callback, which the list owns then. false: f is done already. */
bool cf__waiters_add_callback(cf_future *f, struct cf__callback *callback);

/* true: f's list has callbacks. A hint. */
bool cf__waiters_have_callbacks(cf_future *f);

/* true: f's list has waiters that this process has added. */
bool cf__waiters_any(const cf_future *f);

/* f is done: tells all waiters. Returns what they return, and then the
 * callbacks, the oldest first: they are due, and the caller owns them. */
struct cf__callback *cf__waiters_tell(cf_future *f);

/* f is freed although it never was done: frees its callbacks. */
void cf__waiters_free_callbacks(cf_future *f);

#endif
