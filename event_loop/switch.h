/* SPDX-License-Identifier: MIT */
/* How the loop's thread goes from one coroutine to another. */
#ifndef CF_EVENT_LOOP_SWITCH_H
#define CF_EVENT_LOOP_SWITCH_H

#include "event_loop/context_switch.h"
#include "event_loop/loop.h"

/* next goes on; NULL: the loop's own stack does. */
static inline void
cf__note_switch(struct cf__evloop *loop, struct cf__coroutine *next)
{
    cf_store_relaxed(&loop->running, next);
    cf_bump_release(&loop->switches); /* pairs with the watchdog: running */
}

/* Goes on with next; NULL: with the loop's own stack. Returns when self is gone
 * on with. */
static inline void
cf__coroutine_switch(struct cf__evloop *loop,
                     struct cf__coroutine *self,
                     struct cf__coroutine *next)
{
    cf__note_switch(loop, next);
    self->on_stack = cf__thread.on_stack;
    cf__thread.on_stack = next ? next->on_stack : loop->root_on_stack;
    cf__context_switch(&self->context, next ? &next->context : &loop->root);
}

#endif
