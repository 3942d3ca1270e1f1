/* SPDX-License-Identifier: MIT */
/*
 * A set of futures, to find the same one given twice: open addressing, futures
 * that were allocated one after another mostly side by side.
 */
#ifndef CF_LIB_FUTURE_SET_H
#define CF_LIB_FUTURE_SET_H

#include "lib/future/future.h"

struct cf__future_set {
    cf_future **slots; /* NULL: free */
    size_t mask;       /* size - 1; the size is a power of 2 */
    size_t count;
};

/* Makes room for count more. CF_ENOMEM: nothing changed. Begin with all 0. */
cf_err cf__future_set_reserve(struct cf__future_set *set, size_t count);

void cf__future_set_fini(struct cf__future_set *set);

/* false: it was in the set. There must be room. */
bool cf__future_set_add(struct cf__future_set *set, cf_future *f);

/* Takes out what is in the set. */
void cf__future_set_remove(struct cf__future_set *set, const cf_future *f);

#endif
