/* SPDX-License-Identifier: MIT */
/*
 * Where a worker crashed: handlers of the signals of a crash note the address
 * in its lane, and then have the crash happen as if they were not there.
 */
#ifndef CF_PROCESS_POOL_CRASH_H
#define CF_PROCESS_POOL_CRASH_H

#include "process_pool/memory/layout.h"

/* In the zygote: workers inherit the handlers. A signal that the program
 * ignores gets none. */
void cf__crash_watch(void);

/* In a new worker, which has one thread: its crashes are noted in out, which it
 * can write to soon. A child that it forks notes none. */
void cf__crash_enter(struct cf__lane_out *out);

#endif
