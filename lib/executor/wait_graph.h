/* SPDX-License-Identifier: MIT */
/*
 * Which worker waits for which: so that a wait that could never end is refused
 * instead of begun. README.md, "Waiting inside a task", has the argument.
 */
#ifndef CF_LIB_EXECUTOR_WAIT_GRAPH_H
#define CF_LIB_EXECUTOR_WAIT_GRAPH_H

#include "lib/base/worker.h"
#include "lib/future/awaited.h"
#include "lib/future/future.h"

/*
 * Notes that self is going to sleep until one of the ring's futures is done.
 * true: that could never happen, and nothing is noted. Takes the graph's lock.
 * forever: the wait has no deadline. A wait with a deadline ends by itself, so
 * other searches do not take it for stuck.
 *
 * awaited is the future to look at first. Afterwards self->awaited is the one
 * to look at first the next time: it is of no use to look at those before it.
 */
bool cf__wait_graph_enter(struct cf__worker *self,
                          struct cf__awaited *awaited,
                          bool forever);

/* self is awake again. true: it was woken because its wait could never end.
 * That happens to coroutines, and in jobs. */
bool cf__wait_graph_leave(struct cf__worker *self);

/* How many workers of ex, without the calling one, cannot go on before the
 * calling worker does: each waits for the calling worker, or for a worker that
 * waits so. Such a chain may lead through any pools. Workers whose wait has a
 * time limit, or is for a task that has one, are not among them. */
int cf__wait_graph_held_up(const cf_executor *ex);

#endif
