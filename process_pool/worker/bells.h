/* SPDX-License-Identifier: MIT */
/*
 * A worker and the two bells: it rings the manager's (bell.h), and it sleeps on
 * its own, which the program rings (cf__lane_nudge).
 */
#ifndef CF_PROCESS_POOL_BELLS_H
#define CF_PROCESS_POOL_BELLS_H

#include "process_pool/memory/shared.h"

struct cf__bells {
    const struct cf__shared *shared;
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    uint32_t rung; /* the manager's sleep for which this worker has rung */
};

/* Wakes the manager, once for each of its sleeps. */
void cf__bells_ring(struct cf__bells *bells);

/* Sleeps until must_rise(data). */
void cf__bells_sleep(struct cf__bells *bells,
                     bool (*must_rise)(void *data),
                     void *data);

#endif
