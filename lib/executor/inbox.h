/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a queue: what was pushed and nobody has looked at yet, oldest
 * first. Many push, under a lock of a few instructions; one at a time takes
 * out, which is the caller's business. README.md has the protocol.
 *
 * It holds pointers, in blocks, and not the tasks' own links: a taker would
 * wait for the cache line of each task before it knew the next one.
 */
#ifndef CF_LIB_EXECUTOR_INBOX_H
#define CF_LIB_EXECUTOR_INBOX_H

#include "lib/base/lock.h"
#include "lib/future/future.h"

struct cf__inbox_block;

struct cf__inbox {
    /* Guards what follows, to pushed. */
    _Alignas(CF_CACHE_LINE) struct cf__lock lock;
    /* Atomic. Nothing is accepted. May be read without the lock by who can bear
     * that it changes. */
    atomic_bool closed;
    uint16_t used; /* slots of the last block; without one: all */
    struct cf__inbox_block *last;
    /* Atomic. Writer: the lock's holder. Tasks ever pushed. */
    _Atomic uint64_t pushed;

    /* The taker's. The first push sets first, which is atomic for who forks. */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__inbox_block *) first;
    cf_future *chain; /* the rest of a chain; NULL: none */
    unsigned next;    /* slot of the first block */
    unsigned limit;   /* its slots end there */
    /* A sweep under way: it has written to this block, which it follows ...
     * NULL: it begins with the first one */
    struct cf__inbox_block *swept;
    struct cf__inbox_block *sweep_end; /* ... up to this. NULL: there is none */
    /* Atomic. An empty block that the taker leaves to the pushers. */
    _Atomic(struct cf__inbox_block *) spare;
};

/* Begins closed. */
void cf__inbox_init(struct cf__inbox *inbox);
void cf__inbox_fini(struct cf__inbox *inbox);

/* Pushes a chain of count, linked from the oldest to the newest. Begins with an
 * atomic read-modify-write, from which on the inbox is busy, and ends with plain
 * stores. CF_ESHUTDOWN: it is closed; CF_ENOMEM. */
cf_err cf__inbox_push(struct cf__inbox *inbox,
                      cf_future *oldest,
                      cf_future *newest,
                      size_t count);

/* Something is being pushed, perhaps. Who reads pushed behind this finds in it
 * what was pushed before. */
static inline bool
cf__inbox_is_busy(struct cf__inbox *inbox)
{
    return cf__lock_is_held(&inbox->lock);
}

/* Lets pushes through, or not from now on. */
void cf__inbox_set_closed(struct cf__inbox *inbox, bool closed);

/* Closes only if no more than taken were ever pushed. */
bool cf__inbox_close_after(struct cf__inbox *inbox, uint64_t taken);

/* Takes the oldest out, the tasks from .. end - 1 ever pushed, into a ring of
 * ring_size slots, a power of two. The caller has seen in pushed (acquire) that
 * they are there, and is the only one who takes. Returns where it ended: at end,
 * or before, where tasks have been swept out. */
uint64_t cf__inbox_take(struct cf__inbox *inbox,
                        uint64_t from,
                        uint64_t end,
                        _Atomic(cf_future *) *ring,
                        size_t ring_size);

/* If the oldest have been swept out: how many, and they are past. The taker. */
uint64_t cf__inbox_skip(struct cf__inbox *inbox);

/*
 * Sweeps out tasks that are no longer pending, a part of the inbox at a time,
 * from the oldest to those that were pushed when it began. The taker. begin:
 * begins anew if no sweep is under way. Returns how many, linked in *swept, for
 * the caller to drop.
 */
size_t cf__inbox_sweep(struct cf__inbox *inbox, bool begin, cf_future **swept);

/* A sweep is under way. The taker. */
static inline bool
cf__inbox_sweeps(const struct cf__inbox *inbox)
{
    return inbox->sweep_end != NULL;
}

/* Asserts that the inbox is whole (lib/base/assert.h): of the tasks ever pushed,
 * those from the place taken on are in it or among its gaps. Looks at some
 * thousands of the oldest. The taker. */
void cf__inbox_check(struct cf__inbox *inbox, uint64_t taken, uint64_t gaps);

/* In a fork's child: closed, and nothing is taken any more. The tasks are the
 * parent's; the blocks stay until cf__inbox_fini(). */
void cf__inbox_after_fork(struct cf__inbox *inbox);

#endif
