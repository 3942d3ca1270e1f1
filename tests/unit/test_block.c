/* SPDX-License-Identifier: MIT */
/*
 * lib/future/block.h: the caches and the depot know how large their batches
 * are, whichever thread allocated and whichever freed.
 */
#include "lib/future/block.h"

#include "tests/unit/resident.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MANY = 10 * CF__BLOCK_BATCH };

static cf_future *blocks[MANY];

static unsigned
length(const cf_future *f)
{
    unsigned count = 0;
    for (; f; f = atomic_load_explicit(&f->next, memory_order_relaxed))
        count++;
    return count;
}

/* The calling thread's cache has as many blocks as it counts. */
static void
check_cache(void)
{
    unsigned count = length(cf__thread.free_blocks);
    cr_assert(count == cf__thread.free_count,
              "%u blocks, %u counted",
              count,
              cf__thread.free_count);
}

static void
allocate(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        blocks[i] = cf__block_alloc();
        cr_assert_not_null(blocks[i]);
    }
    check_cache();
}

static void
release(size_t n)
{
    for (size_t i = 0; i < n; i++)
        cf__block_free(blocks[i]);
    check_cache();
}

/* --- threads, one after the other ----------------------------------------- */

static void *
only_allocate(void *n)
{
    allocate(*(size_t *)n);
    return NULL;
}

static void *
only_release(void *n)
{
    release(*(size_t *)n);
    return NULL;
}

static void
in_thread(void *(*fn)(void *), size_t n)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, fn, &n) == 0);
    cr_assert(pthread_join(thread, NULL) == 0);
}

Test(block, a_thread_counts_what_it_has)
{
    for (size_t n = 1; n <= MANY; n += 1 + n / 3) {
        allocate(n);
        release(n);
    }
}

Test(block, what_an_ended_thread_had_is_counted_by_the_next)
{
    for (size_t n = 1; n <= MANY; n += 1 + n / 3) {
        in_thread(only_allocate, n);
        in_thread(only_release, n);
    }
}

Test(block, batches_are_full_however_short_the_ones_before_were)
{
    for (int i = 0; i < 20; i++) {
        in_thread(only_allocate, 1);
        in_thread(only_release, 1); /* leaves a short one */
    }
    allocate(MANY);
    release(MANY);
    cr_assert(length(cf__thread.free_batch) == CF__BLOCK_BATCH,
              "%u blocks",
              length(cf__thread.free_batch));
}

/* --- reserved ------------------------------------------------------------- */

/* From now on the process gets no more memory from the system. */
static void
end_memory(void)
{
    const struct rlimit none = {0, 0};
    cr_assert(setrlimit(RLIMIT_AS, &none) == 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MEMORY_TEST(name) Test(block, name)
#else /* whose own memory would end, too */
#define MEMORY_TEST(name) __attribute__((unused)) static void name(void)
#endif

MEMORY_TEST(what_is_reserved_needs_no_memory)
{
    size_t more = 0;
    cr_assert(cf__block_reserve(MANY));
    end_memory();
    allocate(MANY);
    cr_assert_null(cf__thread.reserved_batches);
    while (cf__block_alloc())
        more++;
    cr_assert(more < 100 * (size_t)MANY); /* memory had come to an end */
}

MEMORY_TEST(a_reservation_that_fails_keeps_nothing)
{
    in_thread(only_allocate, 1); /* so there is a chunk */
    end_memory();
    cr_assert_not(cf__block_reserve(100 * (size_t)MANY));
    cr_assert_null(cf__thread.reserved_batches);
    cf__block_check();
    allocate(1); /* what it had taken is there again */
    release(1);
}

Test(block, what_was_reserved_and_not_used_goes_back)
{
    for (int i = 0; i < 3; i++) {
        allocate((size_t)i);
        cr_assert(cf__block_reserve(MANY));
        cr_assert_not_null(cf__thread.reserved_batches);
        cf__block_unreserve();
        cr_assert_null(cf__thread.reserved_batches);
        cf__block_check();
        release((size_t)i);
    }
}

static size_t
count_own(void)
{
    size_t count = cf__thread.free_count + length(cf__thread.free_batch);
    for (cf_future *batch = cf__thread.reserved_batches; batch;
         batch = batch->next_batch)
        count += length(batch);
    return count;
}

/* Else the cache would give its batch to the depot, for others. */
Test(block, what_was_reserved_stays_while_the_thread_frees_others)
{
    enum { PIECE = 64, OTHERS = 100, HAS = 2 * CF__BLOCK_BATCH - 1 };
    cf_future *others[OTHERS];
    for (int i = 0; i < OTHERS; i++)
        cr_assert_not_null(others[i] = cf__block_alloc());
    allocate(MANY);
    for (size_t i = 0; count_own() < HAS; i++)
        cf__block_free(blocks[i]);
    cr_assert(cf__thread.free_count == CF__BLOCK_BATCH - 1);
    cr_assert(cf__block_reserve(HAS));
    allocate(PIECE);
    for (int i = 0; i < OTHERS; i++)
        cf__block_free(others[i]);
    cr_assert(count_own() >= HAS - PIECE, "%zu blocks", count_own());
    cf__block_unreserve();
}

/* --- giving back --------------------------------------------------------- */

enum { BURST = 400000 }; /* 49 MiB */

static cf_future *burst[BURST];

static void
allocate_burst(void)
{
    for (size_t i = 0; i < BURST; i++) {
        burst[i] = cf__block_alloc();
        cr_assert_not_null(burst[i]);
        burst[i]->arg[0] = 1;
    }
}

/* Frees all but each so many-th. */
static void
release_burst(size_t but_each)
{
    for (size_t i = 0; i < BURST; i++)
        if (i % but_each)
            cf__block_free(burst[i]);
}

Test(block, memory_of_a_burst_goes_back_but_for_a_reserve)
{
    memset(burst, 0, sizeof burst);
    long before = resident_mib();
    for (int round = 0; round < 3; round++) {
        allocate_burst();
        long full = resident_mib();
        cr_assert(full - before >= 45, "%ld MiB", full - before);
        release_burst(BURST);
        cf__block_free(burst[0]);
        cr_assert(cf__block_may_trim());
        cf__block_trim();
        cr_assert_not(cf__block_may_trim());
        long left = resident_mib() - before;
        cr_assert(left <= 20, "%ld MiB", left);
    }
}

Test(block, what_is_in_use_stays_as_it_is)
{
    allocate_burst();
    release_burst(1000);
    cf__block_trim();
    for (size_t i = 0; i < BURST; i += 1000)
        cr_assert(burst[i]->arg[0] == 1, "block %zu", i);
    /* No allocation gives a block that is in use. */
    for (size_t i = 0; i < BURST; i += 1000)
        burst[i]->arg[0] = 2;
    for (size_t i = 0; i < BURST; i++)
        if (i % 1000) {
            burst[i] = cf__block_alloc();
            burst[i]->arg[0] = 3;
        }
    for (size_t i = 0; i < BURST; i += 1000)
        cr_assert(burst[i]->arg[0] == 2, "block %zu", i);
}

/* --- cf__block_check() ---------------------------------------------------- */

Test(block, a_cache_and_the_depot_are_whole)
{
    cf__block_check();
    allocate(MANY);
    cf__block_check();
    release(MANY);
    cf__block_check();
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which an assertion finds. */
#define BROKEN(what) Test(block, broken_##what, .signal = SIGABRT)

BROKEN(by_a_block_that_was_not_counted)
{
    allocate(10);
    cf__thread.free_count--;
    cf__block_check();
}

BROKEN(by_a_block_that_is_lost)
{
    allocate(10);
    cf_future *f = cf__thread.free_blocks;
    cf__thread.free_blocks = atomic_load(&f->next);
    cf__block_flush(); /* for the first time: only sets the limit */
    cf__block_flush();
}

BROKEN(by_a_batch_of_another_size)
{
    allocate(MANY);
    release(MANY);
    cr_assert_not_null(cf__thread.free_batch);
    atomic_fetch_sub(&cf__thread.free_batch->base, 1);
    cf__block_check();
}

BROKEN(by_a_batch_that_is_too_large)
{
    allocate(MANY);
    release(MANY);
    cr_assert_not_null(cf__thread.free_batch);
    atomic_store(&cf__thread.free_batch->base, CF__BLOCK_BATCH + 1);
    cf__block_check();
}

#endif

/* --- page faults ---------------------------------------------------------- */

enum { HUGE = 2 << 20, WRITTEN = 16 << 20 };

static long
faults(void)
{
    struct rusage usage;
    cr_assert(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

/* Page faults of writing to so much memory that wants huge pages. */
static long
faults_of_plain_memory(void)
{
    char *at = mmap(NULL,
                    WRITTEN + HUGE,
                    PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS,
                    -1,
                    0);
    cr_assert(at != MAP_FAILED);
    if (madvise(at, WRITTEN + HUGE, MADV_HUGEPAGE) != 0)
        cr_skip("the system has no huge pages");
    long before = faults();
    memset(at, 1, WRITTEN + HUGE);
    long count = faults() - before;
    munmap(at, WRITTEN + HUGE);
    return count;
}

Test(block, many_futures_come_in_huge_pages)
{
    const long plain = faults_of_plain_memory();
    if (plain > WRITTEN / 4096 / 4)
        cr_skip("the system has no huge page to give just now");
    long before = faults();
    for (size_t n = WRITTEN / sizeof(cf_future); n > 0; n--) {
        cf_future *f = cf__block_alloc();
        cr_assert_not_null(f);
        f->owned = 1;
    }
    long count = faults() - before;
    cr_assert(count < WRITTEN / 4096 / 4,
              "%ld page faults, plain memory has %ld",
              count,
              plain);
}

/* The system may (true) or must not make huge pages where f is. */
static bool
may_be_huge(const cf_future *f)
{
    char line[256];
    bool here = false, found = false, huge = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    cr_assert_not_null(smaps);
    while (!found && fgets(line, sizeof line, smaps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = from <= (uintptr_t)f && (uintptr_t)f < to;
        found = here && strncmp(line, "VmFlags:", 8) == 0;
        huge = found && strstr(line, " hg") != NULL;
    }
    fclose(smaps);
    cr_assert(found);
    return huge;
}

Test(block, what_went_back_is_not_taken_again_for_huge_pages)
{
    enum { EACH = HUGE / sizeof(cf_future), HALF = BURST / 2 };
    size_t huge = 0;
    allocate_burst();
    if (!may_be_huge(burst[HALF]))
        cr_skip("the system has no huge pages");
    /* Of the first half one block of each huge page stays. Of the second half
     * all go back, but for the reserve. */
    for (size_t i = 0; i < BURST; i++)
        if (i % EACH || i >= HALF)
            cf__block_free(burst[i]);
    cf__block_trim();
    for (size_t i = EACH; i < HALF; i += EACH)
        cr_assert_not(may_be_huge(burst[i]), "block %zu", i);
    for (size_t i = 0; i < BURST; i++)
        if (i % EACH || i >= HALF) {
            burst[i] = cf__block_alloc();
            cr_assert_not_null(burst[i]);
        }
    for (size_t i = 1; i < BURST; i += EACH)
        huge += may_be_huge(burst[i]);
    cr_assert(huge > 0, "a long run is used again in small pages");
}
