/* SPDX-License-Identifier: MIT */
/*
 * Spinning before a sleep: outside of pools, and of workers.
 *
 * A waiter first spins for about as long as sleeping would cost (wake_cost.h),
 * yielding to whoever wants the processor, and so pays no more than about twice
 * what the better choice would have cost. If its last wait was long, it does
 * not bother.
 */
#ifndef CF_LIB_BASE_SPIN_H
#define CF_LIB_BASE_SPIN_H

#include "lib/base/atomic.h"
#include "lib/base/clock.h"
#include "lib/base/thread.h"
#include "lib/base/wake_cost.h"

#include <sched.h>

enum {
    CF__SPIN_SHORT_NS = CF__US(2),
    CF__SPINS_BEFORE_YIELD = 40, /* about a microsecond */
    CF__SEARCH_YIELD_NS = CF__US(1),
    CF__LOOKS_PER_CLOCK = 8
};

struct cf__spin {
    int64_t start;
    int spins;
};

/* A sleeping worker wakes up, and its answer another sleeper. */
static inline int64_t
cf__spin_long_ns(void)
{
    return 2 * cf__wake_cost();
}

static inline struct cf__spin
cf__spin_begin(void)
{
    struct cf__spin spin = {cf__now_ns(), 0};
    return spin;
}

/* One more turn; false: it has been long enough. */
static inline bool
cf__spin_on(struct cf__spin *spin, int64_t deadline_ns)
{
    if (spin->spins++ < CF__SPINS_BEFORE_YIELD) {
        cf_relax();
        return true;
    }
    int64_t now = cf__now_ns();
    int64_t budget =
        cf__thread.long_waits ? CF__SPIN_SHORT_NS : cf__spin_long_ns();
    if (now - spin->start >= budget || now >= deadline_ns)
        return false;
    sched_yield();
    return true;
}

/*
 * A worker looks for work before it sleeps, soon yielding to whoever may have
 * some for it, then ever more seldom. Begin with all zero.
 */
struct cf__search {
    int64_t start, yield_at;
    unsigned looks;
};

/* It has looked in vain; false: it has been limit_ns. */
static inline bool
cf__search_on(struct cf__search *search, int64_t limit_ns)
{
    cf_relax();
    if (++search->looks % CF__LOOKS_PER_CLOCK != 0)
        return true;
    int64_t now = cf__now_ns();
    if (search->start == 0) {
        search->start = now;
        search->yield_at = now + CF__SEARCH_YIELD_NS;
    }
    if (now - search->start >= limit_ns)
        return false;
    if (now >= search->yield_at) {
        sched_yield();
        search->yield_at = 2 * now - search->start;
    }
    return true;
}

/* The wait is over, with or without a sleep. */
static inline void
cf__spin_learn(const struct cf__spin *spin)
{
    cf__thread.long_waits = cf__now_ns() - spin->start > 2 * cf__spin_long_ns();
}

#endif
