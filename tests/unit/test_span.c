/* SPDX-License-Identifier: MIT */
/*
 * Spans (lib/future/block.h): memory that is cut from the pages of blocks, used
 * again as spans and as blocks, and given back.
 */
#include "lib/base/sanitizers.h"
#include "lib/future/block.h"

#include "tests/unit/resident.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

enum {
    SPANS = 12000, /* 47 MiB */
    BLOCKS = SPANS * CF__SPAN_BLOCKS
};

static cf_future *blocks[BLOCKS];
static unsigned char *spans[SPANS];

/* Fills each with a number of its own. */
static void
allocate_spans(void)
{
    for (size_t i = 0; i < SPANS; i++) {
        spans[i] = cf__span_alloc();
        cr_assert_not_null(spans[i]);
        cr_assert((uintptr_t)spans[i] % CF__SPAN_SIZE == 0);
        memset(spans[i], (int)(i % 251), CF__SPAN_SIZE);
    }
}

static void
allocate_blocks(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = cf__block_alloc();
        cr_assert_not_null(blocks[i]);
        cr_assert(blocks[i]->word == 0, "a free block has no handle");
        memset(blocks[i]->arg, 255, sizeof blocks[i]->arg);
    }
}

static bool
span_is_whole(size_t i)
{
    for (size_t k = 0; k < CF__SPAN_SIZE; k++)
        if (spans[i][k] != i % 251)
            return false;
    return true;
}

Test(span, a_span_is_no_other_ones_memory)
{
    cr_assert_not_null(cf__block_alloc());
    allocate_spans();
    allocate_blocks();
    cf__block_check();
    for (size_t i = 0; i < SPANS; i++)
        cr_assert(span_is_whole(i), "span %zu", i);
}

Test(span, free_spans_are_used_again_first_as_spans_then_for_blocks)
{
    allocate_spans();
    const long full = resident_mib();
    for (size_t i = 0; i < SPANS; i++)
        cf__span_free(spans[i]);
    cf__block_check();
    allocate_spans();
    cr_assert(resident_mib() <= full + 4, "%ld MiB", resident_mib());
    for (size_t i = 0; i < SPANS; i++)
        cf__span_free(spans[i]);
    memset(blocks, 0, sizeof blocks); /* the array's memory is there */
    const long before = resident_mib();
    allocate_blocks();
    cr_assert(resident_mib() <= before + 4, "%ld MiB", resident_mib());
    cf__block_check();
}

Test(span, spans_of_a_burst_go_back_but_for_a_reserve)
{
    enum { USED = 100 }; /* each so many-th stays in use */
    memset(spans, 0, sizeof spans);
    const long before = resident_mib();
    allocate_spans();
    const long used = resident_mib() - before;
    cr_assert(used >= 45);
    for (size_t i = 0; i < SPANS; i++)
        if (i % USED)
            cf__span_free(spans[i]);
    cr_assert(cf__block_may_trim());
    cf__block_trim();
    cf__block_check();
    cr_assert_not(cf__block_may_trim());
    const long left = resident_mib() - before;
    /* AddressSanitizer keeps a byte for each eight that were used. */
    const long shadow = CF__ADDRESS_SANITIZER ? used / 8 : 0;
    cr_assert(left <= 8 + shadow, "%ld MiB", left);
    for (size_t i = 0; i < SPANS; i += USED)
        cr_assert(span_is_whole(i), "span %zu", i);
}

#ifdef CF_ASSERTIONS
Test(span, one_that_does_not_begin_where_it_can_is_found, .signal = SIGABRT)
{
    cf__span_free((char *)cf__span_alloc() + sizeof(cf_future));
    cf__block_check();
}
#endif
