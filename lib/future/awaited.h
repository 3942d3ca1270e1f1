/* SPDX-License-Identifier: MIT */
/*
 * A ring of futures of which any one ends a wait: those that an iterator has
 * not handed out. The wait graph looks at the same ring. The caller has the
 * lock that guards the ring.
 */
#ifndef CF_LIB_FUTURE_AWAITED_H
#define CF_LIB_FUTURE_AWAITED_H

#include "lib/future/future.h"

struct cf__awaited {
    struct cf__awaited *next, *prev;
    cf_future *f;
};

/* Links awaited before at. If at is the first of the ring, that is the end. */
static inline void
cf__awaited_link(struct cf__awaited *awaited, struct cf__awaited *at)
{
    awaited->next = at;
    awaited->prev = at->prev;
    at->prev->next = awaited;
    at->prev = awaited;
}

static inline void
cf__awaited_unlink(struct cf__awaited *awaited)
{
    awaited->next->prev = awaited->prev;
    awaited->prev->next = awaited->next;
}

#endif
