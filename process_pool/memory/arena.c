/* SPDX-License-Identifier: MIT */
/* The arena: one lock around small blocks and runs of pages. See arena.h. */
#include "process_pool/memory/arena.h"

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/contract.h"
#include "lib/base/large.h"
#include "process_pool/memory/room.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TRIM_PAGES = 64 << 10,       /* at most, in one system call */
    FILL_MIN = 64 << 10,         /* bytes: less is filled page by page */
    HUGE_MIN = 2 * CF__HUGE_PAGE /* bytes: there is a whole one in it */
};

static size_t
round_up(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

cf_err
cf__arena_init(struct cf__arena *a, void *base, size_t size)
{
    size_t system_page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = size >> CF__PAGE_SHIFT;
    if ((uintptr_t)base % system_page != 0 || count == 0 ||
        count >= CF__NO_PAGE)
        return CF_EINVAL;
    uint32_t pages = (uint32_t)count;
    size_t runs_size = round_up(cf__runs_memory_size(pages), CF__PAGE_SIZE);
    a->memory_size = runs_size + cf__small_memory_size(pages);
    a->memory = cf__room_take(a->memory_size, MAP_PRIVATE);
    if (!a->memory)
        return CF_ENOMEM;
    /* The table is written in places that lie apart: small pages take less
     * memory. */
    (void)madvise(a->memory, a->memory_size, MADV_NOHUGEPAGE);
    a->base = base;
    a->size = count << CF__PAGE_SHIFT;
    a->private = false;
    cf_store_relaxed(&a->huge, false); /* no other thread knows it yet */
    a->trimming = false;
    a->held = CF__NO_PAGE;
    cf__runs_init(&a->runs, a->memory, pages);
    cf__small_init(&a->small, (char *)a->memory + runs_size, &a->runs, a->base);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->unheld, NULL);
    return CF_OK;
}

void
cf__arena_fini(struct cf__arena *a)
{
    pthread_cond_destroy(&a->unheld);
    pthread_mutex_destroy(&a->lock);
    munmap(a->memory, a->memory_size);
}

static char *
address(const struct cf__arena *a, uint32_t page)
{
    return a->base + ((size_t)page << CF__PAGE_SHIFT);
}

static uint32_t
page_of(const struct cf__arena *a, const void *p)
{
    return (uint32_t)((size_t)((const char *)p - a->base) >> CF__PAGE_SHIFT);
}

static void *
take_pages_locked(struct cf__arena *a, size_t size, bool keep_dirty)
{
    size_t pages = round_up(size, CF__PAGE_SIZE) >> CF__PAGE_SHIFT;
    uint32_t first = cf__runs_take(&a->runs, (uint32_t)pages, keep_dirty);
    return first == CF__NO_PAGE ? NULL : address(a, first);
}

static void *
take_locked(struct cf__arena *a, size_t size, bool keep_dirty)
{
    if (size <= CF__SMALL_MAX)
        return cf__small_alloc(&a->small, size);
    return take_pages_locked(a, size, keep_dirty);
}

/* Joins all that is free: only after that it is certain that there is no
 * room. */
static void *
take_last_locked(struct cf__arena *a, size_t size, bool keep_dirty)
{
    for (;;) {
        cf__small_give_slabs(&a->small);
        cf__runs_bin_recent(&a->runs);
        void *p = take_locked(a, size, keep_dirty);
        if (!p && size <= CF__SMALL_MAX) /* no slab: so it gets a page */
            p = take_pages_locked(a, size, keep_dirty);
        if (p || a->held == CF__NO_PAGE)
            return p;
        (void)cf__cond_wait(&a->unheld, &a->lock, CF__NEVER);
    }
}

/* size: 1 .. a->size */
static inline void *
alloc_locked(struct cf__arena *a, size_t size, bool keep_dirty)
{
    void *p = take_locked(a, size, keep_dirty);
    return p ? p : take_last_locked(a, size, keep_dirty);
}

void *
cf__arena_alloc(struct cf__arena *a, size_t size)
{
    size += size == 0;
    if (size > a->size)
        return NULL;
    pthread_mutex_lock(&a->lock);
    void *p = alloc_locked(a, size, false);
    pthread_mutex_unlock(&a->lock);
    return p;
}

/* A run of pages that is a block begins at p. */
static bool
is_run_locked(const struct cf__arena *a, const void *p)
{
    return (uintptr_t)p % CF__PAGE_SIZE == 0 &&
           cf__run_kind(&a->runs, page_of(a, p)) == CF__RUN_USED;
}

static size_t
run_size_locked(const struct cf__arena *a, const void *p)
{
    return (size_t)a->runs.table[page_of(a, p)].pages << CF__PAGE_SHIFT;
}

/* Most pages of the run were not used since they last came from the system.
 * Clears the run's dirty bits. */
static bool
is_fresh_locked(struct cf__arena *a, const void *p)
{
    uint32_t at = page_of(a, p), dirty = 0, count;
    const uint32_t pages = a->runs.table[at].pages, end = at + pages;
    while ((count = cf__runs_next_dirty(&a->runs, &at, end)) != 0) {
        dirty += count;
        at += count;
    }
    return dirty < pages / 2;
}

void *
cf__arena_alloc_to_fill(struct cf__arena *a, size_t size)
{
    if (size < FILL_MIN || size > a->size)
        return cf__arena_alloc(a, size);
    pthread_mutex_lock(&a->lock);
    void *p = alloc_locked(a, size, true);
    const bool fresh = p && is_fresh_locked(a, p);
    pthread_mutex_unlock(&a->lock);
    if (!fresh)
        return p;
    size = round_up(size, CF__PAGE_SIZE);
    if (size >= HUGE_MIN && cf__large_ask(p, size))
        /* pairs with trim: that undoes it */
        cf_store_release(&a->huge, true);
    cf__large_populate(p, size);
    return p;
}

/* Clears the dirty pages of a run. */
static void
clear_run(struct cf__arena *a, void *p, size_t size)
{
    uint32_t at = page_of(a, p), count;
    uint32_t end = at + (uint32_t)(size >> CF__PAGE_SHIFT);
    do {
        pthread_mutex_lock(&a->lock);
        count = cf__runs_next_dirty(&a->runs, &at, end);
        pthread_mutex_unlock(&a->lock);
        memset(address(a, at), 0, (size_t)count << CF__PAGE_SHIFT);
        at += count;
    } while (count);
}

void *
cf__arena_alloc_zeroed(struct cf__arena *a, size_t size)
{
    size += size == 0;
    if (size > a->size)
        return NULL;
    pthread_mutex_lock(&a->lock);
    void *p = alloc_locked(a, size, true);
    size_t run_size = 0;
    if (p && is_run_locked(a, p))
        run_size = run_size_locked(a, p);
    pthread_mutex_unlock(&a->lock);
    if (run_size)
        clear_run(a, p, run_size);
    else if (p)
        memset(p, 0, size);
    return p;
}

static size_t
size_locked(const struct cf__arena *a, const void *p)
{
    if (is_run_locked(a, p))
        return run_size_locked(a, p);
    return cf__small_size(&a->small, p);
}

static size_t
free_locked(struct cf__arena *a, const void *p)
{
    if (!is_run_locked(a, p))
        return cf__small_free(&a->small, p);
    size_t size = run_size_locked(a, p);
    cf__runs_give(&a->runs, page_of(a, p));
    return size;
}

size_t
cf__arena_free(struct cf__arena *a, void *p)
{
    if (!p)
        return 0;
    size_t size = 0;
    if (cf__arena_contains(a, p, 1)) {
        pthread_mutex_lock(&a->lock);
        size = free_locked(a, p);
        pthread_mutex_unlock(&a->lock);
    }
    cf__contract(size, "no block in use begins at a freed pointer");
    return size;
}

size_t
cf__arena_size(struct cf__arena *a, const void *p)
{
    if (!cf__arena_contains(a, p, 1))
        return 0;
    pthread_mutex_lock(&a->lock);
    size_t size = size_locked(a, p);
    pthread_mutex_unlock(&a->lock);
    return size;
}

void
cf__arena_set_private(struct cf__arena *a)
{
    a->private = true;
}

bool
cf__arena_contains(const struct cf__arena *a, const void *p, size_t size)
{
    /* if p is below: huge */
    uintptr_t offset = (uintptr_t)p - (uintptr_t)a->base;
    return offset < a->size && size <= a->size - offset;
}

/* Of the bytes given, gives the whole pages of the system back to it. */
static size_t
give_to_system(char *begin, size_t size, int advice)
{
    size_t unit = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = round_up((uintptr_t)begin, unit);
    uintptr_t to = ((uintptr_t)begin + size) & ~(uintptr_t)(unit - 1);
    if (from >= to)
        return 0;
    char *p = begin + (from - (uintptr_t)begin);
    return madvise(p, to - from, advice) == 0 ? to - from : 0;
}

/* Lets the lock go during the system call. */
static size_t
trim_held_locked(struct cf__arena *a, uint32_t first)
{
    char *begin = address(a, first);
    size_t size = run_size_locked(a, begin);
    a->held = first;
    pthread_mutex_unlock(&a->lock);
    size_t given =
        give_to_system(begin, size, a->private ? MADV_DONTNEED : MADV_REMOVE);
    pthread_mutex_lock(&a->lock);
    cf__runs_unhold(&a->runs, first, given == size);
    a->held = CF__NO_PAGE;
    pthread_cond_broadcast(&a->unheld);
    return given;
}

size_t
cf__arena_trim(struct cf__arena *a)
{
    size_t bytes = 0;
    uint32_t first;
    pthread_mutex_lock(&a->lock);
    bool begins = !a->trimming;
    if (begins) {
        a->trimming = true;
        cf__small_give_slabs(&a->small);
        cf__runs_bin_recent(&a->runs);
        cf__runs_trim_begin(&a->runs);
    }
    while (begins && cf__runs_trim_next(&a->runs, TRIM_PAGES, &first)) {
        if (first != CF__NO_PAGE)
            bytes += trim_held_locked(a, first);
        pthread_mutex_unlock(&a->lock); /* threads that wait have it now */
        pthread_mutex_lock(&a->lock);
    }
    if (begins)
        a->trimming = false;
    pthread_mutex_unlock(&a->lock);
    /* Else the system makes huge pages of what is left, in the background, and
     * so takes again what has gone. Pairs with cf__arena_alloc_to_fill(). */
    if (bytes && cf_exchange_acq_rel(&a->huge, false))
        (void)madvise(a->base, a->size, MADV_NOHUGEPAGE);
    return bytes;
}

void
cf__arena_check(struct cf__arena *a)
{
#ifdef CF_ASSERTIONS
    pthread_mutex_lock(&a->lock);
    cf__runs_check(&a->runs);
    cf__small_check(&a->small);
    cf__assert(
        a->held == CF__NO_PAGE ||
        (a->trimming && cf__run_kind(&a->runs, a->held) == CF__RUN_HELD));
    pthread_mutex_unlock(&a->lock);
#else
    (void)a;
#endif
}
