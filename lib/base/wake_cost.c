/* SPDX-License-Identifier: MIT */
/* What a wake-up costs: see wake_cost.h. */
#include "lib/base/wake_cost.h"

#include "lib/base/clock.h"

/* MOST_NS bounds what spinning can cost: wake-ups may be slow because others
 * want the processors, and a worker process may write nonsense. */
enum {
    LEAST_NS = CF__US(25),
    MOST_NS = CF__US(200),
    PART_UP = 16,
    PART_DOWN = 4
};

_Atomic int64_t cf__wake_cost_ns = LEAST_NS;

void
cf__wake_cost_learn(int64_t took_ns)
{
    int64_t cost = cf__wake_cost();
    if (took_ns <= 0)
        return;
    if (took_ns < LEAST_NS)
        took_ns = LEAST_NS;
    if (took_ns > MOST_NS)
        took_ns = MOST_NS;
    int part = took_ns > cost ? PART_UP : PART_DOWN;
    cf_store_relaxed(&cf__wake_cost_ns, cost + (took_ns - cost) / part);
}
