/* SPDX-License-Identifier: MIT */
/*
 * Where a pool's memory comes from and where it goes: it is never given back,
 * only used for another pool.
 */
#ifndef CF_PROCESS_POOL_RETIRED_H
#define CF_PROCESS_POOL_RETIRED_H

#include "process_pool/pool.h"

/* Memory for a pool, which is not open yet; NULL: no memory. */
struct cf__processes *cf__processes_obtain(void);

/* Undoes all that has been made of a pool, and retires its memory. */
void cf__processes_dismantle(struct cf__processes *pool);

/* Frees what a pool that has ended has, and retires its memory. */
void cf__processes_free(struct cf__processes *pool);

#endif
