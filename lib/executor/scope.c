/* SPDX-License-Identifier: MIT */
/*
 * Scopes and shields: they begin, end, and are cancelled. README.md, "Scopes",
 * has the protocol. No locks.
 */
#include "lib/executor/scope.h"

#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/forked.h"
#include "lib/base/futex.h"
#include "lib/future/block.h"

#define PAUSE_NS CF__US(20)
/* To read the clock costs more than all else in a scope that is over before
 * anything waits. So a time limit that is at least as long begins with the time
 * of the kernel's last tick, which is cheap to read, and an exact clock is read
 * when the code inside waits for the first time. A tick is 10 ms at most, but
 * it may come late in a virtual machine. */
#define LONG_NS CF__MS(500)
#define TICK_NS CF__MS(50)

_Static_assert(sizeof(cf_scope) <= sizeof(cf_future), "it is in a block");

/* For a thread that is no worker: only its parker is used. */
static _Thread_local struct cf__worker thread_sleeper;

struct cf__worker *
cf__scope_sleeper(void)
{
    return cf__thread.scopes.innermost && !cf__thread.server ? &thread_sleeper
                                                             : NULL;
}

/* When the waits in scope end, if nothing else has happened. */
static int64_t
stop_of(const cf_scope *scope)
{
    const struct cf__scopes *outer = &scope->outer;
    return outer->innermost && !outer->shields
               ? cf__sooner(scope->deadline_ns, outer->innermost->stop_ns)
               : scope->deadline_ns;
}

/* The scope begins now. Its deadline is not too early, whatever settles it. */
static void
set_limit(cf_scope *scope, int64_t timeout_ns)
{
    struct timespec tick;
    scope->limit_ns = 0;
    if (timeout_ns < LONG_NS) { /* CF_FOREVER too */
        scope->deadline_ns = cf__deadline(timeout_ns);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC_COARSE, &tick); /* cannot fail on Linux */
    scope->limit_ns = timeout_ns;
    scope->deadline_ns = cf__deadline_from(
        CF__S(tick.tv_sec) + tick.tv_nsec + TICK_NS, timeout_ns);
}

cf_err
cf_scope_begin(cf_call *call, int64_t timeout_ns, cf_scope **out)
{
    (void)call;
    if (!out || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !out ? "out is NULL" : CF__BAD_TIMEOUT);
    cf_scope *scope = (cf_scope *)(void *)cf__block_alloc();
    if (!scope)
        return CF_ENOMEM;
    struct cf__thread *thread = &cf__thread;
    scope->outer = thread->scopes;
    set_limit(scope, timeout_ns);
    scope->stop_ns = stop_of(scope);
    scope->unsettled =
        scope->limit_ns != 0 ||
        (scope->outer.innermost && scope->outer.innermost->unsettled);
    scope->told = CF_OK;
    scope->generation = cf__generation;
    scope->sleeper = thread->worker ? thread->worker : &thread_sleeper;
    cf_store_relaxed(&scope->cancel, CF__SCOPE_OPEN); /* not known yet */
    thread->scopes = (struct cf__scopes){scope, 0, scope->outer.count + 1};
    *out = scope;
    return CF_OK;
}

/* A thread that cancels the scope still uses it, for a few instructions. It may
 * have less priority than this thread. A fork does not copy it. */
static void
await_canceler(cf_scope *scope)
{
    /* pairs with cf_scope_cancel: its use of the scope is over */
    while (cf_load_acquire(&scope->cancel) == CF__SCOPE_STRIKING &&
           scope->generation == cf__generation_now())
        cf__nap(PAUSE_NS);
}

cf_err
cf_scope_end(cf_scope *scope)
{
    struct cf__scopes *scopes = &cf__thread.scopes;
    const char *why = !scope ? "scope is NULL"
                      : scope != scopes->innermost
                          ? "it is not the innermost scope of this thread"
                      : scopes->shields ? "a shield inside of it has not ended"
                                        : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err told = scope->told;
    /* a hint: await_canceler() acquires */
    if (cf_load_relaxed(&scope->cancel) != CF__SCOPE_OPEN) {
        await_canceler(scope);
        if (told != CF_ETIMEDOUT)
            told = CF_ECANCELED;
    }
    *scopes = scope->outer;
    cf__block_free((cf_future *)(void *)scope);
    return told;
}

void
cf__scopes_drop(void)
{
    struct cf__scopes *scopes = &cf__thread.scopes;
    while (scopes->innermost) {
        scopes->shields = 0;
        (void)cf_scope_end(scopes->innermost);
    }
    scopes->shields = scopes->count = 0;
}

void
cf__scopes_leave(void *scopes)
{
    cf__scopes_drop();
    cf__thread.scopes = *(struct cf__scopes *)scopes;
}

void
cf_scope_cancel(cf_scope *scope)
{
    uint32_t open = CF__SCOPE_OPEN;
    /* pairs with cf__told_to_stop: the code inside sees what came before */
    if (!scope || !cf_cas_acq_rel(&scope->cancel, &open, CF__SCOPE_STRIKING))
        return;
    cf__worker_unpark(scope->sleeper);
    /* pairs with await_canceler: from here on the scope may be gone */
    cf_store_release(&scope->cancel, CF__SCOPE_CANCELED);
}

/* The deadline of scope has changed: renews the stop_ns of the scopes from
 * there to the innermost one. */
static void
renew_stops(cf_scope *scope)
{
    cf_scope *const innermost = cf__thread.scopes.innermost;
    scope->stop_ns = stop_of(scope);
    while (scope != innermost) {
        cf_scope *next = innermost;
        while (next->outer.innermost != scope)
            next = next->outer.innermost;
        next->stop_ns = stop_of(next);
        scope = next;
    }
}

int64_t
cf__scopes_settle(void)
{
    cf_scope *scope = cf__thread.scopes.innermost, *last = NULL;
    if (!scope || !scope->unsettled)
        return 0;
    const int64_t now = cf__now_ns();
    for (; scope && scope->unsettled; scope = scope->outer.innermost) {
        if (scope->limit_ns)
            scope->deadline_ns = cf__sooner(
                scope->deadline_ns, cf__deadline_from(now, scope->limit_ns));
        scope->limit_ns = 0;
        scope->unsettled = false;
        last = scope;
    }
    renew_stops(last);
    return now;
}

cf_err
cf_scope_extend(cf_scope *scope, int64_t timeout_ns)
{
    cf_scope *at = cf__thread.scopes.innermost;
    if (!scope || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !scope ? "scope is NULL" : CF__BAD_TIMEOUT);
    while (at && at != scope)
        at = at->outer.innermost;
    if (!at)
        return cf__einval(__func__, "it is no scope of this thread");
    if (scope->told == CF_ETIMEDOUT || scope->told == CF_ECANCELED)
        return scope->told;
    scope->deadline_ns = cf__deadline(timeout_ns);
    scope->limit_ns = 0;
    renew_stops(scope);
    return CF_OK;
}

void
cf_shield_begin(cf_call *call)
{
    (void)call;
    cf__thread.scopes.shields++;
    cf__thread.scopes.count++;
}

void
cf_shield_end(cf_call *call)
{
    (void)call;
    cf__contract(cf__thread.scopes.shields > 0,
                 "cf_shield_end(): no shield has begun in this scope");
    cf__thread.scopes.shields--;
    cf__thread.scopes.count--;
}
