/* SPDX-License-Identifier: MIT */
/* The service that the holder of a pool's lock does. */
#ifndef CF_PROCESS_POOL_SERVICE_H
#define CF_PROCESS_POOL_SERVICE_H

#include "process_pool/lock.h"

/* The counterpart of cf__processes_lock(): does the service that another thread
 * has asked for meanwhile, unlocks, and starts over if one has been asked for
 * since. */
void cf__processes_unlock_serving(struct cf__processes *pool);

/* Serves: collects what has ended and hands out what is queued. Runs no user
 * code, and waits for no other thread. */
void cf__processes_serve_locked(struct cf__processes *pool);

/* Has a service done: by this thread, or by the one that has the lock. */
void cf__processes_attend(struct cf__processes *pool);

/* No task is queued or runs, and no user code is being called for one. */
bool cf__processes_is_idle_locked(struct cf__processes *pool);

#endif
