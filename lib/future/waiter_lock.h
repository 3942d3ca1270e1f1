/* SPDX-License-Identifier: MIT */
/* How the lock of a future's list of waiters is taken. */
#ifndef CF_LIB_FUTURE_WAITER_LOCK_H
#define CF_LIB_FUTURE_WAITER_LOCK_H

#include "lib/base/forked.h"
#include "lib/future/future.h"

/* Notices first: a child that has not noticed yet would take a lock of the
 * parent for one that is held here. */
static inline void
cf__waiters_lock(cf_future *f)
{
    cf__notice_fork();
    cf__lock(&f->lock);
}

#endif
