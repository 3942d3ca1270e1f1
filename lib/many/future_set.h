/* SPDX-License-Identifier: MIT */
/*
 * A set of futures, which tells whether a future has been given before. A hash
 * table with open addressing. Futures that were allocated one after another are
 * mostly side by side in it. One thread at a time uses a set.
 */
#ifndef CF_LIB_FUTURE_SET_H
#define CF_LIB_FUTURE_SET_H

#include "lib/future/future.h"

struct cf__future_set {
    cf_future **slots; /* a slot is NULL: it is free. NULL: there are none */
    size_t mask;       /* number of slots - 1; that number is a power of 2 */
    size_t count;      /* futures in the set; at most half of the slots */
};

/* Makes room for count more futures. CF_ENOMEM: nothing has changed. A set with
 * all its fields 0 is empty. */
cf_err cf__future_set_reserve(struct cf__future_set *set, size_t count);

void cf__future_set_fini(struct cf__future_set *set);

/* false: f was in the set. There must be room for one more. */
bool cf__future_set_add(struct cf__future_set *set, cf_future *f);

/* Takes out f, which is in the set. */
void cf__future_set_remove(struct cf__future_set *set, const cf_future *f);

/* Asserts that the set is whole (lib/base/assert.h). Looks at the
 * first slots only. The user of the set. */
#ifdef CF_ASSERTIONS
void cf__future_set_check(const struct cf__future_set *set);

bool cf__future_set_has(const struct cf__future_set *set, const cf_future *f);
#endif

#endif
