/* SPDX-License-Identifier: MIT */
/*
 * The working thread is made by clone(), not by pthread_create(), for three
 * reasons. The zygote is a fork of a program that had other threads, so it may
 * only call what is async-signal-safe. A worker must find the thread-local data
 * of the thread that made the pool. And the C library must take the zygote, and
 * each worker, for a process with one thread, as each worker is. Both threads
 * have the same thread-local data, with errno in it: so the watching thread
 * only makes system calls, and does not look at errno.
 */
#include "process_pool/zygote/watch.h"

#include "lib/base/atomic.h"
#include "lib/base/clock.h"
#include "lib/base/pages.h"
#include "process_pool/zygote/own_fork.h"
#include "process_pool/zygote/stack.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes below a task: the worker's frames, and the program's fork handlers. */
enum { OWN_SIZE = 64 << 10 };

#define LOOK_AGAIN_NS CF__MS(50) /* while there is nothing to wait for */

/* The watching thread must not run the sanitizers' code: their thread-local
 * data is the working thread's, too. */
#if defined(__clang__) || defined(__GNUC__)
#define NOT_INSTRUMENTED                                                       \
    __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define NOT_INSTRUMENTED
#endif

#ifdef __GLIBC__
/* By the name for which no sanitizer has a function of its own: those are for a
 * clone() that makes a process. */
extern int
__clone(int (*fn)(void *data), void *stack, int flags, void *data, ...);
#define CLONE __clone
#else
#define CLONE clone
#endif

/* Tells AddressSanitizer where the stack is. NULL without it. The names are the
 * sanitizer's: NOLINTBEGIN */
extern void __sanitizer_start_switch_fiber(void **fake_stack,
                                           const void *bottom,
                                           size_t size) __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *fake_stack,
                                            const void **bottom_before,
                                            size_t *size_before)
    __attribute__((weak));
/* NOLINTEND */

struct start {
    int (*run)(void *data);
    void *data;
    const char *bottom;
    size_t size;
};

NOT_INSTRUMENTED static int
start(void *arg)
{
    const struct start *s = arg;
    if (__sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber) {
        __sanitizer_start_switch_fiber(NULL, s->bottom, s->size);
        __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    }
    return s->run(s->data);
}

NOT_INSTRUMENTED static void
tell(struct cf__post *post, _Atomic uint32_t *what)
{
    cf_fetch_add_seq_cst(what, 1);
    cf_fetch_add_seq_cst(&post->wake, 1); /* as cf__post_wake() */
    (void)syscall(SYS_futex, &post->wake, 1 /* FUTEX_WAKE */, INT_MAX);
}

/* Waits for the program's end; if there is nothing to wait for, has the zygote
 * look now and then. It never returns. But if the compiler knew that,
 * AddressSanitizer would act on it, in the wrong thread. */
NOT_INSTRUMENTED static void
watch(const struct cf__watch *w)
{
    struct pollfd polled[] = {{w->program, POLLIN, 0},
                              {w->lifeline, POLLIN, 0}};
    for (;;) {
        struct {
            long s, ns;
        } soon = {0, LOOK_AGAIN_NS};
        bool idle = polled[0].fd < 0 && polled[1].fd < 0;
        long ready =
            syscall(SYS_ppoll, polled, 2, idle ? &soon : NULL, NULL, 0);
        if (ready > 0 && polled[0].revents) {
            tell(w->post, &w->post->gone);
            polled[0].fd = -1; /* once: the end is near */
        } else if (ready > 0 || idle) {
            tell(w->post, &w->post->cuts);
            polled[1].fd = -1;
        } else {
            (void)syscall(SYS_ppoll, NULL, 0, &soon, NULL, 0);
        }
    }
}

/* The process that watches, if no thread does; 0: none. */
static pid_t aside;

/* Where clone() makes no such threads (musl): watches from a process of its
 * own, which has the post, as workers do not; and works on the stack that there
 * is. */
static int
watch_from_aside(const struct cf__watch *w, int (*run)(void *data), void *data)
{
    pid_t zygote = getpid();
    if (madvise(w->post, w->post_size, MADV_DOFORK) != 0)
        return errno;
    aside = cf__own_fork();
    if (aside == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != zygote) /* it ended before that was armed */
            _exit(0);
        watch(w);
    }
    if (aside < 0 || madvise(w->post, w->post_size, MADV_DONTFORK) != 0)
        return errno; /* the watching process ends with this one */
    return run(data);
}

bool
cf__watch_reaped(pid_t child)
{
    if (child != aside)
        return false;
    aside = 0; /* its number may be another process's */
    return true;
}

void
cf__watch_end(void)
{
    if (aside > 0)
        (void)kill(aside, SIGKILL);
}

NOT_INSTRUMENTED int
cf__watch_and_run(const struct cf__watch *w,
                  size_t stack_size,
                  bool executable,
                  int (*run)(void *data),
                  void *data)
{
    stack_size = cf__whole_pages(stack_size + OWN_SIZE);
    char *stack = cf__stack_new(stack_size, executable);
    if (!stack)
        return ENOMEM;
    const struct start s = {run, data, stack, stack_size};
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                      CLONE_THREAD | CLONE_SYSVSEM;
    if (CLONE(start, stack + stack_size, flags, (void *)&s) > 0)
        watch(w);
    if (errno == EINVAL)
        return watch_from_aside(w, run, data);
    return errno;
}
