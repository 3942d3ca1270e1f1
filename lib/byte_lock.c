/* SPDX-License-Identifier: MIT */
/* Waiting for a byte lock: see byte_lock.h. */
#include "lib/byte_lock.h"

#include <sched.h>

enum { PAUSES = 32 }; /* about a microsecond */

void
cf__byte_lock_wait(atomic_uchar *lock)
{
    do {
        /* Gives the holder time, who may well want it again soon: so the cache
         * line does not go to and fro each time. */
        for (int pauses = 0; pauses < PAUSES; pauses++)
            cf_relax();
        while (cf_load_relaxed(lock)) /* looks only, for the same reason */
            sched_yield();
    } while (cf_exchange_acquire(lock, 1)); /* pairs with unlock */
}
