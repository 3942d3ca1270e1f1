/* SPDX-License-Identifier: MIT */
/* Copies of a few bytes: every size, and areas that overlap. */
#include "lib/base/copy.h"

#include <criterion/criterion.h>

enum { AREA = 3 * CF__SHORT };

static void
fill(unsigned char *area)
{
    for (int i = 0; i < AREA; i++)
        area[i] = (unsigned char)(i + 1);
}

Test(copy, all_bytes_of_every_size_and_no_others)
{
    for (size_t size = 1; size <= CF__SHORT; size++) {
        unsigned char from[AREA], to[AREA] = {0};
        fill(from);
        cf__copy_short(to + CF__SHORT, from, size);
        for (size_t i = 0; i < AREA; i++) {
            bool inside = i >= CF__SHORT && i < CF__SHORT + size;
            cr_assert(to[i] == (inside ? from[i - CF__SHORT] : 0),
                      "byte %zu of a copy of %zu",
                      i,
                      size);
        }
    }
}

Test(copy, areas_may_overlap)
{
    for (size_t size = 1; size <= CF__SHORT; size++)
        for (size_t to = 0; to <= 2 * CF__SHORT; to++) {
            unsigned char area[AREA], expected[AREA];
            fill(area);
            fill(expected);
            cf__copy_short(area + to, area + CF__SHORT, size);
            memmove(expected + to, expected + CF__SHORT, size);
            cr_assert(memcmp(area, expected, AREA) == 0,
                      "%zu bytes to %zu",
                      size,
                      to);
        }
}
