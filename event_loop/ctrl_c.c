/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C while cf_event_loop_run() runs: see ctrl_c.h. No locks: the handler
 * may run in any thread, at any point of it.
 *
 * The handler adds to `inside` before it reads `target`; the end sets `target`
 * to NULL before it reads `inside`. Both are sequentially consistent. So either
 * the handler finds NULL, or the end waits for it.
 */
#include "event_loop/ctrl_c.h"

#include "event_loop/loop.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

static _Atomic(struct cf__evloop *) target; /* the run that watches */
static _Atomic int inside;                  /* handlers */
static _Atomic(cf_future *) first_task;
static atomic_bool came;

/* Async-signal-safe. A task that runs sees the bit, as after
 * cf_future_interrupt(); the loop's next turn does the rest. */
static void
tell(struct cf__evloop *loop)
{
    cf_future *f = cf_load_relaxed(&first_task); /* set before target */
    if (cf__state(cf_load_relaxed(&f->word)) == CF_RUNNING)
        (void)cf_fetch_or_acq_rel(&f->word, CF__INTERRUPT);
    cf_store_relaxed(&came, true);
    cf_store_release(&loop->ctrl_c, true); /* pairs with the loop's turn */
    cf__evloop_wake(loop);
}

static void
on_sigint(int signo)
{
    int error = errno;
    (void)signo;
    cf_fetch_add_seq_cst(&inside, 1);
    struct cf__evloop *loop = cf_load_seq_cst(&target);
    if (loop)
        tell(loop);
    cf_fetch_sub_acq_rel(&inside, 1); /* pairs with end */
    errno = error;
}

static bool
is_default(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

bool
cf__ctrl_c_begin(struct cf__evloop *loop, cf_future *first)
{
    struct sigaction action = {.sa_handler = on_sigint,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    struct sigaction former;
    cf_future *none = NULL;
    if (sigaction(SIGINT, NULL, &former) || !is_default(&former))
        return false;
    if (!cf_cas_seq_cst(&first_task, &none, first))
        return false; /* another run watches */
    cf_store_relaxed(&came, false);
    cf_store_seq_cst(&target, loop);
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL); /* cannot fail */
    return true;
}

bool
cf__ctrl_c_end(void)
{
    struct sigaction now;
    cf_store_seq_cst(&target, NULL);
    /* The program may have set its own action meanwhile. */
    if (sigaction(SIGINT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == on_sigint) {
        now.sa_handler = SIG_DFL;
        (void)sigaction(SIGINT, &now, NULL);
    }
    while (cf_load_seq_cst(&inside) != 0)
        sched_yield();
    bool struck = cf_load_relaxed(&came); /* ordered by inside */
    cf_store_release(&first_task, NULL);  /* pairs with begin */
    return struck;
}
