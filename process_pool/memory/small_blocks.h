/* SPDX-License-Identifier: MIT */
/*
 * Under the arena's lock, all of it. Blocks of up to CF__SMALL_MAX bytes, cut
 * from slabs: runs of 64 KiB that have blocks of one size. What is known of a
 * slab is beside the range, as in page_runs.h.
 *
 * Each size has a stack of blocks at hand. The block that was freed last is
 * given out next, and most of the time no more is done. If the stack is empty,
 * it is filled from a slab; if it is full, its lower half goes back to the
 * slabs.
 */
#ifndef CF_PROCESS_POOL_SMALL_BLOCKS_H
#define CF_PROCESS_POOL_SMALL_BLOCKS_H

#include "process_pool/memory/page_runs.h"

#define CF__SMALL_MAX ((size_t)3584) /* bytes; a larger block takes pages */
#define CF__NO_SLAB UINT32_MAX

enum {
    CF__SMALL_UNIT = 64,  /* bytes: all sizes and addresses are multiples of
                             it */
    CF__SMALL_SIZES = 19, /* 64, 128, 192, 256, then four for each doubling */
    CF__SLAB_PAGES = 16,
    CF__SLAB_WORDS = 16,  /* for one bit each of 1024 blocks */
    CF__SMALL_STACK = 128 /* blocks at hand, of each size */
};

/*
 * A block is live (the user's), vacant (in its slab) or neither (on the stack
 * of its size). Invariants:
 *  - no block is both live and vacant; bits after the slab's last block are 0;
 *  - vacant_count is the number of vacant blocks;
 *  - a slab is in the list of its size exactly if some of its blocks are vacant
 *    and some are not; if all are, it is the spare of its size, which has one.
 */
struct cf__slab {
    uint32_t first;      /* the first page of its run */
    uint32_t next, prev; /* in the list */
    uint16_t vacant_count;
    uint16_t size_index;
    struct {
        uint64_t live, vacant;
    } words[CF__SLAB_WORDS];
};

/* A block on the stack: it is there once, and neither live nor vacant. */
struct cf__small_ref {
    uint32_t slab, block;
};

struct cf__small_size {
    uint32_t slabs; /* the first of the list */
    uint32_t spare; /* or CF__NO_SLAB */
    uint32_t count; /* on the stack */
};

struct cf__small {
    struct cf__runs *runs;
    char *base; /* where the range begins */
    /* A slab's number is its first page / CF__SLAB_PAGES: no two slabs begin in
     * the same CF__SLAB_PAGES pages. */
    struct cf__slab *slabs;
    struct cf__small_ref (*stacks)[CF__SMALL_STACK]; /* of each size */
    struct cf__small_size sizes[CF__SMALL_SIZES];
};

/* Bytes of memory that the small blocks of a range of page_count pages need. */
size_t cf__small_memory_size(uint32_t page_count);

/* memory is aligned and zero; it remains the caller's. */
void cf__small_init(struct cf__small *small,
                    void *memory,
                    struct cf__runs *runs,
                    char *base);

/* Gives out a block of size (1 .. CF__SMALL_MAX) bytes. NULL: no memory, at
 * least not for a slab. */
void *cf__small_alloc(struct cf__small *small, size_t size);

/* The bytes of the live block that begins at p, an address in the range; 0:
 * none begins there. */
size_t cf__small_size(const struct cf__small *small, const char *p);

/* Frees that block. Returns its bytes; 0: no live block begins at p. */
size_t cf__small_free(struct cf__small *small, const char *p);

/* Empties the stacks and gives back all slabs that have no live block. */
void cf__small_give_slabs(struct cf__small *small);

/* Asserts that the small blocks are whole, of as many slabs. */
void cf__small_check(const struct cf__small *small);

#endif
