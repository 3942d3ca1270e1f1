/* SPDX-License-Identifier: MIT */
/*
 * Children that a test forks. A child reports with its exit status and never
 * returns into Criterion.
 */
#ifndef CF_TESTS_CHILDREN_H
#define CF_TESTS_CHILDREN_H

#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/conformance.h"
#include "tests/support/no_leak_search.h"

/* Ends the child with the line number of what was wrong. */
#define child_check(condition)                                                 \
    do {                                                                       \
        if (!(condition))                                                      \
            _exit(__LINE__ % 250 + 1);                                         \
    } while (0)

/* As fork(); a hang ends the child, and the test fails. */
static inline pid_t
fork_child(void)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0)
        alarm(30);
    return child;
}

static inline void
expect_clean_exit(pid_t child)
{
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status), "status %d", status);
    cr_assert(WEXITSTATUS(status) == 0,
              "child failed at line %d (mod 250)",
              WEXITSTATUS(status) - 1);
}

#endif
