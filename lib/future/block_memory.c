/* SPDX-License-Identifier: MIT */
/* Chunks and their pages: see block_memory.h. The depot's lock guards all but a
 * struct cf__block_sort, which one thread has. */
#include "lib/future/block_memory.h"

#include "lib/base/large.h"
#include "lib/base/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CHUNK_MIN = 384 << 10, /* bytes of the first chunk, in small pages: to use
                              them all costs less than a huge page does */
    CHUNK_SECOND = CF__HUGE_PAGE, /* of the second one. Each next one is twice
                                     as large ... */
    CHUNK_MAX = 32 << 20,         /* ... up to this size */
    AHEAD_FIRST = 64 << 10,       /* of the first chunk, so much comes page by
                                     page: most programs need no more */
    AHEAD_PART = 4,               /* then a quarter of what is in use is
                                     populated at once ... */
    AHEAD_MAX = 128 << 10         /* ... up to this size */
};

/* The header of a chunk: at its start, in pages of its own. */
struct chunk {
    struct chunk *next;   /* the one mapped before it. Set once */
    size_t size;          /* set once */
    size_t first;         /* the first page that has blocks. Set once */
    bool huge;            /* it has asked for huge pages. Set once */
    uint8_t given_back[]; /* for each page, 1: no block is there */
};

static struct {
    struct chunk *first;
    size_t given_back;    /* how many pages are given back */
    struct chunk *cursor; /* where the search for such a page goes on */
    char *fresh;          /* memory that is not cut yet */
    size_t fresh_size;
    char *populated; /* of the fresh memory, what is before it is populated */
    size_t blocks;   /* how many are cut, and not given back */
    size_t page_size;
} memory;

static size_t
page_size(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    return size < 4096 ? 4096 : size;
}

size_t
cf__block_count_locked(void)
{
    return memory.blocks;
}

static size_t
next_chunk_size_locked(size_t least)
{
    if (!memory.first)
        return least;
    size_t size = memory.first->size * 2;
    return size < CHUNK_SECOND ? CHUNK_SECOND
           : size > CHUNK_MAX  ? CHUNK_MAX
                               : size;
}

static bool
new_chunk_locked(void)
{
    const size_t page = page_size();
    const size_t least = CHUNK_MIN < 2 * page ? 2 * page : CHUNK_MIN;
    const bool first = !memory.first;
    size_t size = next_chunk_size_locked(least);
    bool huge;
    char *start = cf__large_map(size, &huge);
    while (!start && size > least) { /* a limit: what is there will do */
        size = size / 2 < least ? least : size / 2;
        start = cf__large_map(size, &huge);
    }
    if (!start)
        return false;
    struct chunk *chunk = (struct chunk *)(void *)start;
    memory.page_size = page;
    chunk->huge = huge;
    chunk->size = size;
    chunk->first = (sizeof *chunk + size / page + page - 1) / page;
    chunk->next = memory.first;
    memory.first = chunk;
    memory.fresh = start + chunk->first * page;
    memory.fresh_size = size - chunk->first * page;
    memory.populated = first ? start + AHEAD_FIRST : memory.fresh;
    return true;
}

/* Makes the next run of pages that were given back the fresh memory. A long one
 * comes in huge pages again. */
static void
reuse_pages_locked(void)
{
    const size_t page = memory.page_size;
    for (;; memory.cursor = memory.cursor->next) {
        if (!memory.cursor)
            memory.cursor = memory.first;
        struct chunk *chunk = memory.cursor;
        for (size_t i = chunk->first; i < chunk->size / page; i++) {
            if (!chunk->given_back[i])
                continue;
            memory.fresh = memory.populated = (char *)chunk + i * page;
            for (; i < chunk->size / page && chunk->given_back[i]; i++) {
                chunk->given_back[i] = 0;
                memory.given_back--;
                memory.fresh_size += page;
            }
            if (chunk->huge && memory.fresh_size >= CHUNK_SECOND)
                (void)madvise(memory.fresh, memory.fresh_size, MADV_HUGEPAGE);
            return;
        }
    }
}

/* The memory before fresh is going to be used, and some behind it soon. */
static struct cf__ahead
look_ahead_locked(void)
{
    struct cf__ahead ahead = {memory.populated, 0};
    if (memory.fresh <= memory.populated)
        return ahead;
    const char *end = memory.fresh + memory.fresh_size;
    size_t more = memory.blocks * sizeof(cf_future) / AHEAD_PART;
    more = more < AHEAD_MAX ? more / memory.page_size * memory.page_size
                            : AHEAD_MAX;
    ahead.size = cf__whole_pages((size_t)(memory.fresh - memory.populated));
    if (ahead.size < more)
        ahead.size = more;
    if (ahead.size > (size_t)(end - memory.populated))
        ahead.size = (size_t)(end - memory.populated);
    memory.populated += ahead.size;
    return ahead;
}

unsigned
cf__block_cut_locked(unsigned count,
                     cf_future **blocks,
                     struct cf__ahead *ahead)
{
    ahead->size = 0;
    if (memory.fresh_size == 0 && memory.given_back)
        reuse_pages_locked();
    if (memory.fresh_size == 0 && !new_chunk_locked())
        return 0;
    size_t size = count * sizeof **blocks;
    if (size > memory.fresh_size)
        size = memory.fresh_size;
    *blocks = (cf_future *)(void *)memory.fresh;
    memory.blocks += size / sizeof **blocks;
    memory.fresh += size;
    memory.fresh_size -= size;
    *ahead = look_ahead_locked();
    return (unsigned)(size / sizeof **blocks);
}

void
cf__block_memory_forget(void)
{
    memory.first = memory.cursor = NULL;
    memory.given_back = 0;
    memory.fresh_size = 0;
}

/* --- giving back ---------------------------------------------------------- */

struct place {
    struct chunk *chunk;
    uint16_t *counts; /* for each page: how many blocks of the list it has */
};

struct cf__block_sort {
    size_t page_size, full; /* full: how many blocks a page has */
    size_t chunks;
    struct place *last; /* of the block that was looked up last */
    struct place places[];
};

static int
by_address(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct place *)a)->chunk;
    uintptr_t right = (uintptr_t)((const struct place *)b)->chunk;
    return left < right ? -1 : left > right;
}

struct cf__block_sort *
cf__block_sort_begin_locked(void)
{
    size_t chunks = 0, pages = 0;
    for (struct chunk *c = memory.first; c; c = c->next) {
        chunks++;
        pages += c->size / memory.page_size;
    }
    if (chunks == 0)
        return NULL;
    struct cf__block_sort *sort =
        calloc(1, sizeof *sort + chunks * sizeof sort->places[0]);
    uint16_t *counts = calloc(pages, sizeof *counts);
    if (!sort || !counts) {
        free(sort);
        free(counts);
        return NULL;
    }
    sort->page_size = memory.page_size;
    sort->full = memory.page_size / sizeof(cf_future);
    sort->chunks = chunks;
    struct place *at = sort->places;
    for (struct chunk *c = memory.first; c; c = c->next, at++)
        at->chunk = c;
    qsort(sort->places, chunks, sizeof sort->places[0], by_address);
    for (size_t i = 0; i < chunks; i++) {
        sort->places[i].counts = counts;
        counts += sort->places[i].chunk->size / memory.page_size;
    }
    sort->last = &sort->places[0];
    return sort;
}

/* The count of the page that f is on; NULL: f is in no known chunk. */
static uint16_t *
count_of(struct cf__block_sort *sort, const cf_future *f)
{
    uintptr_t offset = (uintptr_t)f - (uintptr_t)sort->last->chunk;
    if (offset >= sort->last->chunk->size) {
        size_t low = 0, high = sort->chunks; /* finds the last one below f */
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if ((uintptr_t)sort->places[middle].chunk <= (uintptr_t)f)
                low = middle;
            else
                high = middle;
        }
        sort->last = &sort->places[low];
        offset = (uintptr_t)f - (uintptr_t)sort->last->chunk;
        if (offset >= sort->last->chunk->size)
            return NULL;
    }
    return &sort->last->counts[offset / sort->page_size];
}

void
cf__block_sort_count(struct cf__block_sort *sort, const cf_future *f)
{
    uint16_t *count = count_of(sort, f);
    if (count)
        ++*count;
}

bool
cf__block_sort_is_gone(struct cf__block_sort *sort, const cf_future *f)
{
    const uint16_t *count = count_of(sort, f);
    return count && *count == sort->full;
}

size_t
cf__block_sort_give_back(struct cf__block_sort *sort)
{
    size_t given = 0;
    for (size_t k = 0; k < sort->chunks; k++) {
        const struct place *at = &sort->places[k];
        size_t pages = at->chunk->size / sort->page_size;
        for (size_t i = at->chunk->first, end; i < pages; i = end + 1) {
            for (end = i; end < pages && at->counts[end] == sort->full; end++)
                continue;
            if (end > i) {
                /* May fail, for locked memory: then the page is only free. */
                (void)madvise((char *)at->chunk + i * sort->page_size,
                              (end - i) * sort->page_size,
                              MADV_DONTNEED);
            }
            given += end - i;
        }
    }
    return given;
}

void
cf__block_sort_end_locked(struct cf__block_sort *sort)
{
    for (size_t k = 0; k < sort->chunks; k++) {
        const struct place *at = &sort->places[k];
        const size_t pages = at->chunk->size / sort->page_size;
        const size_t before = memory.given_back;
        for (size_t i = at->chunk->first; i < pages; i++) {
            if (at->counts[i] != sort->full)
                continue;
            at->chunk->given_back[i] = 1;
            memory.given_back++;
            memory.blocks -= sort->full;
        }
        /* Else the system makes huge pages of what is left, in the background,
         * and so takes all of the memory again. */
        if (at->chunk->huge && memory.given_back > before)
            (void)madvise(at->chunk, at->chunk->size, MADV_NOHUGEPAGE);
    }
    free(sort->places[0].counts);
    free(sort);
}
