/* SPDX-License-Identifier: MIT */
/*
 * Notes where a worker crashed: see crash.h. The handler runs on a stack of its
 * own, because the worker's may be full. All of it is async-signal-safe. It
 * trusts two statics, which the task may have overwritten: if they are broken,
 * the handler crashes, and the worker ends as it would have.
 */
#include "process_pool/zygote/crash.h"

#include "process_pool/zygote/stack.h"

#include <signal.h>
#include <unistd.h>

enum { STACK_SIZE = 64 << 10 }; /* bytes: above what any processor saves */

static struct cf__lane_out *the_lane; /* NULL: this is the zygote */
static pid_t the_worker;
static _Alignas(64) unsigned char stack[STACK_SIZE];

static uint32_t
kind_of(int signo, const siginfo_t *info)
{
    if (signo != SIGSEGV && signo != SIGBUS)
        return CF__CRASH_ELSEWHERE;
    if (cf__stack_guards(info->si_addr))
        return CF__CRASH_STACK;
    if (signo == SIGSEGV && info->si_code == SEGV_MAPERR)
        return CF__CRASH_UNMAPPED;
    if (signo == SIGSEGV && info->si_code != SEGV_ACCERR)
        return CF__CRASH_UNKNOWN; /* the address is none of the program's */
    return CF__CRASH_ELSEWHERE;
}

static void
note(int signo, siginfo_t *info, void *context)
{
    const bool sent = info->si_code <= 0; /* kill(), raise() */
    (void)context;
    if (the_lane && getpid() == the_worker) {
        /* The program reads them when this worker is dead. */
        cf_store_relaxed(&the_lane->crash_kind,
                         sent ? CF__CRASH_UNKNOWN : kind_of(signo, info));
        cf_store_relaxed(&the_lane->crash_address, (uintptr_t)info->si_addr);
        cf_store_release(&the_lane->crash_signal, (uint32_t)signo);
    }
    (void)signal(signo, SIG_DFL);
    if (sent)
        (void)raise(signo); /* it comes when this handler has returned */
    /* else the instruction runs again, and crashes for good */
}

void
cf__crash_watch(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action = {.sa_sigaction = note,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction former;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (sigaction(signals[i], NULL, &former) == 0 &&
            former.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &action, NULL);
    }
}

void
cf__crash_enter(struct cf__lane_out *out)
{
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    the_worker = getpid();
    the_lane = out;
    (void)sigaltstack(&own, NULL); /* else an overflow is not noted */
}
