/* SPDX-License-Identifier: MIT */
/*
 * lib/base/large.h: arrays of any size are zero and whole, with huge pages and
 * without, and where a limit leaves little room.
 */
#include "lib/base/large.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LARGE = 3 * CF__HUGE_PAGE + 100 };

static bool
is_zero(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return false;
    return true;
}

static void
check_array(size_t size)
{
    unsigned char *p = cf__large_calloc(size);
    cr_assert_not_null(p, "%zu bytes", size);
    cr_assert(is_zero(p, size), "%zu bytes", size);
    memset(p, 1, size);
    cf__large_free(p, size);
    p = cf__large_malloc(size);
    cr_assert_not_null(p, "%zu bytes", size);
    memset(p, 1, size);
    cf__large_free(p, size);
}

Test(large, arrays_of_all_sizes_are_zero_and_whole)
{
    static const size_t sizes[] = {
        1, 4096, CF__HUGE_PAGE - 1, CF__HUGE_PAGE, CF__HUGE_PAGE + 1, LARGE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_array(sizes[i]);
    cf__large_free(NULL, 8);
    cf__large_free(NULL, LARGE);
}

Test(large, a_mapping_begins_where_a_huge_page_can)
{
    bool huge;
    for (int i = 0; i < 5; i++) {
        char *p = cf__large_map(CF__HUGE_PAGE, &huge);
        cr_assert((uintptr_t)p % CF__HUGE_PAGE == 0);
        p[0] = p[CF__HUGE_PAGE - 1] = 1;
    }
    char *small = cf__large_map(65536, &huge);
    cr_assert(small && !huge);
    cr_assert(munmap(small, 65536) == 0);
}

Test(large, the_environment_can_refuse_huge_pages)
{
    bool huge = true;
    setenv("CF_HUGE_PAGES", "0", 1);
    cr_assert_not_null(cf__large_map(CF__HUGE_PAGE, &huge));
    cr_assert_not(huge);
    check_array(LARGE);
}

/* So many of these pages have memory. */
static size_t
pages_there(void *start, size_t size)
{
    static unsigned char pages[CF__HUGE_PAGE / 4096];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = 0;
    cr_assert(mincore(start, size, pages) == 0);
    for (size_t i = 0; i < size / page; i++)
        count += pages[i] & 1;
    return count;
}

Test(large, populated_memory_is_there)
{
    enum { SIZE = 1 << 20, POPULATE_WRITE = 23 };
    bool huge;
    unsigned char *p = cf__large_map(SIZE, &huge);
    cr_assert_not_null(p);
    if (madvise(p, 4096, POPULATE_WRITE) != 0)
        cr_skip("the system has no MADV_POPULATE_WRITE");
    errno = EDOM;
    cf__large_populate(p + SIZE / 2, SIZE / 4);
    cr_assert(pages_there(p + SIZE / 2, SIZE / 4) ==
              (size_t)(SIZE / 4 / sysconf(_SC_PAGESIZE)));
    cr_assert(pages_there(p + SIZE / 4 * 3, SIZE / 4) == 0);
    cr_assert(is_zero(p, SIZE));
    /* What is not mapped is no error. */
    cr_assert(munmap(p, SIZE) == 0);
    cf__large_populate(p, SIZE);
    cr_assert(errno == EDOM, "errno is the program's");
}

/* The program may have so many more bytes of addresses. */
static void
leave_room(size_t more)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    const rlim_t limit = pages * 4096 + more;
    cr_assert(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
}

Test(large, an_array_fits_where_its_alignment_does_not)
{
    enum { SIZE = 64 << 20 };
    leave_room(SIZE + CF__HUGE_PAGE / 2);
    unsigned char *p = cf__large_calloc(SIZE);
    cr_assert_not_null(p);
    cr_assert(is_zero(p, SIZE));
    cr_assert_null(cf__large_calloc(SIZE));
    cf__large_free(p, SIZE);
    p = cf__large_malloc(SIZE);
    cr_assert_not_null(p);
    cf__large_free(p, SIZE);
}
