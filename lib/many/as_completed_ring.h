/* SPDX-License-Identifier: MIT */
/*
 * The ring of the futures that an iterator has not handed out, in the order in
 * which they were added. A task looks for pending futures in it, and so does
 * the wait graph. The user's; no lock.
 */
#ifndef CF_LIB_AS_COMPLETED_RING_H
#define CF_LIB_AS_COMPLETED_RING_H

#include "lib/many/as_completed_iterator.h"

static inline void
cf__as_completed_enter_ring(cf_as_completed *it, struct cf__awaited *awaited)
{
    if (!it->first)
        it->first = it->first_look = awaited->next = awaited->prev = awaited;
    else
        cf__awaited_link(awaited, it->first);
    if (!it->untried)
        it->untried = awaited;
}

/* The one that is untried has been tried, or leaves the ring. */
static inline void
cf__as_completed_pass_untried(cf_as_completed *it)
{
    struct cf__awaited *next = it->untried->next;
    it->untried = next == it->first ? NULL : next;
}

static inline void
cf__as_completed_leave_ring(cf_as_completed *it, struct cf__awaited *awaited)
{
    if (it->untried == awaited)
        cf__as_completed_pass_untried(it);
    if (it->first_look == awaited)
        it->first_look = awaited->next;
    if (it->first == awaited)
        it->first = awaited->next;
    if (it->first == awaited)
        it->first = it->first_look = it->untried = NULL;
    cf__awaited_unlink(awaited);
}

#endif
