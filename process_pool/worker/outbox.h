/* SPDX-License-Identifier: MIT */
/*
 * The worker's side of results that do not fit into their outcome: its outbox,
 * a ring of bytes that is freed in the order in which it was filled.
 */
#ifndef CF_PROCESS_POOL_OUTBOX_H
#define CF_PROCESS_POOL_OUTBOX_H

#include "lib/executor/call.h"
#include "process_pool/worker/bells.h"

struct cf__outbox {
    struct cf__bells *bells;
    const _Atomic uint32_t *home; /* as cf_call.home */
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    uint64_t position; /* of the order that runs */

    /* Where the result of the running task is. */
    uint32_t kind; /* CF__IN_PLACE ... */
    size_t offset; /* in memory, unless it is in place */

    /* In use are the bytes from tail to at; or, if at is below tail, those from
     * tail to limit and from 0 to at. The limit is below the size, so that only
     * a part of the reservation is ever filled with memory. */
    unsigned char *memory;
    size_t at, tail, limit, size;
    /* Positions below it use nothing any more. At first: positions below it use
     * nothing once they have been collected. */
    uint64_t freed;
    size_t *begins; /* by position % CF__LANE: at, when the position began */
};

/* start: the position at which the worker begins. */
void cf__outbox_init(struct cf__outbox *box,
                     struct cf__bells *bells,
                     const _Atomic uint32_t *home,
                     int lane,
                     uint64_t start);

/* cf_call.alloc of the worker's tasks. */
void *cf__outbox_alloc(struct cf_call *call, size_t size);

/* Writes the outcome of a run that failed, or whose result is not in place. */
void cf__outbox_write_outcome(struct cf__outbox *box,
                              struct cf_call *call,
                              int rc,
                              struct cf__outcome *outcome);

/* Leaves a record of why the initializer failed. */
void cf__outbox_write_init_failure(struct cf__outbox *box,
                                   struct cf_call *call,
                                   int rc);

/* The worker is through with its order: it ran, or was revoked. */
static inline void
cf__outbox_next(struct cf__outbox *box)
{
    box->position++;
    box->begins[box->position % CF__LANE] = box->at;
}

#endif
