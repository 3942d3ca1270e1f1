/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom among workers: so that a wait that could never end is
 * refused instead of begun.
 */
#ifndef CF_LIB_EXECUTOR_WAIT_GRAPH_H
#define CF_LIB_EXECUTOR_WAIT_GRAPH_H

#include "lib/base/worker.h"
#include "lib/future/awaited.h"
#include "lib/future/future.h"

/*
 * Notes that self will sleep until one of the ring's futures is done. true: that
 * could never end, nothing is noted. Takes the graph's lock. forever: a wait that
 * is not ends by itself, so others do not count on it.
 *
 * awaited is where to look first. Afterwards self->awaited is where to look first
 * the next time: it is of no use to look at those before it.
 */
bool cf__wait_graph_enter(struct cf__worker *self,
                          struct cf__awaited *awaited,
                          bool forever);

/* self is awake again. true: it was woken because its wait could never end,
 * which happens to coroutines only. */
bool cf__wait_graph_leave(struct cf__worker *self);

/* How many workers of ex, the calling one apart, cannot go on before the calling
 * worker does: each waits for it, or for one that does. Of any pool; not those
 * whose wait has a time limit, or is for a task that has one. */
int cf__wait_graph_held_up(const cf_executor *ex);

#endif
