/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of running tasks, and delays of deferred ones. An executor has one
 * timer thread, which the first task that has a timeout or a delay starts. It
 * sleeps until the next deadline. If one of its callbacks waits, it serves
 * (server.h), so that the deadlines of other tasks hold.
 */
#ifndef CF_LIB_EXECUTOR_TIMERS_H
#define CF_LIB_EXECUTOR_TIMERS_H

#include "lib/base/export.h"
#include "lib/future/future.h"

struct cf__timers;

/* Called in the timer thread when f's deadline has passed. The caller has a
 * handle of f. */
typedef void cf__expired_fn(cf_future *f);

/* NULL: no memory. */
struct cf__timers *cf__timers_new(cf_executor *ex, cf__expired_fn *expired);

/* Ends the thread. If that thread itself calls it, in a callback, the thread
 * ends, and frees timers, after its callbacks. */
void cf__timers_free(struct cf__timers *timers);

/*
 * Makes sure that the thread runs and that there is room for one more task.
 * Comes before the task is submitted, so that nothing can fail later.
 * CF_ENOMEM, CF_ESYS.
 */
cf_err cf__timers_reserve(struct cf__timers *timers);

/* Gives the room back: the task was not submitted. */
void cf__timers_unreserve(struct cf__timers *timers);

/* f, for which there is room, has begun to run, or may have. A second start
 * changes nothing. */
void cf__timers_start(struct cf__timers *timers, cf_future *f);

/* f, for which there is room, waits: at deadline_ns, due(f) is called as
 * expired(f) would be. The room stays f's. */
void cf__timers_delay(struct cf__timers *timers,
                      cf_future *f,
                      void (*due)(cf_future *f),
                      int64_t deadline_ns);

/* In expired(f): f may go on until deadline_ns. */
void
cf__timers_again(struct cf__timers *timers, cf_future *f, int64_t deadline_ns);

/* f has ended, or never ran. Gives the room back. expired(f) is not called any
 * more from now on, but a call of it may still be under way. */
void cf__timers_stop(struct cf__timers *timers, cf_future *f);

/* The timer thread, which is not the calling one, is in expired(). */
bool cf__timers_in_callback(struct cf__timers *timers);

/* Waits until the timer thread, if it is not the calling one, is not in
 * expired(). CF_OK, CF_ETIMEDOUT. */
cf_err cf__timers_await_callback(struct cf__timers *timers,
                                 int64_t deadline_ns);

/* Asserts that the timers are whole (lib/base/assert.h). Takes their lock. */
void cf__timers_check(struct cf__timers *timers);

/* In a fork's child: no thread, no deadlines. */
CF__EXPORT void cf__timers_after_fork(struct cf__timers *timers);

#endif
