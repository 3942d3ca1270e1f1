/* SPDX-License-Identifier: MIT */
/* Callbacks that take long, with CF_DEBUG: see slow_callback.h. No locks. */
#include "lib/future/slow_callback.h"

#include "lib/base/atomic.h"
#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/place.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SLOW_NS CF__MS(100)
enum { NAMED_MAX = 64, NAME_SIZE = 256, NS_PER_MS = 1000000 };

/* Which have been named; 0: free. Relaxed: a number says all. */
static _Atomic uintptr_t named[NAMED_MAX];

/* fn has not been named, and is from now on. false also if there are too many
 * of them. */
static bool
enter(uintptr_t fn)
{
    for (int i = 0; i < NAMED_MAX; i++) {
        uintptr_t other = cf_load_relaxed(&named[i]);
        if (!other && cf_cas_acq_rel(&named[i], &other, fn))
            return true;
        if (other == fn)
            return false;
    }
    return false;
}

void
cf__callback_call_timed(cf_done_fn *fn, cf_future *f, void *data)
{
    char name[NAME_SIZE];
    const void *address;
    const int64_t begin_ns = cf__now_ns();
    fn(f, data);
    const int64_t took_ns = cf__now_ns() - begin_ns;
    if (took_ns < SLOW_NS || !enter((uintptr_t)fn))
        return;
    memcpy(&address, &fn, sizeof address); /* POSIX allows that */
    cf__place_text(address, name, sizeof name);
    int former = cf__cancel_disable();
    fprintf(stderr,
            "libcfutures: CF_DEBUG: a callback took %lld ms: %s\n",
            (long long)(took_ns / NS_PER_MS),
            name);
    cf__cancel_restore(former);
}
