/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. From the lanes to the futures.
 */
#ifndef CF_PROCESS_POOL_COLLECT_H
#define CF_PROCESS_POOL_COLLECT_H

#include "process_pool/pool.h"

void cf__processes_collect(struct cf__processes *pool,
                           struct cf__process_lane *lane,
                           int64_t now);

/* Sets when the manager is to give free memory back, counting from now. */
void cf__processes_trim_later(struct cf__processes *pool, int64_t now);

/* The task f has failed; it was at the lane's oldest position, which has left
 * the lane. */
void cf__processes_fail(struct cf__processes *pool,
                        struct cf__process_lane *lane,
                        cf_future *f,
                        const cf_error *error);

#endif
