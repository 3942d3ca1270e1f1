/* SPDX-License-Identifier: MIT */
/*
 * Under the arena's lock, all of it. Pages of a range of address space, given
 * out in runs.
 *
 * Nothing here looks into the range. A run is known by the number of its first
 * page, and all that is known of it is in a table beside the range, with an
 * entry for each page. The table is as long as the range has pages, but only
 * entries that are written take memory.
 *
 * A run that is given back keeps its size at first, among the recent runs, and
 * the next request for as many pages finds it there: its memory is still in the
 * caches and in the page tables. When there are too many, the oldest of the
 * recent join their free neighbours and go to the bins: lists by size, eight
 * for each doubling.
 */
#ifndef CF_PROCESS_POOL_PAGE_RUNS_H
#define CF_PROCESS_POOL_PAGE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CF__PAGE_SHIFT 12
#define CF__PAGE_SIZE ((size_t)1 << CF__PAGE_SHIFT)
#define CF__NO_PAGE UINT32_MAX

enum {
    CF__RUN_BINS = 240,  /* 1 .. 15 pages, then 8 for each power of two */
    CF__RUNS_RECENT = 32 /* runs that keep their size after they were given
                            back */
};

/* The kind of a run, in the entry of its first page. */
enum cf__run_kind {
    CF__RUN_NONE,   /* not the first page of any run */
    CF__RUN_FREE,   /* in the bin of its size */
    CF__RUN_RECENT, /* free, among the recent */
    CF__RUN_USED,   /* a block */
    CF__RUN_SLAB,   /* small blocks: small_blocks.h */
    CF__RUN_HELD    /* being trimmed */
};

/*
 * Invariants:
 *  - the runs tile the range: run r ends where the run r + table[r].pages
 *    begins, or the range ends;
 *  - pages is the run's length in the entries of its first and its last page;
 *    elsewhere it means nothing;
 *  - kind is not CF__RUN_NONE exactly in the entries of first pages;
 *  - two FREE runs are never neighbours.
 */
struct cf__page {
    uint32_t pages;
    uint32_t kind; /* enum cf__run_kind */
    uint32_t next; /* of a FREE run: the next in its bin. Of every page of a
                      SLAB: the run's first page. Elsewhere it means nothing */
    uint32_t prev; /* of a FREE run: the one before. Elsewhere it means
                      nothing */
};

/*
 * A page is dirty if it may hold something other than zeros. Invariants:
 *  - if a page of a FREE or HELD run is dirty, its bit is set;
 *  - in a RECENT or SLAB run all pages count as dirty, and no bit is set;
 *  - in a USED run no bit is set; but while cf__arena_alloc_zeroed() clears it,
 *    the bits of the pages that are still to be cleared are;
 *  - no bit at or after dirty_end was ever set.
 */
struct cf__runs {
    struct cf__page *table;
    uint64_t *dirty;
    uint32_t count;     /* pages in the range; set once */
    uint32_t dirty_end; /* grows only */
    /* A trim goes through the runs in the order of their addresses. */
    uint32_t cursor;    /* always the first page of a run */
    uint32_t trim_from; /* dirty pages before it have been tried */
    /* The recent runs, the oldest first. */
    uint32_t recent_count;
    uint32_t recent_pages[CF__RUNS_RECENT];
    uint32_t recent_first[CF__RUNS_RECENT];
    /* The lists of FREE runs. If a list is not empty, its bit in bin_map is
     * set. */
    uint64_t bin_map[(CF__RUN_BINS + 63) / 64];
    uint32_t bins[CF__RUN_BINS];
};

/* Bytes of memory that the runs of a range of count pages need. */
size_t cf__runs_memory_size(uint32_t count);

/* memory is aligned and zero; it remains the caller's. */
void cf__runs_init(struct cf__runs *runs, void *memory, uint32_t count);

/*
 * Takes a run of pages (not 0) pages; it is USED then. keep_dirty: its dirty
 * bits are kept, or set, to tell which pages are dirty; otherwise they are
 * cleared. CF__NO_PAGE: there is none, at least not before
 * cf__runs_bin_recent().
 */
uint32_t cf__runs_take(struct cf__runs *runs, uint32_t pages, bool keep_dirty);

/* Gives a USED or SLAB run back. */
void cf__runs_give(struct cf__runs *runs, uint32_t first);

/* Moves all recent runs to the bins. */
void cf__runs_bin_recent(struct cf__runs *runs);

/* Frees a run that a trim held, as the first of its bin. zero: its pages are
 * zero now. */
void cf__runs_unhold(struct cf__runs *runs, uint32_t first, bool zero);

/* Begins a trim. There is one at a time. */
void cf__runs_trim_begin(struct cf__runs *runs);

/*
 * Finds the next dirty free pages to trim, at most max_pages, and makes them a
 * HELD run. false: there are no more. If *first is CF__NO_PAGE, it has passed
 * many runs: the caller should let others have the lock, and then call again.
 */
bool
cf__runs_trim_next(struct cf__runs *runs, uint32_t max_pages, uint32_t *first);

/*
 * Finds the first dirty pages from *first to end - 1, all in a USED run: clears
 * their bits and sets *first. Returns how many; 0: there are none.
 */
uint32_t
cf__runs_next_dirty(struct cf__runs *runs, uint32_t *first, uint32_t end);

/* The kind of the run that begins at page at; CF__RUN_NONE: none begins
 * there. */
static inline uint32_t
cf__run_kind(const struct cf__runs *runs, uint32_t at)
{
    return runs->table[at].kind;
}

/* Asserts that the runs are whole (lib/base/assert.h); if there are very many,
 * those at the lowest addresses. */
void cf__runs_check(const struct cf__runs *runs);

#endif
