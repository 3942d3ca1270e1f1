/* SPDX-License-Identifier: MIT */
/*
 * Futures in a program that is observed (lib/base/observer.h): they have the
 * bit CF__OBSERVED, which leads them into the rare branches of inline steps. In
 * other programs no future has it. README.md, "Observers".
 */
#ifndef CF_LIB_FUTURE_OBSERVED_H
#define CF_LIB_FUTURE_OBSERVED_H

#include "lib/base/observer.h"
#include "lib/future/future.h"

/* There are observers, and f, which no other thread knows, has not begun to be
 * observed: it does. */
void cf__observed_begin(cf_future *f);

/* The last handle of f is gone, and all that f owned: frees its block, sooner
 * or later. */
void cf__observed_end(cf_future *f);

/* f is done, and the caller is about to look at its outcome. It does not look
 * at f->owned: if a timer has finished f, the runner may be about to write
 * that. */
static inline void
cf__observed_seen(const cf_future *f)
{
    cf__observer_acquire(f);
}

/* The caller needs a handle of f. If it has none, f is gone, and as long as its
 * block has not been used again, that can be seen. */
static inline void
cf__future_expect(const cf_future *f, const char *sentence)
{
    cf__contract(cf_load_relaxed(&f->word) >> 32 != 0, sentence);
}

#endif
