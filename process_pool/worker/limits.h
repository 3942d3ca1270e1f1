/* SPDX-License-Identifier: MIT */
/* The memory limit of a worker. */
#ifndef CF_PROCESS_POOL_LIMITS_H
#define CF_PROCESS_POOL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

/* Lets the calling process add at most size bytes of private memory to what it
 * has; 0: no limit. false: the system refuses. Async-signal-safe. */
bool cf__limit_memory(size_t size);

#endif
