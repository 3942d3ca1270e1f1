/* SPDX-License-Identifier: MIT */
/*
 * What test programs with a main() of their own share: a check that ends the
 * process, and forked children that must end well.
 */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* If the condition is false, says so and ends the process, which may be a
 * child, without its exit handlers. */
#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(                                                           \
                stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition);    \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

static inline pid_t
fork_child(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    return child;
}

/* Waits for the child's end; its status is as waitpid() gives it. */
static inline int
status_of(pid_t child)
{
    int status = -1;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

/* Waits for the child's end, which must be exit(0) or _exit(0). */
static inline void
expect_success(pid_t child)
{
    int status = status_of(child);
    if (status != 0)
        fprintf(stderr, "status %#x\n", (unsigned)status);
    CHECK(status == 0);
}

#endif
