/* SPDX-License-Identifier: MIT */
/*
 * Workers that wait, in tasks, for deferred tasks: what they can run or wait
 * for meanwhile, and how they are woken. And the lock that guards all records:
 * one for all executors, because a search follows inputs from one to another.
 * Its holder runs no code of the user, and takes no lock but that of timers.
 */
#ifndef CF_LIB_EXECUTOR_DEFERRED_WATCH_H
#define CF_LIB_EXECUTOR_DEFERRED_WATCH_H

#include "lib/executor/deferred.h"

#include <pthread.h>

extern pthread_mutex_t cf__deferred_mutex;

void cf__deferred_lock(void);
void cf__deferred_unlock(void);

/* A worker that waits, in a task, for a deferred task, and what that waits
 * for. */
struct cf__watch {
    struct cf__worker *worker;
    uint64_t queued; /* deferrals.queued of its executor, at the last search */
    struct cf__deferred *deferred; /* NULL: it waits no more */
    struct cf__link link;          /* in deferred->watches */
    struct cf__link helper; /* if the worker can run tasks meanwhile: in the
                               list of all of those */
};

/* What f waits for, inputs of inputs included: a pending task of the worker's
 * executor, if there is one; else a task of it that runs; else another future
 * that is not done. f itself, if it does not wait, or not for a future. With a
 * handle. The search is noted in watch. */
cf_future *cf__deferred_input(cf_future *f, struct cf__watch *watch);

/* watch->worker is unparked when f does not wait any more; and, if it is a
 * thread, when any deferred task is queued in its executor, as that may be one
 * that f waits for. false: that has been since the search, and there is nothing
 * to undo. */
bool cf__deferred_watch(cf_future *f, struct cf__watch *watch);
void cf__deferred_unwatch(struct cf__watch *watch);

/* d's task waits no more: unparks those that watch it. queued: and those that
 * may have to run it, before what they watch can end. */
void cf__deferred_tell_locked(struct cf__deferred *d, bool queued);

/* In a fork's child. */
void cf__deferred_forget_watches(void);

#endif
