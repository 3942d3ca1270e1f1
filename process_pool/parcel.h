/* SPDX-License-Identifier: MIT */
/*
 * The worker's side of outcomes that do not fit into their entry: the outbox,
 * a ring of bytes that is freed in the order in which it was filled, and
 * grants, blocks that the program lends for one large result each. Also how a
 * worker sleeps and rings.
 */
#ifndef CF_PROCESS_POOL_PARCEL_H
#define CF_PROCESS_POOL_PARCEL_H

#include "process_pool/worker.h"

struct cf__packer {
    const struct cf__worker_setup *setup;
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    uint64_t position; /* of the order that runs */
    uint32_t rung;     /* the manager's sleep for which it has rung */

    /* Where the running task's result is: CF__IN_PLACE ... */
    uint32_t result;
    uint64_t offset;

    /* Bytes of the outbox ever used and freed; and used after each
     * position. */
    uint64_t filled, freed;
    uint64_t freed_position; /* positions below it are freed */
    uint64_t filled_after[CF__LANE];

    /* Of each grant: its number when it was used up, and when it was made
     * writable. */
    uint64_t used[CF__GRANTS], opened[CF__GRANTS];
};

void cf__packer_init(struct cf__packer *packer,
                     const struct cf__worker_setup *setup,
                     struct cf__lane_in *in,
                     struct cf__lane_out *out,
                     uint64_t start);

/* cf_call.alloc of the worker's tasks. */
void *cf__packer_alloc(struct cf_call *call, size_t size);

/* Writes the outcome of a run that failed, or whose result is not in place. */
void cf__packer_settle(struct cf__packer *packer,
                       struct cf_call *call,
                       int rc,
                       struct cf__outcome *outcome);

/* Leaves why the initializer failed. */
void cf__packer_init_failure(struct cf__packer *packer,
                             struct cf_call *call,
                             int rc);

/* The order that ran is done with, or was revoked. */
static inline void
cf__packer_next(struct cf__packer *packer)
{
    packer->filled_after[packer->position % CF__LANE] = packer->filled;
    packer->position++;
}

/* Wakes the manager, once for each of its sleeps. */
void cf__packer_ring(struct cf__packer *packer);

/* Sleeps until must_rise(data). */
void cf__packer_sleep(struct cf__packer *packer,
                      bool (*must_rise)(void *data),
                      void *data);

#endif
