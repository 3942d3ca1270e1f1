/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a queue: the tasks that were pushed and have not been moved to
 * the ring, oldest first. Many threads push, under a lock of a few
 * instructions. One thread at a time takes tasks out, the *taker*: the caller
 * sees to that. README.md, "The queue", has the protocol.
 *
 * It holds pointers, in blocks. It does not use the tasks' own links, because a
 * taker would wait for the cache line of each task before it knew the next one.
 */
#ifndef CF_LIB_EXECUTOR_INBOX_H
#define CF_LIB_EXECUTOR_INBOX_H

#include "lib/base/export.h"
#include "lib/base/lock.h"
#include "lib/future/future.h"

struct cf__inbox_block;

/* So many that a block, with what malloc needs, fills a span. */
enum { CF__INBOX_SLOTS = 508 };

struct cf__inbox {
    /* Guards what follows, up to pushed. */
    _Alignas(CF_CACHE_LINE) struct cf__lock lock;
    /* Atomic. true: pushes are refused. Without the lock it is a hint. */
    atomic_bool closed;
    uint16_t used; /* slots of the last block; all, if there is no block */
    struct cf__inbox_block *last;
    /* Atomic. Tasks ever pushed. Writer: the lock's holder. Readers: all. */
    _Atomic uint64_t pushed;

    /* Only the taker uses what follows, but the first push sets first. first is
     * atomic for a fork's child. */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__inbox_block *) first;
    unsigned next;  /* the next slot of the first block */
    unsigned limit; /* the end of that block's slots */
    /* A sweep that is under way writes to swept and reads what comes after that
     * block. NULL: it begins with the first block */
    struct cf__inbox_block *swept;
    struct cf__inbox_block
        *sweep_end; /* it ends there. NULL: there is no sweep */
    /* Atomic. An empty block that the taker leaves for the next push. */
    _Atomic(struct cf__inbox_block *) spare;
};

/* Begins closed. */
void cf__inbox_init(struct cf__inbox *inbox);
void cf__inbox_fini(struct cf__inbox *inbox);

/* Pushes a chain of count tasks, linked from the oldest on. It begins with an
 * atomic read-modify-write, after which the inbox is busy, and ends with plain
 * stores. CF_ESHUTDOWN: the inbox is closed; CF_ENOMEM. */
CF__EXPORT cf_err cf__inbox_push(struct cf__inbox *inbox,
                                 cf_future *oldest,
                                 size_t count);

/* This thread's next so many pushes to any inbox, of CF__INBOX_SLOTS tasks each
 * at most, need no memory. false: there is none. */
bool cf__inbox_reserve(size_t pushes);

/* What was reserved and not used goes back. */
void cf__inbox_unreserve(void);

/* A push may be under way. A load of pushed that comes after this look finds
 * what was pushed before it. */
static inline bool
cf__inbox_is_busy(struct cf__inbox *inbox)
{
    return cf__lock_is_held(&inbox->lock);
}

/* From now on pushes are refused (closed), or accepted. */
void cf__inbox_set_closed(struct cf__inbox *inbox, bool closed);

/* Closes only if exactly taken tasks were ever pushed. */
bool cf__inbox_close_after(struct cf__inbox *inbox, uint64_t taken);

/* The taker moves the oldest tasks, those of the places from .. end - 1, to a
 * ring of ring_size slots, a power of two. It has seen in pushed (acquire) that
 * they are there. Returns where it ended: at end, or before, at a gap. */
uint64_t cf__inbox_take(struct cf__inbox *inbox,
                        uint64_t from,
                        uint64_t end,
                        _Atomic(cf_future *) *ring,
                        size_t ring_size);

/* The taker passes the gap that comes next, if one does. Returns how many
 * places it has, or 0. */
uint64_t cf__inbox_skip(struct cf__inbox *inbox);

/*
 * The taker sweeps out tasks that are no longer pending: a part of the inbox at
 * each call, from the oldest task to the newest one that was there when the
 * sweep began. begin: if no sweep is under way, begins one. Returns how many
 * tasks it swept out. They are linked in *swept, and the caller drops them.
 */
size_t cf__inbox_sweep(struct cf__inbox *inbox, bool begin, cf_future **swept);

/* A sweep is under way. For the taker. */
static inline bool
cf__inbox_sweeps(const struct cf__inbox *inbox)
{
    return inbox->sweep_end != NULL;
}

/* The taker asserts that the inbox is whole (lib/base/assert.h): of the tasks
 * ever pushed, those from the place taken on are in it, or in its gaps, which
 * have that many places. It looks at some thousands of the oldest. */
void cf__inbox_check(struct cf__inbox *inbox, uint64_t taken, uint64_t gaps);

/* In a fork's child: the inbox is closed, and no task is taken any more. The
 * tasks are the parent's. The blocks stay until cf__inbox_fini(). */
void cf__inbox_after_fork(struct cf__inbox *inbox);

#endif
