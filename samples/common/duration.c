/* SPDX-License-Identifier: MIT */
#include "duration.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool
parse_duration(const char *text, int64_t *out_ns)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}};
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        double ns = number * (double)units[i].ns;
        if (!(ns >= 1e6 && ns <= 86400e9)) /* nor is it no number */
            return false;
        *out_ns = (int64_t)ns;
        return true;
    }
    return false;
}

int64_t
now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
