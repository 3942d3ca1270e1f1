/* SPDX-License-Identifier: MIT */
/* The end of a pool: end.c. */
#ifndef CF_THREAD_POOL_END_H
#define CF_THREAD_POOL_END_H

#include "thread_pool/pool.h"

/* Operations. */
cf_err cf__threads_wait_idle(cf_executor *ex, int64_t deadline_ns);
cf_err
cf__threads_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns);
cf_err cf__threads_terminate(cf_executor *ex, int signo);
cf_executor_phase cf__threads_phase(cf_executor *ex);
bool cf__threads_is_stalled(cf_executor *ex);
void cf__threads_destroy(cf_executor *ex);
void cf__threads_after_fork(cf_executor *ex);

/* No task can run here any more: the pool refuses submits, and what is pending
 * fails as this record says, which is the pool's from here on. The first one
 * stands. */
void cf__threads_break(struct cf__threads *pool, const cf_error *record);

/* Takes out all tasks: cancels what is pending, or fails it with why. */
void cf__threads_empty(struct cf__threads *pool, const cf_error *why);

/* Frees the pool, which no thread uses any more. */
void cf__threads_free(struct cf__threads *pool);

#endif
