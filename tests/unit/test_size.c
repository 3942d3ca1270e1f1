/* SPDX-License-Identifier: MIT */
/* Arithmetic on sizes, at the ends of the range. */
#include "lib/base/size.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

Test(size, sums_are_exact_or_refused)
{
    size_t out;
    cr_assert(cf__size_add(3, 4, 5, &out) && out == 23);
    cr_assert(cf__size_add(0, 0, SIZE_MAX, &out) && out == 0);
    cr_assert(cf__size_add(CF__SIZE_MAX, 0, 1, &out) && out == CF__SIZE_MAX);
    cr_assert(cf__size_add(0, 1, CF__SIZE_MAX, &out) && out == CF__SIZE_MAX);
    cr_assert(!cf__size_add(1, 1, CF__SIZE_MAX, &out));
    cr_assert(!cf__size_add(0, 2, CF__SIZE_MAX, &out));
    cr_assert(!cf__size_add(0, 16, (size_t)1 << 60, &out), "2^64");
    cr_assert(!cf__size_add(SIZE_MAX, 1, 1, &out));
    cr_assert(cf__array_fits(CF__SIZE_MAX / 8, 8));
    cr_assert(!cf__array_fits(CF__SIZE_MAX / 8 + 1, 8));
}

Test(size, a_limit_of_the_process_counts)
{
    static const int resources[] = {RLIMIT_AS, RLIMIT_DATA};
    const size_t bytes = (size_t)1 << 28;
    cr_assert(cf__machine_holds(bytes));
    cr_assert(!cf__machine_holds(CF__SIZE_MAX));
    for (int i = 0; i < 2; i++) {
        struct rlimit before, low;
        cr_assert(getrlimit(resources[i], &before) == 0);
        low = before;
        low.rlim_cur = bytes - 1;
        cr_assert(setrlimit(resources[i], &low) == 0);
        bool holds = cf__machine_holds(bytes);
        cr_assert(setrlimit(resources[i], &before) == 0);
        cr_assert(!holds, "resource %d", resources[i]);
    }
}
