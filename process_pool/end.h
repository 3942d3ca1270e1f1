/* SPDX-License-Identifier: MIT */
/* The ends of a pool, and what a fork's child keeps of it. */
#ifndef CF_PROCESS_POOL_END_H
#define CF_PROCESS_POOL_END_H

#include "process_pool/pool.h"

void cf__processes_refuse_locked(struct cf__processes *pool, cf_err why);

/* Refuses submits. Tasks that have not begun are failed by the manager. */
void cf__processes_break_locked(struct cf__processes *pool,
                                const cf_error *why);

/* Operations of the executor. */
cf_err cf__processes_wait_idle(cf_executor *ex, int64_t deadline_ns);
cf_executor_phase cf__processes_phase(cf_executor *ex);
cf_err
cf__processes_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns);
cf_err cf__processes_terminate(cf_executor *ex, int signo);
void cf__processes_destroy(cf_executor *ex);
void cf__processes_after_fork(cf_executor *ex);

#endif
