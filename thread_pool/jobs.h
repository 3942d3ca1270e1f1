/* SPDX-License-Identifier: MIT */
/* The jobs of a worker, which other workers may take: jobs.c. */
#ifndef CF_THREAD_POOL_JOBS_H
#define CF_THREAD_POOL_JOBS_H

#include "thread_pool/pool.h"

/* Before a worker's first task. */
void cf__threads_init_jobs(struct cf__threads_worker *w);

/* The worker is going to wait: others may take all of its jobs. May call code
 * of the user (sweep.c). */
void cf__threads_share_all(struct cf__threads_worker *w);

#endif
