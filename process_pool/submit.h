/* SPDX-License-Identifier: MIT */
/* Operations of the executor, while its pool runs. */
#ifndef CF_PROCESS_POOL_SUBMIT_H
#define CF_PROCESS_POOL_SUBMIT_H

#include "process_pool/pool.h"

cf_err cf__processes_submit(cf_executor *ex,
                            cf_future *oldest,
                            cf_future *newest,
                            size_t count);

/* Asks the next service to drop cancelled tasks. The caller is in the middle of
 * a cancel, whose end the lock's holder may wait for: so this takes no lock. */
cf_future *cf__processes_tidy(cf_executor *ex, uint64_t canceled);

void cf__processes_stats(cf_executor *ex, cf_stats *out);

void *cf__processes_shared_alloc(cf_executor *ex, size_t size);
void cf__processes_shared_free(cf_executor *ex, void *p);
bool cf__processes_is_shared(cf_executor *ex, const void *p, size_t size);

#endif
