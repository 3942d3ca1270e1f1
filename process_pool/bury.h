/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. A worker has ended, or could not be forked.
 */
#ifndef CF_PROCESS_POOL_BURY_H
#define CF_PROCESS_POOL_BURY_H

#include "process_pool/pool.h"

void cf__processes_bury(struct cf__processes *pool,
                        const struct cf__zygote_report *end);

/* For this long a pool without any worker tries to fork one, before it
 * breaks. */
extern int64_t cf__spawn_patience_ns; /* changed by tests */

/* The zygote could not fork a worker for that lane. error: an errno. */
void
cf__processes_spawn_failed(struct cf__processes *pool, int index, int error);

#endif
