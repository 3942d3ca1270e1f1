/* SPDX-License-Identifier: MIT */
/*
 * A task that is not queued before its inputs are done and its time has come:
 * the record of what it waits for, and the lists of such tasks. Who ends the
 * wait, and how, is in settle.h. README.md, "Deferred tasks", has the protocol.
 */
#ifndef CF_LIB_EXECUTOR_DEFERRED_H
#define CF_LIB_EXECUTOR_DEFERRED_H

#include "lib/executor/executor.h"
#include "lib/future/waiter.h"

/* One future that a task waits for. */
struct cf__input {
    struct cf__waiter waiter; /* first */
    cf_future *f;             /* with a handle */
    struct cf__deferred *deferred;
};

struct cf__deferred {
    /* Set once, before another thread knows the record. */
    cf_future *f; /* the task, with a handle */
    bool anyway;  /* it also runs if an input fails */
    bool timed;   /* it has a place in the timers for its delay alone */
    /* Ends the wait: the executor takes no more tasks. Cancels f, or else fails
     * it. Takes over one use of the memory. */
    void (*close)(struct cf__deferred *d, bool cancel);
    /* Becomes due when the last input is done. It has a use of the memory. */
    struct cf__callback *callback;

    /* Atomic. How many of the inputs, and of the delay, are left, and the bits
     * of deferred.c. */
    _Atomic uint64_t state;
    _Atomic(struct cf__input *) failed; /* the first that failed, or NULL */
    _Atomic uint32_t refs;              /* uses of the memory */

    /* Guarded by the lock of deferred_watch.h. */
    struct cf__link link; /* in the executor's list */
    int links; /* reasons to be in that list: it waits, or a thread uses the
                  executor for it. 0: it is not there */
    bool told; /* close() has been called, or is about to */
    const void *submitter;       /* the thread that gives it to the executor */
    struct cf__link watches;     /* deferred_watch.h */
    size_t first_undone;         /* inputs before this one are done */
    uint64_t search;             /* the last search that has come here */
    size_t search_at;            /* how far that has come */
    struct cf__deferred *parent; /* where that came from */

    size_t count;
    struct cf__input inputs[];
};

static inline bool
cf__is_waiting(const cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with take */
    return (word & (CF__PHASE | CF__WAITING)) == (CF__WAITING | CF_PENDING);
}

/* Makes the record of f, which has attributes and which no other thread knows:
 * f waits from now on. callback is called with the record, which then has one
 * use of it to give up. The caller has another one. NULL: no memory. */
struct cf__deferred *cf__deferred_new(cf_future *f,
                                      cf_future *const *inputs,
                                      size_t count,
                                      cf_done_fn *callback);

/* Counts those inputs out that are done, and waits for the others. delayed: the
 * delay counts as one more. */
void cf__deferred_listen(struct cf__deferred *d, bool delayed);

/* Enters the executor's list. If f has a delay, its timer calls due() at that
 * time; else due is NULL. false: the executor takes no more tasks. */
bool cf__deferred_link(struct cf__deferred *d,
                       void (*due)(cf_future *f),
                       int64_t at_ns);

/* Undoes all before cf__deferred_link(), which has returned false. */
void cf__deferred_discard(struct cf__deferred *d);

/* From now on the end of the last input, or of the delay, ends the wait. true:
 * that has been; the caller ends it. */
bool cf__deferred_open(struct cf__deferred *d);

/* The delay of f is over. Not NULL: the caller ends the wait, and has a use of
 * the memory. */
struct cf__deferred *cf__deferred_due(cf_future *f);

/* Keeps the executor from being freed, if d is in its list; false: it is not.
 * submits: until the unpin, the calling thread gives f to the executor. */
bool cf__deferred_pin(struct cf__deferred *d, bool submits);
void cf__deferred_unpin(struct cf__deferred *d);

/* f waits no more: from now on it is pending in a queue, or running. false:
 * another thread was faster. */
bool cf__deferred_take(cf_future *f, cf_state state);

/* The thread whose step ended the wait calls it: takes d out of all lists, and
 * tells those that watch f. queued: the executor has the queue's handle; else
 * that is dropped. */
void cf__deferred_end(struct cf__deferred *d, bool queued);

/* The caller does not use the memory any more. */
void cf__deferred_unref(struct cf__deferred *d);

/* The executor takes no more tasks: ends all waits. */
void cf__deferred_close(cf_executor *ex, bool cancel);

/* Waits until no other thread uses the closed executor for such a task. */
void cf__deferred_await(cf_executor *ex);

#endif
