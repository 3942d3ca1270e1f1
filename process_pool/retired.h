/* SPDX-License-Identifier: MIT */
/*
 * Where the memory of a pool comes from and goes to: it is never given back,
 * only used for another pool.
 */
#ifndef CF_PROCESS_POOL_RETIRED_H
#define CF_PROCESS_POOL_RETIRED_H

#include "process_pool/pool.h"

/* A pool that is not open; NULL: no memory. */
struct cf__processes *cf__processes_obtain(void);

/* Undoes what has been made of a pool. */
void cf__processes_dismantle(struct cf__processes *pool);

/* Frees what an ended pool has, and retires its memory. */
void cf__processes_free(struct cf__processes *pool);

#endif
