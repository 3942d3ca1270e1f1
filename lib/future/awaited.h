/* SPDX-License-Identifier: MIT */
/*
 * A ring of futures, any one of which ends a wait: what an iterator has not
 * handed out, and what the wait graph looks at. No locks: the caller's.
 */
#ifndef CF_LIB_FUTURE_AWAITED_H
#define CF_LIB_FUTURE_AWAITED_H

#include "lib/future/future.h"

struct cf__awaited {
    struct cf__awaited *next, *prev;
    cf_future *f;
};

/* Puts it before at, which is the end if at is the first. */
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
