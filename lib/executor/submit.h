/* SPDX-License-Identifier: MIT */
/* Submits for lib/many/: a block of memory as the argument, without a copy; a
 * task in two steps. And what many tasks in one submit need. */
#ifndef CF_LIB_EXECUTOR_SUBMIT_H
#define CF_LIB_EXECUTOR_SUBMIT_H

#include <cfutures/executor.h>

#include "lib/executor/defer.h"

/* As cf_submit(), but the argument is block, a block of cf__arg_alloc() that
 * belongs to the library from now on, also on error. at_once: does not wait for
 * room, and runs neither callbacks that are due nor the task: goes over the
 * bound. */
cf_err cf__submit_block(cf_executor *ex,
                        cf_task_fn *fn,
                        void *block,
                        size_t size,
                        bool at_once,
                        cf_future **out);

/* Makes the future of a task, which has so many handles: one is for the
 * executor's queue. No other thread knows it. attributes: it has some in any
 * case. terms: what the task says of a wait; if it is NULL, a task with a delay
 * is CF_ENOTSUP. */
cf_err cf__submit_prepare(cf_executor *ex,
                          const cf_task *task,
                          unsigned handles,
                          bool attributes,
                          struct cf__terms *terms,
                          cf_future **out);

/* Submits it, as cf_submit_task() does. On error it is discarded. *out, if out
 * is not NULL, is set before the task can run. */
cf_err cf__submit_prepared(cf_future *f, cf_future **out);

/* Or holds it back: from now on it is pending, over the bound, in a list of the
 * caller. Any thread may cancel it, and a wait may run it. Neither waits, nor
 * runs code of the user. */
cf_err cf__submit_hold(cf_future *f);

/* Gives it to the executor after all, whether it is still pending or not. On
 * error it is as before. */
cf_err cf__submit_held(cf_future *f);

/* Submits a chain of tasks that no other thread knows, linked by next from the
 * oldest to the newest: all or none. out, if not NULL, has count handles of the
 * user. If the thread is cancelled while it waits for room, the chain is
 * discarded, and out is all NULL. */
cf_err cf__submit_chain(cf_executor *ex,
                        cf_future *oldest,
                        cf_future *newest,
                        size_t count,
                        cf_future **out);

/* Frees such a chain. */
void cf__chain_discard(cf_future *oldest, const cf_future *newest);

/* There is no room now: a submit would wait for room, or run its task. */
bool cf__submit_would_wait(cf_executor *ex);

#endif
