/* SPDX-License-Identifier: MIT */
/*
 * The worker's side of outcomes that do not fit into their entry: its outbox,
 * a ring of bytes that is freed in the order in which it was filled. Also how
 * a worker sleeps and rings.
 */
#ifndef CF_PROCESS_POOL_PARCEL_H
#define CF_PROCESS_POOL_PARCEL_H

#include "process_pool/worker/worker.h"

struct cf__packer {
    const struct cf__worker_setup *setup;
    const _Atomic uint32_t *home; /* as cf_call.home */
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    uint64_t position; /* of the order that runs */
    uint32_t rung;     /* the manager's sleep for which it has rung */

    /* Where the running task's result is: CF__IN_PLACE ... */
    uint32_t result;
    size_t offset;

    /* The outbox. In use are the bytes from tail to at, or if at is below tail,
     * from tail to the limit and from 0 to at. The limit is below the size, so
     * that not all of the reservation is ever filled with memory. */
    unsigned char *outbox;
    size_t at, tail, limit, size;
    uint64_t freed; /* positions below it use nothing any more; at first, when
                       they have been collected */
    size_t begins[CF__LANE]; /* at, when the position began */
};

void cf__packer_init(struct cf__packer *packer,
                     const struct cf__worker_setup *setup,
                     const _Atomic uint32_t *home,
                     int lane,
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
    packer->position++;
    packer->begins[packer->position % CF__LANE] = packer->at;
}

/* Wakes the manager, once for each of its sleeps. */
void cf__packer_ring(struct cf__packer *packer);

/* Sleeps until must_rise(data). */
void cf__packer_sleep(struct cf__packer *packer,
                      bool (*must_rise)(void *data),
                      void *data);

#endif
