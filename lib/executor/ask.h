/* SPDX-License-Identifier: MIT */
/* What a user asks of a future (ask.c), and what the library asks first. */
#ifndef CF_LIB_EXECUTOR_ASK_H
#define CF_LIB_EXECUTOR_ASK_H

#include "lib/base/forked.h"
#include "lib/future/future.h"

/* f will never be done here: its task belongs to a process from which this one
 * was forked. Does not touch the executor, which may be gone. */
static inline bool
cf__forked(const cf_future *f)
{
    return f->generation != cf__generation_now() && f->executor &&
           !cf_future_done(f);
}

#endif
