/* SPDX-License-Identifier: MIT */
/*
 * How a callback is called. With CF_DEBUG a function that takes long is named,
 * once: the thread may be a worker of a pool, whose tasks wait meanwhile, or
 * the thread of an event loop.
 */
#ifndef CF_LIB_FUTURE_SLOW_CALLBACK_H
#define CF_LIB_FUTURE_SLOW_CALLBACK_H

#include <cfutures/future.h>

#include "lib/base/observer.h"

/* Part of the next one. */
void cf__callback_call_timed(cf_done_fn *fn, cf_future *f, void *data);

static inline void
cf__callback_call(cf_done_fn *fn, cf_future *f, void *data)
{
    if (__builtin_expect(cf__observers & CF__OBSERVES_USE, 0))
        cf__callback_call_timed(fn, f, data);
    else
        fn(f, data);
}

#endif
