/* SPDX-License-Identifier: MIT */
/* A task of an event loop that recurses without end dies in the guard of its
 * stack, and does not write to another's. */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *reached; /* shared with the child */

static int
recurse(volatile char *above, long depth)
{
    volatile char frame[256];
    memset((char *)frame, *above, sizeof frame);
    return depth == 0 ? 0 : recurse(frame, depth - 1) + frame[0];
}

/* Waits with something on its stack. */
static int
task_neighbour(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)cf_sleep(call, 1);
    return (int)cf_sleep(call, CF_FOREVER);
}

static int
task_overflow(cf_call *call, const void *arg, size_t arg_size)
{
    volatile char first = 1;
    (void)call;
    (void)arg;
    (void)arg_size;
    *reached = 1; /* so far it came */
    return recurse(&first, LONG_MAX);
}

static void
child_main(void)
{
    cf_executor *ex;
    cf_future *f;
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    if (cf_event_loop_create(NULL, &ex) ||
        cf_submit(ex, task_neighbour, NULL, 0, NULL) ||
        cf_submit(ex, task_overflow, NULL, 0, &f) ||
        cf_submit(ex, task_neighbour, NULL, 0, NULL))
        _exit(10);
    (void)cf_future_wait(f, CF_FOREVER);
    _exit(11);
}

int
main(void)
{
    reached = mmap(
        NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reached == MAP_FAILED)
        return 1;
    pid_t child = fork();
    if (child == 0)
        child_main();
    int status;
    if (waitpid(child, &status, 0) != child || !*reached)
        return 1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
        return 0;
    printf("status %#x instead of SIGSEGV\n", (unsigned)status);
    return 1;
}
