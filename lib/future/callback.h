/* SPDX-License-Identifier: MIT */
/*
 * Running callbacks: one after the other, never one inside another one.
 * README.md, "Callbacks", has the rules.
 */
#ifndef CF_LIB_FUTURE_CALLBACK_H
#define CF_LIB_FUTURE_CALLBACK_H

#include "lib/base/thread.h"
#include "lib/future/waiter.h"

/* The callbacks that are due in a thread that runs one. */
struct cf__due {
    struct cf__callback *first, *last; /* linked by next */
    unsigned waits; /* how many waits run some of them at this moment */
};

/* f is done, and these are its callbacks, or NULL: runs them, or leaves them to
 * the callback that this thread is in. Takes over one handle. */
void cf__callbacks_run(cf_future *f, struct cf__callback *callbacks);

/* f is done, and the thread is in no callback: calls fn now. */
void cf__callbacks_call_now(cf_future *f, cf_done_fn *fn, void *data);

/* See cf__callbacks_pause(): the thread is in a callback. */
struct cf__due *cf__callbacks_run_due(void);

/*
 * The calling thread is going to wait, perhaps for what other callbacks do: if
 * it is in one, the others that are due run now (not in callbacks that wait in
 * callbacks that wait ... from some depth on). Until cf__callbacks_resume()
 * it is in no callback: a task that it runs has its own.
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
