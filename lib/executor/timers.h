/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of running tasks: one thread per executor, started by the first
 * task that has a timeout, sleeping until the next one passes. In a callback
 * that waits it serves (server.h): so the deadlines of the others hold.
 */
#ifndef CF_LIB_EXECUTOR_TIMERS_H
#define CF_LIB_EXECUTOR_TIMERS_H

#include "lib/future/future.h"

struct cf__timers;

/* Called in the timers' thread when f's deadline has passed; f is held. */
typedef void cf__expired_fn(cf_future *f);

/* Those of ex. NULL: no memory. */
struct cf__timers *cf__timers_new(cf_executor *ex, cf__expired_fn *expired);

/* Ends the thread; from that thread itself (a callback), once it is idle. */
void cf__timers_free(struct cf__timers *timers);

/*
 * Makes sure that the thread runs and that there is room for f: before f is
 * submitted, so that nothing can fail later. CF_ENOMEM, CF_ESYS.
 */
cf_err cf__timers_reserve(struct cf__timers *timers);

/* Gives the room back: f will not run. */
void cf__timers_unreserve(struct cf__timers *timers);

/* f, which has room, has begun to run, or may have. A second start changes
 * nothing. */
void cf__timers_start(struct cf__timers *timers, cf_future *f);

/* In expired(f): f may go on until deadline_ns. */
void
cf__timers_again(struct cf__timers *timers, cf_future *f, int64_t deadline_ns);

/* f has ended, or never ran. After it, expired(f) is not called any more, and the room is
 * given back; it may still be under way. */
void cf__timers_stop(struct cf__timers *timers, cf_future *f);

/* expired() is being called, in another thread. */
bool cf__timers_in_callback(struct cf__timers *timers);

/* Waits until it has returned, if it is called in another thread. CF_OK,
 * CF_ETIMEDOUT. */
cf_err cf__timers_await_callback(struct cf__timers *timers,
                                 int64_t deadline_ns);

/* In a fork's child: no thread, no deadlines. */
void cf__timers_after_fork(struct cf__timers *timers);

#endif
