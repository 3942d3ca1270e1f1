/* SPDX-License-Identifier: MIT */
/* For programs that are built with ThreadSanitizer. */
#ifndef CF_TESTS_OBSERVERS_ORDER_H
#define CF_TESTS_OBSERVERS_ORDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

#define CHECK(condition) check(__LINE__, #condition, (condition))

static inline void
check(int line, const char *what, bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "line %d: %s\n", line, what);
    exit(1);
}

/* That of gcc 12 wants addresses that are not random: the program begins once
 * more. */
static inline void
fix_addresses(char **argv)
{
    int former = personality(0xffffffff);
    if (former < 0 || former & ADDR_NO_RANDOMIZE ||
        personality((unsigned)former | ADDR_NO_RANDOMIZE) < 0)
        return;
    execv("/proc/self/exe", argv);
}

#endif
