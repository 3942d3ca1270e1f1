/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. When the manager must look next, and the
 * signals that it sends to workers then.
 */
#ifndef CF_PROCESS_POOL_ALARM_H
#define CF_PROCESS_POOL_ALARM_H

#include "process_pool/pool.h"

/* Wakes the manager for another look, if it sleeps. */
void cf__processes_ring(struct cf__processes *pool);

/* What has begun now may need the manager before it would wake: rings, if
 * so. */
void cf__processes_set_alarm(struct cf__processes *pool, int64_t now);

/* Sends the worker a signal at that time, if its task at that position still
 * runs then; for CF__ANY_POSITION in any case. */
void cf__processes_kill_later(struct cf__processes *pool,
                              struct cf__process_lane *lane,
                              uint64_t position,
                              int signo,
                              int64_t at);

/* Sends the signal of a lane, if it is due. */
void cf__processes_send_due_signal(struct cf__processes *pool,
                                   struct cf__process_lane *lane,
                                   int64_t now);

#endif
