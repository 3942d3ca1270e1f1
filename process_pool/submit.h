/* SPDX-License-Identifier: MIT */
/* Operations of the executor, of a pool that runs. */
#ifndef CF_PROCESS_POOL_SUBMIT_H
#define CF_PROCESS_POOL_SUBMIT_H

#include "process_pool/pool.h"

cf_err cf__processes_submit(cf_executor *ex,
                            cf_future *oldest,
                            cf_future *newest,
                            size_t count);

/* For the next service. The caller is in the middle of a cancel, whose end the
 * holder of the lock may wait for: so it takes no lock. */
void cf__processes_tidy(cf_executor *ex, uint64_t canceled);

void cf__processes_stats(cf_executor *ex, cf_stats *out);

void *cf__processes_shared_alloc(cf_executor *ex, size_t size);
void cf__processes_shared_free(cf_executor *ex, void *p);
bool cf__processes_is_shared(cf_executor *ex, const void *p, size_t size);

#endif
