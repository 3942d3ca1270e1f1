/* SPDX-License-Identifier: MIT */
/*
 * How long a thread spins before it sleeps: a thread that waits (cf__spin), and
 * a worker that looks for work (cf__search).
 *
 * A thread that waits first spins for about as long as a sleep would cost
 * (wake_cost.h), and yields to any thread that wants the processor. So it pays
 * no more than about twice what the better choice would have cost. If its last
 * wait was long, it spins for a short time only.
 *
 * Two threads that share a processor get nothing from spinning: each waits for
 * the other one to give the processor up. So a thread notes whether its last
 * wait ended with a yield in which another thread ran. Then it yields at the
 * begin of the next wait, and pauses as ever if that brings nothing.
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
    CF__SPINS_BEFORE_EARLY_YIELD = 2,
    CF__OTHER_RAN_NS = 700, /* a yield that lasted so long let another thread
                               run: without that it lasts for half of it */
    CF__SEARCH_YIELD_NS = CF__US(1),
    CF__SEARCH_PART = 5,
    CF__LOOKS_PER_CLOCK = 8
};

struct cf__spin {
    int64_t start;
    int64_t yield_at; /* when it yielded, if its last turn did that; else 0 */
    int spins;
};

/* What the thread waited for is there. yield_at: when it last yielded, if it
 * has looked right after that; else 0. */
static inline void
cf__yield_learn(int64_t yield_at, int64_t now)
{
    cf__thread.yields_early =
        yield_at != 0 && now - yield_at > CF__OTHER_RAN_NS;
}

/* The cost of two wake-ups: a sleeping worker wakes up, and then its answer
 * wakes the thread that waits. */
static inline int64_t
cf__spin_long_ns(void)
{
    return 2 * cf__wake_cost();
}

/* A worker searches for this part of what a wake-up takes before it sleeps; a
 * wake-up costs the submitter more than that. */
static inline int64_t
cf__search_ns(void)
{
    return cf__wake_cost() / CF__SEARCH_PART;
}

static inline struct cf__spin
cf__spin_begin(void)
{
    struct cf__spin spin = {cf__now_ns(), 0, 0};
    return spin;
}

/* One more turn; false: the thread has spun for long enough. */
static inline bool
cf__spin_on(struct cf__spin *spin, int64_t deadline_ns)
{
    int turn = spin->spins++;
    spin->yield_at = 0;
    if (turn < CF__SPINS_BEFORE_YIELD &&
        !(turn == CF__SPINS_BEFORE_EARLY_YIELD && cf__thread.yields_early)) {
        cf_relax();
        return true;
    }
    int64_t now = cf__now_ns();
    int64_t budget =
        cf__thread.long_waits ? CF__SPIN_SHORT_NS : cf__spin_long_ns();
    if (now - spin->start >= budget || now >= deadline_ns)
        return false;
    spin->yield_at = now;
    sched_yield();
    return true;
}

/*
 * A worker looks for work before it sleeps. It soon yields to a thread that may
 * have work for it; then the pauses between two yields become longer and
 * longer. Begins as all zero.
 */
struct cf__search {
    int64_t start, next_yield_at;
    int64_t yield_at; /* as in a cf__spin */
    unsigned looks;
};

/* After a look that found nothing; false: the search has lasted limit_ns. */
static inline bool
cf__search_on(struct cf__search *search, int64_t limit_ns)
{
    search->yield_at = 0;
    cf_relax();
    bool early = ++search->looks == CF__SPINS_BEFORE_EARLY_YIELD &&
                 cf__thread.yields_early;
    if (search->looks % CF__LOOKS_PER_CLOCK != 0 && !early)
        return true;
    int64_t now = cf__now_ns();
    if (search->start == 0) {
        search->start = now;
        search->next_yield_at = early ? now : now + CF__SEARCH_YIELD_NS;
    }
    if (now - search->start >= limit_ns)
        return false;
    if (now >= search->next_yield_at) {
        search->next_yield_at = 2 * now - search->start;
        if (early)
            search->next_yield_at = now + CF__SEARCH_YIELD_NS;
        search->yield_at = now;
        sched_yield();
    }
    return true;
}

/* The search has found work: notes what brought it. */
static inline void
cf__search_learn(const struct cf__search *search)
{
    cf__yield_learn(search->yield_at, search->yield_at ? cf__now_ns() : 0);
}

/* The wait is over, with or without a sleep: notes what ended it, and whether
 * it was long. */
static inline void
cf__spin_learn(const struct cf__spin *spin)
{
    int64_t now = cf__now_ns();
    cf__yield_learn(spin->yield_at, now);
    cf__thread.long_waits = now - spin->start > 2 * cf__spin_long_ns();
}

#endif
