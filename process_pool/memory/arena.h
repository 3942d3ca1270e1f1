/* SPDX-License-Identifier: MIT */
/*
 * Blocks in a range of address space that other processes see and may write to.
 * So the arena keeps nothing about the blocks there, and reads nothing there.
 * One process owns the arena. All that it knows is in its own memory, which is
 * reserved for the whole range and filled as the range is used.
 *
 * Blocks of up to CF__SMALL_MAX bytes come from slabs (small_blocks.h), larger
 * ones are runs of pages (page_runs.h). A block that is freed is the first to
 * be given out again for an equal size.
 */
#ifndef CF_PROCESS_POOL_ARENA_H
#define CF_PROCESS_POOL_ARENA_H

#include <cfutures/error.h>

#include "lib/base/atomic.h"
#include "process_pool/memory/page_runs.h"
#include "process_pool/memory/small_blocks.h"

#include <pthread.h>

struct cf__arena {
    /* Set once. */
    char *base;
    size_t size; /* bytes, whole pages */
    void *memory;
    size_t memory_size;
    /* Guards everything below. */
    pthread_mutex_t lock;
    pthread_cond_t unheld; /* the trim under way, if any, has let its run go */
    struct cf__runs runs;
    struct cf__small small;
    /* Atomic. Runs of the range may ask for huge pages. */
    atomic_bool huge;
    bool private; /* the mapping of the range is private */
    bool trimming;
    uint32_t held; /* the run whose memory a trim gives back to the system,
                      without the lock; or CF__NO_PAGE */
};

/*
 * Makes all of base .. base + size - 1 free. The memory there must be zero. It
 * must be a shared mapping (or see cf__arena_set_private()), or
 * cf__arena_trim() has no effect. It remains the caller's. Takes two system
 * calls, and later memory in proportion to what is used: about 1/120 of it.
 * CF_EINVAL: base is not at a page of the system, or size is less than a page,
 * or 16 TiB or more. CF_ENOMEM.
 */
cf_err cf__arena_init(struct cf__arena *a, void *base, size_t size);

/* After cf__arena_init(): says that the mapping is private. */
void cf__arena_set_private(struct cf__arena *a);

/* Blocks that are still in use are forgotten. */
void cf__arena_fini(struct cf__arena *a);

/*
 * Gives out a block of at least size bytes (for 0: of 1), at a multiple of 64;
 * from 4096 bytes on, at a page. NULL: there is no room. Any number of threads
 * may call it. It waits only if the only room is what a trim holds.
 */
void *cf__arena_alloc(struct cf__arena *a, size_t size);

/* The same, for a caller that is about to write all of the block. If most pages
 * of a large one are not there yet, they come at once, and huge ones if the
 * system has them. */
void *cf__arena_alloc_to_fill(struct cf__arena *a, size_t size);

/* As cf__arena_alloc(), and the bytes are zero. Clears, without the lock, only
 * the pages that were used since they last came from the system. If another
 * process wrote where no block was, that is not known, and not cleared. */
void *cf__arena_alloc_zeroed(struct cf__arena *a, size_t size);

/*
 * Frees a block, or nothing for NULL. Returns the bytes that the block had.
 * Breaks the contract if no block in use begins at p: it was freed before, or
 * is not of this arena.
 */
size_t cf__arena_free(struct cf__arena *a, void *p);

/* The bytes that the block at p has for use; 0: no block in use begins
 * there. */
size_t cf__arena_size(struct cf__arena *a, const void *p);

/* All of p .. p + size - 1 is in the range, in use or not. */
bool cf__arena_contains(const struct cf__arena *a, const void *p, size_t size);

/*
 * Gives the memory of free pages that were used back to the system, and returns
 * how many bytes. They read as zero then. What the system refuses is kept. The
 * lock is free during the system calls. If another thread is trimming: returns
 * 0.
 */
size_t cf__arena_trim(struct cf__arena *a);

/* Asserts that the arena is whole (lib/base/assert.h). Any thread. */
void cf__arena_check(struct cf__arena *a);

#endif
