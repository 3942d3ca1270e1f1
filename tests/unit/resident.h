/* SPDX-License-Identifier: MIT */
/* How much memory the program has. */
#ifndef CF_TESTS_UNIT_RESIDENT_H
#define CF_TESTS_UNIT_RESIDENT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static inline long
resident_mib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    cr_assert_not_null(f);
    cr_assert(fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE) >> 20;
}

#endif
