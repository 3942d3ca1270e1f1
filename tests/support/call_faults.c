/* SPDX-License-Identifier: MIT */
/* The calls in front of the C library's: see call_faults.h. */
#define _GNU_SOURCE
#include "tests/support/call_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/shared.h"

static struct faults {
    atomic_int interrupts; /* of waitpid() and wait4(), to come */
    atomic_bool no_close_range;
    atomic_int futexes;
    atomic_bool hold, kill;
    atomic_int depth; /* forks, of those that count for kill */
    pid_t holder;
} * faults;

/* ISO C has no cast from an object pointer to a function pointer. */
#define NEXT(name)                                                             \
    do {                                                                       \
        if (next == NULL) {                                                    \
            void *symbol = dlsym(RTLD_NEXT, name);                             \
            memcpy(&next, &symbol, sizeof next);                               \
        }                                                                      \
    } while (0)

__attribute__((constructor)) static void
prepare(void)
{
    faults = shared_new(sizeof *faults);
}

void
call_interrupt_waitpid(int count)
{
    atomic_store(&faults->interrupts, count);
}

int
call_interrupts_left(void)
{
    return atomic_load(&faults->interrupts);
}

void
call_refuse_close_range(void)
{
    atomic_store(&faults->no_close_range, true);
}

int
call_futexes(void)
{
    return atomic_load(&faults->futexes);
}

void
call_hold_at_fork(void)
{
    atomic_store(&faults->hold, true);
}

pid_t
call_holder(void)
{
    return faults->holder;
}

void
call_holder_end(void)
{
    (void)kill(faults->holder, SIGKILL);
    (void)waitpid(faults->holder, NULL, 0);
}

void
call_kill_grandchild(void)
{
    atomic_store(&faults->depth, 0);
    atomic_store(&faults->kill, true);
}

/* It reads six arguments, though there may be fewer. */
__attribute__((no_sanitize("address"))) long
syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list args;
    NEXT("syscall");
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_futex && faults != NULL)
        atomic_fetch_add(&faults->futexes, 1);
    if (number == SYS_close_range && faults != NULL &&
        atomic_load(&faults->no_close_range)) {
        errno = ENOSYS;
        return -1;
    }
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* This call is to be interrupted. */
static bool
is_interrupted(int options)
{
    int left = faults != NULL ? atomic_load(&faults->interrupts) : 0;
    return options & WNOHANG && left > 0 &&
           atomic_compare_exchange_strong(&faults->interrupts, &left, left - 1);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
    static pid_t (*next)(pid_t, int *, int);
    NEXT("waitpid");
    if (is_interrupted(options)) {
        errno = EINTR;
        return -1;
    }
    return next(pid, status, options);
}

pid_t
wait4(pid_t pid, int *status, int options, struct rusage *used)
{
    static pid_t (*next)(pid_t, int *, int, struct rusage *);
    NEXT("wait4");
    if (is_interrupted(options)) {
        errno = EINTR;
        return -1;
    }
    return next(pid, status, options, used);
}

static void
fork_holder(pid_t (*next)(void))
{
    pid_t holder = next();
    if (holder == 0)
        for (;;)
            pause();
    faults->holder = holder;
}

pid_t
fork(void)
{
    static pid_t (*next)(void);
    NEXT("fork");
    if (faults == NULL)
        return next();
    if (atomic_exchange(&faults->hold, false))
        fork_holder(next);
    bool fatal =
        atomic_load(&faults->kill) && atomic_fetch_add(&faults->depth, 1) == 1;
    pid_t pid = next();
    if (pid == 0 && fatal) {
        atomic_store(&faults->kill, false);
        (void)kill(getpid(), SIGKILL);
    }
    return pid;
}
