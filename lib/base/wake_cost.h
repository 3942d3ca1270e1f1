/* SPDX-License-Identifier: MIT */
/*
 * What a wake-up costs on this machine, measured: from the call that wakes a
 * sleeping worker to the moment in which it runs. Some tens of microseconds on
 * a quiet one, hundreds in a virtual machine whose processors have to be woken
 * themselves. Whoever spins before he sleeps does so for about as long.
 *
 * One estimate for the program. It is a hint: threads that learn at the same
 * moment may lose what one of them saw. A thread that was woken and then waited
 * for a processor has seen too much; so what is less counts for more.
 */
#ifndef CF_LIB_BASE_WAKE_COST_H
#define CF_LIB_BASE_WAKE_COST_H

#include "lib/base/atomic.h"

#include <stdint.h>

extern _Atomic int64_t cf__wake_cost_ns;

static inline int64_t
cf__wake_cost(void)
{
    return cf_load_relaxed(&cf__wake_cost_ns);
}

/* A wake-up took that long. Not positive: nothing is known of it. */
void cf__wake_cost_learn(int64_t took_ns);

#endif
