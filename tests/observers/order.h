/* SPDX-License-Identifier: MIT */
/* For programs that are built with ThreadSanitizer. */
#ifndef CF_TESTS_OBSERVERS_ORDER_H
#define CF_TESTS_OBSERVERS_ORDER_H

#include <cfutures/cfutures.h>

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

/* What a task reads and writes, without an atomic operation. */
struct cell {
    long in, out;
};

/* Reads and writes the cell that arg points to. */
static inline int
task_cell(cf_call *call, const void *arg, size_t arg_size)
{
    struct cell *cell = (struct cell *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    cell->out = cell->in + 1;
    cell->in = 0;
    return 0;
}

#endif
