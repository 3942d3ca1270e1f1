/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for signals: cf_signal_wait() of <cfutures/io.h>. A loop
 * watches a signal from the first wait for it until it ends. No locks.
 */
#include <cfutures/io.h>

#include "event_loop/engine.h"

#include "lib/base/einval.h"

#include <signal.h>
#include <stdlib.h>

enum { SIGNALS = 64 }; /* 1 .. 64, as the kernel's sigset_t */

struct waiter {
    struct waiter *next, **link;
    struct cf__coroutine *self;
    uint64_t mask;
    int signo; /* that came */
    bool done;
};

struct cf__signals {
    struct cf__io_object object;
    uv_signal_t handles[SIGNALS]; /* of signal i + 1 */
    uint64_t watched;             /* these are open */
    uint64_t kept;                /* these came, and no task waited for them */
    struct waiter *waiters;
    unsigned open; /* handles that libuv has */
};

static uint64_t
bit_of(int signo)
{
    return UINT64_C(1) << (signo - 1);
}

static void
unlink_waiter(struct waiter *waiter)
{
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
}

static void
on_signal(uv_signal_t *handle, int signo)
{
    struct cf__signals *signals = handle->data;
    bool taken = false;
    for (struct waiter *at = signals->waiters, *next; at; at = next) {
        next = at->next;
        if (!(at->mask & bit_of(signo)))
            continue;
        taken = true;
        at->signo = signo;
        at->done = true;
        unlink_waiter(at);
        cf__io_wake(at->self);
    }
    if (!taken)
        signals->kept |= bit_of(signo);
}

static void
on_closed(uv_handle_t *handle)
{
    struct cf__signals *signals = handle->data;
    if (--signals->open == 0)
        free(signals);
}

static void
end_signals(struct cf__io_object *object)
{
    struct cf__signals *signals = (struct cf__signals *)object;
    const uint64_t watched = signals->watched;
    signals->open++; /* until all are closing */
    for (int i = 0; i < SIGNALS; i++)
        if (watched & UINT64_C(1) << i)
            uv_close((uv_handle_t *)&signals->handles[i], on_closed);
    if (--signals->open == 0)
        free(signals);
}

/* An error of libuv's, or 0. */
static int
watch(struct cf__evloop *loop, struct cf__signals *signals, int signo)
{
    uv_signal_t *handle = &signals->handles[signo - 1];
    if (!(signals->watched & bit_of(signo))) {
        int rc = uv_signal_init(cf__io_uv(loop), handle);
        if (rc)
            return rc;
        handle->data = signals;
        signals->open++;
        signals->watched |= bit_of(signo);
    }
    return uv_is_active((uv_handle_t *)handle)
               ? 0
               : uv_signal_start(handle, on_signal, signo);
}

/* false: a number is no signal, or one that cannot be caught. */
static bool
to_mask(const int *signos, size_t count, uint64_t *mask)
{
    *mask = 0;
    for (size_t i = 0; i < count; i++) {
        int signo = signos[i];
        if (signo < 1 || signo > SIGNALS || signo == SIGKILL ||
            signo == SIGSTOP)
            return false;
        *mask |= bit_of(signo);
    }
    return true;
}

static cf_err
watch_all(struct cf__evloop *loop, uint64_t mask)
{
    struct cf__signals *signals = loop->engine->signals;
    if (!signals) {
        signals = calloc(1, sizeof *signals);
        if (!signals)
            return CF_ENOMEM;
        loop->engine->signals = signals;
        cf__io_add(loop, &signals->object, end_signals);
    }
    for (int signo = 1; signo <= SIGNALS; signo++) {
        int rc = mask & bit_of(signo) ? watch(loop, signals, signo) : 0;
        if (rc)
            return cf__io_error(rc);
    }
    return CF_OK;
}

/* The lowest one that has come already; 0: none. */
static int
take_kept(struct cf__signals *signals, uint64_t mask)
{
    uint64_t kept = signals->kept & mask;
    if (!kept)
        return 0;
    int signo = __builtin_ctzll(kept) + 1;
    signals->kept &= ~bit_of(signo);
    return signo;
}

cf_err
cf_signal_wait(cf_call *call,
               const int *signos,
               size_t count,
               int64_t timeout_ns,
               int *signo)
{
    struct cf__evloop *loop;
    struct waiter waiter = {.done = false};
    const char *why = !call                            ? "call is NULL"
                      : !signos                        ? "signos is NULL"
                      : count == 0                     ? "count is 0"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                      : !to_mask(signos, count, &waiter.mask)
                          ? "one of signos is no signal, or cannot be caught"
                          : NULL;
    if (why)
        return cf__einval(__func__, why);
    int64_t deadline_ns = cf__deadline(timeout_ns);
    cf_err err = cf__io_begin(call, &loop, &waiter.self);
    if (!err)
        err = watch_all(loop, waiter.mask);
    if (err)
        return err;
    struct cf__signals *signals = loop->engine->signals;
    waiter.signo = take_kept(signals, waiter.mask);
    waiter.done = waiter.signo != 0;
    if (!waiter.done) {
        waiter.next = signals->waiters;
        waiter.link = &signals->waiters;
        if (waiter.next)
            waiter.next->link = &waiter.next;
        signals->waiters = &waiter;
    }
    err = cf__io_wait(loop, waiter.self, &waiter.done, deadline_ns);
    if (!waiter.done)
        unlink_waiter(&waiter);
    if (!err && signo)
        *signo = waiter.signo;
    return err;
}
