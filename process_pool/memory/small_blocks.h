/* SPDX-License-Identifier: MIT */
/*
 * Blocks of up to CF__SMALL_MAX bytes, cut from slabs: runs of 64 KiB that
 * have blocks of one size. What is known of a slab is beside the range, as in
 * page_runs.h. Every function wants the arena's lock held.
 *
 * Each size has a stack of blocks at hand: the last freed is the next given,
 * and most of the time nothing else is done. An empty stack is filled from a
 * slab, the lower half of a full one goes back to the slabs.
 */
#ifndef CF_PROCESS_POOL_SMALL_BLOCKS_H
#define CF_PROCESS_POOL_SMALL_BLOCKS_H

#include "process_pool/memory/page_runs.h"

#define CF__SMALL_MAX ((size_t)3584) /* bytes; more takes pages */
#define CF__NO_SLAB UINT32_MAX

enum {
    CF__SMALL_UNIT = 64,  /* bytes: sizes and addresses are multiples of it */
    CF__SMALL_SIZES = 19, /* 64, 128, 192, 256, then four for each doubling */
    CF__SLAB_PAGES = 16,
    CF__SLAB_WORDS = 16,  /* for a bit for each of 1024 blocks */
    CF__SMALL_STACK = 128 /* blocks at hand, of each size */
};

/*
 * A block is live (the user's), vacant (in its slab) or neither (on the stack
 * of its size). Invariants:
 *  - no block is live and vacant; blocks after the slab's last are neither;
 *  - vacant_count is the number of vacant blocks;
 *  - the slab is in its size's list exactly if some of its blocks are vacant,
 *    but not all; if all are, it is the size's spare, and there is one spare.
 */
struct cf__slab {
    uint32_t first;      /* page of the run */
    uint32_t next, prev; /* in the list */
    uint16_t vacant_count;
    uint16_t size_index;
    struct {
        uint64_t live, vacant;
    } words[CF__SLAB_WORDS];
};

/* A block on the stack: there once, and neither live nor vacant. */
struct cf__small_ref {
    uint32_t slab, block;
};

struct cf__small_size {
    uint32_t slabs; /* the list */
    uint32_t spare; /* or CF__NO_SLAB */
    uint32_t count; /* on the stack */
};

struct cf__small {
    struct cf__runs *runs;
    char *base; /* of the range */
    /* A slab has the number of its first page / CF__SLAB_PAGES: no two begin
     * in the same CF__SLAB_PAGES pages. */
    struct cf__slab *slabs;
    struct cf__small_ref (*stacks)[CF__SMALL_STACK]; /* of each size */
    struct cf__small_size sizes[CF__SMALL_SIZES];
};

/* Bytes of memory that the small blocks of so many pages want. */
size_t cf__small_memory_size(uint32_t page_count);

/* memory is aligned and zero; it remains the caller's. */
void cf__small_init(struct cf__small *small,
                    void *memory,
                    struct cf__runs *runs,
                    char *base);

/* Of 1 .. CF__SMALL_MAX bytes. NULL: no memory, at least for a slab. */
void *cf__small_alloc(struct cf__small *small, size_t size);

/* The bytes of the live block that begins at p, a page of the range; 0: there
 * is none. */
size_t cf__small_size(const struct cf__small *small, const char *p);

/* Frees it, likewise. */
size_t cf__small_free(struct cf__small *small, const char *p);

/* Gives all slabs back that have no live block. */
void cf__small_give_slabs(struct cf__small *small);

#endif
