/* SPDX-License-Identifier: MIT */
/*
 * The memory that blocks are cut from: large chunks, mapped one after another,
 * never unmapped. A chunk is made of pages. A page that has no block, or only
 * free ones, can be given back: it takes no memory until blocks are cut from it
 * again, and reads as zero; somebody may still look at a block that was freed a
 * moment ago.
 *
 * All that is _locked is called with the depot's lock (block.c).
 */
#ifndef CF_LIB_FUTURE_BLOCK_MEMORY_H
#define CF_LIB_FUTURE_BLOCK_MEMORY_H

#include "lib/future/future.h"

/* Cuts at most count new blocks that lie in one piece; returns how many. 0: no
 * memory. */
unsigned cf__block_cut_locked(unsigned count, cf_future **blocks);

/* How many blocks there are, on pages that have not been given back. */
size_t cf__block_count_locked(void);

struct cf__block_sort;

/*
 * Finds out which pages have only blocks of a list that its owner walks twice,
 * without the lock but for begin and end. begin: NULL if there is no memory for
 * that. count: each block. give_back: after all; returns how many pages. is_gone:
 * the block is on one of them, and not to be used any more.
 */
struct cf__block_sort *cf__block_sort_begin_locked(void);
void cf__block_sort_count(struct cf__block_sort *sort, const cf_future *f);
bool cf__block_sort_is_gone(struct cf__block_sort *sort, const cf_future *f);
size_t cf__block_sort_give_back(struct cf__block_sort *sort);
void cf__block_sort_end_locked(struct cf__block_sort *sort);

/* In a fork's child, where this may be half changed: the chunks stay as they
 * are. */
void cf__block_memory_forget(void);

#endif
