/* SPDX-License-Identifier: MIT */
/* What a user asks of a future (ask.c), and what the library asks first. */
#ifndef CF_LIB_EXECUTOR_ASK_H
#define CF_LIB_EXECUTOR_ASK_H

#include "lib/base/forked.h"
#include "lib/future/future.h"

struct cf__callback; /* lib/future/waiter.h */

/* Calls a callback, a malloc'ed block, when f is done: as cf_future_on_done(),
 * which needs memory. It is freed. f was not made by another process. */
void cf__future_call_back(cf_future *f, struct cf__callback *callback);

/* f will never be done here: its task belongs to a process from which this one
 * was forked. Does not touch the executor, which may be gone. */
static inline bool
cf__forked(const cf_future *f)
{
    return f->generation != cf__generation_now() && f->executor &&
           !cf_future_done(f);
}

#endif
