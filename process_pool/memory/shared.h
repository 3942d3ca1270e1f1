/* SPDX-License-Identifier: MIT */
/*
 * The memory that a pool's processes share: one reservation of address space,
 * made before the first fork. So a pointer into it means the same in all of
 * them.
 *
 *   board | lanes, written by the program | lanes, written by the workers |
 *   outboxes: results | parcels: large arguments | bell |
 *   commons: cf_shared_alloc()
 *
 * A worker may write its own lane and outbox, the bell and the commons. The
 * rest it can only read, and other workers' lanes and outboxes it cannot even
 * read. What is where in parcels and commons is known to the program alone
 * (arena.h).
 *
 * Apart from it is the vault, which the workers do not have: large results, as
 * the program's users get them. Results in their hands keep all of it mapped,
 * even after the pool.
 */
#ifndef CF_PROCESS_POOL_SHARED_H
#define CF_PROCESS_POOL_SHARED_H

#include "process_pool/memory/arena.h"
#include "process_pool/memory/bell.h"
#include "process_pool/memory/layout.h"

struct cf__shared {
    /* Set once. */
    int lanes;
    unsigned char *base;
    size_t size;
    struct cf__board *board;
    struct cf__bell *bell;
    unsigned char *lanes_in, *lanes_out, *outboxes;
    size_t lane_in_stride, lane_out_stride; /* bytes, whole pages */
    size_t outbox_size;                     /* bytes, of each */
    size_t vault_size;                      /* bytes, at most */

    struct cf__arena parcels, commons, vault;

    uint16_t generation; /* of the process that made it. Set once */
    /* Atomic. How many use it: the pool, and each result that a user holds. */
    _Atomic uint64_t users;
};

/* Reserves up to size bytes each for parcels, commons and every outbox. It
 * reserves less if that and the vault would be more than a pool may take
 * (room.h), or if the system refuses. NULL: not even a little can be had, or no
 * memory. */
struct cf__shared *cf__shared_new(int lanes, size_t size);

/* After the zygote was forked: children that are forked later do not have
 * it. */
void cf__shared_keep(const struct cf__shared *shared);

/* After the zygote was forked: makes the vault. CF_ENOMEM. */
cf_err cf__shared_open_vault(struct cf__shared *shared);

/* There is one user less. The last one frees it. */
void cf__shared_release(struct cf__shared *shared);

/* In the zygote: gives up writing to all that workers must not write. */
bool cf__shared_restrict(const struct cf__shared *shared);

/* In the zygote, before that: maps what workers write a second time, read only.
 * Children do not have that mapping. NULL: it cannot be made. */
const unsigned char *cf__shared_view_lanes_out(const struct cf__shared *shared);

/* In a worker, after that: makes its own lane and outbox writable. */
bool cf__shared_enter_lane(const struct cf__shared *shared, int lane);

/* In a child: unmaps what is another process's. */
void cf__shared_unmap(const struct cf__shared *shared);

static inline struct cf__lane_in *
cf__shared_lane_in(const struct cf__shared *shared, int lane)
{
    return (struct cf__lane_in *)(void *)(shared->lanes_in +
                                          (size_t)lane *
                                              shared->lane_in_stride);
}

static inline struct cf__lane_out *
cf__shared_lane_out(const struct cf__shared *shared, int lane)
{
    return (struct cf__lane_out *)(void *)(shared->lanes_out +
                                           (size_t)lane *
                                               shared->lane_out_stride);
}

static inline unsigned char *
cf__shared_outbox(const struct cf__shared *shared, int lane)
{
    return shared->outboxes + (size_t)lane * shared->outbox_size;
}

#endif
