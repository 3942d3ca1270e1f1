/* SPDX-License-Identifier: MIT */
/*
 * Runs callbacks: one after the other, never one inside another one. README.md,
 * "Callbacks", has the rules.
 */
#ifndef CF_LIB_FUTURE_CALLBACK_H
#define CF_LIB_FUTURE_CALLBACK_H

#include "lib/base/export.h"
#include "lib/base/thread.h"
#include "lib/future/waiter.h"

/* The callbacks that are due in a thread that is in a callback. */
struct cf__due {
    struct cf__callback *first, *last; /* linked by next */
    unsigned waits; /* so many waits, one inside another, run some of them */
};

/* f is done, and these are its callbacks, or NULL. Runs them; but if this
 * thread is in a callback, leaves them to the loop that called it. Takes over
 * one handle. */
void cf__callbacks_run(cf_future *f, struct cf__callback *callbacks);

/* Calls fn now: f is done, and the thread is in no callback. */
void cf__callbacks_call_now(cf_future *f, cf_done_fn *fn, void *data);

/* Part of cf__callbacks_pause(): the thread is in a callback. */
CF__EXPORT struct cf__due *cf__callbacks_run_due(void);

/*
 * The calling thread is going to wait, perhaps for what other callbacks do. If
 * it is in a callback, the others that are due run now, unless too many waits
 * are inside one another. Until cf__callbacks_resume() the thread is in no
 * callback: a task that it runs meanwhile has its own callbacks called. Give
 * the result to cf__callbacks_resume().
 */
static inline struct cf__due *
cf__callbacks_pause(void)
{
    return __builtin_expect(cf__thread.due != NULL, 0) ? cf__callbacks_run_due()
                                                       : NULL;
}

static inline void
cf__callbacks_resume(struct cf__due *due)
{
    if (__builtin_expect(due != NULL, 0))
        cf__thread.due = due;
}

#endif
