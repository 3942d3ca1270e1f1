/* SPDX-License-Identifier: MIT */
/* Runs a function in a child, and looks at what the child says on standard
 * error. */
#ifndef CF_TESTS_OBSERVERS_CHILD_H
#define CF_TESTS_OBSERVERS_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts this program again, with the argument. Returns its status, as
 * waitpid() gives it, and at most size - 1 bytes of what it says. -1: it did
 * not start. */
static inline int
run_again(const char *argument, char *said, size_t size)
{
    int ends[2], status = -1;
    size_t got = 0;
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        execl("/proc/self/exe", "again", argument, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    for (ssize_t n; child > 0 && got < size - 1 &&
                    (n = read(ends[0], said + got, size - 1 - got)) > 0;)
        got += (size_t)n;
    (void)close(ends[0]);
    said[got] = '\0';
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

/* The argument's run ends like this, and says that. */
static inline bool
ends(const char *argument, bool well, const char *const *sentences)
{
    static char said[1 << 16];
    int status = run_again(argument, said, sizeof said);
    bool ok =
        status >= 0 && well == (WIFEXITED(status) && !WEXITSTATUS(status));
    for (; *sentences; sentences++)
        ok = ok && strstr(said, *sentences);
    if (!ok)
        fprintf(
            stderr, "%s: status %x, it said:\n%s\n", argument, status, said);
    return ok;
}

#endif
