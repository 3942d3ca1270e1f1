/* SPDX-License-Identifier: MIT */
/*
 * A task of an event loop that recurses without end dies in the guard of its
 * stack, just below that, and does not write to another's: for each size of
 * stacks.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_SIZE = 256 * 1024, SLACK = 16 * 1024 };
enum { HIT_GUARD = 42, HIT_ELSEWHERE = 43, CANNOT_BEGIN = 44 };

static struct {
    uintptr_t first; /* an address at the top of the task's stack */
    size_t stack_size;
} shown;

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

/* All of the stack has been used, and no more than its guard has been met. */
static void
on_fault(int signo, siginfo_t *info, void *context)
{
    uintptr_t reached = shown.first - (uintptr_t)info->si_addr;
    (void)signo;
    (void)context;
    _exit(reached > shown.stack_size - SLACK &&
                  reached < shown.stack_size + SLACK
              ? HIT_GUARD
              : HIT_ELSEWHERE);
}

static int
task_overflow(cf_call *call, const void *arg, size_t arg_size)
{
    static char aside[64 * 1024]; /* for the handler */
    volatile char first = 1;
    stack_t other = {.ss_sp = aside, .ss_size = sizeof aside};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)call;
    (void)arg_size;
    shown.first = (uintptr_t)&first;
    action.sa_sigaction = on_fault;
    if (arg && (sigaltstack(&other, NULL) || sigaction(SIGSEGV, &action, NULL)))
        _exit(CANNOT_BEGIN);
    return recurse(&first, LONG_MAX);
}

static void
child_main(size_t stack_size, bool handles)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cf_executor *ex;
    cf_future *f;
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    options.stack_size = stack_size;
    shown.stack_size = stack_size ? stack_size : DEFAULT_SIZE;
    if (cf_event_loop_create(&options, &ex) ||
        cf_submit(ex, task_neighbour, NULL, 0, NULL) ||
        cf_submit(ex, task_overflow, handles ? &shown : NULL, 0, &f) ||
        cf_submit(ex, task_neighbour, NULL, 0, NULL))
        _exit(CANNOT_BEGIN);
    (void)cf_future_wait(f, CF_FOREVER);
    _exit(CANNOT_BEGIN);
}

/* How a program ends whose task overflows its stack. */
static int
run(size_t stack_size, bool handles)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        child_main(stack_size, handles);
    return waitpid(child, &status, 0) == child ? status : -1;
}

int
main(void)
{
    static const size_t sizes[] = {
        0, 64 * 1024, CF_EVENT_LOOP_STACK_MIN, 1024 * 1024};
    int failures = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int status = run(sizes[i], false);
        int handled = run(sizes[i], true);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV &&
            WIFEXITED(handled) && WEXITSTATUS(handled) == HIT_GUARD)
            continue;
        printf("%zu bytes: status %#x, %#x with a handler\n",
               sizes[i],
               (unsigned)status,
               (unsigned)handled);
        failures++;
    }
    return failures != 0;
}
