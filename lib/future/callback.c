/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: see callback.h and README.md. Each thread has its own queue, so
 * there is no lock.
 *
 * A callback must not end its thread. If it does, the others that are due run
 * in a cleanup handler.
 */
#include "lib/future/callback.h"

#include "lib/base/observer.h"
#include "lib/base/worker.h"
#include "lib/future/life.h"
#include "lib/future/slow_callback.h"

#include <pthread.h>
#include <stdlib.h>

/* A loop over the callbacks that are due. */
struct run {
    struct cf__due *due;
    cf_future *held; /* its handle goes after the callback. NULL: none */
    bool in_wait;    /* the loop runs in a wait of a callback */
};

enum { WAITS_MAX = 64 }; /* a stack has room for so many, one inside another */

static void drain(struct run *run);

static void
let_go(struct run *run)
{
    if (run->held)
        cf__future_unref(run->held);
    run->held = NULL;
}

/* true: the callback is of a task of the parent. A callback may fork and return
 * in the child: there, such callbacks do not run. */
static bool
is_parents(const struct cf__callback *callback)
{
    return callback->generation != cf__generation && callback->f->executor;
}

static void
call_next(struct run *run)
{
    struct cf__callback *callback = run->due->first;
    cf_done_fn *fn = callback->fn;
    cf_future *f = callback->f;
    void *data = callback->data;
    run->due->first = cf_load_relaxed(&callback->next); /* the thread's */
    run->held = callback->drop ? f : NULL;
    bool skip = is_parents(callback);
    free(callback);
    if (!skip)
        cf__callback_call(fn, f, data);
    let_go(run);
}

/* Cleanup handler: the thread ends in a callback, or in a task that it runs
 * while a callback waits. */
static void
ended(void *arg)
{
    struct run *run = arg;
    cf__thread.due = run->due;
    let_go(run);
    drain(run);
}

/* Calls callbacks until none is due. The thread is in no callback then. */
static void
drain(struct run *run)
{
    pthread_cleanup_push(ended, run);
    while (run->due->first)
        call_next(run);
    pthread_cleanup_pop(0);
    if (run->in_wait)
        run->due->waits--;
    cf__thread.due = NULL;
}

static void
append(struct cf__due *due, struct cf__callback *first)
{
    if (due->first)
        cf_store_relaxed(&due->last->next, first); /* the thread's */
    else
        due->first = first;
    struct cf__callback *next;
    while ((next = cf_load_relaxed(&first->next)) != NULL)
        first = next;
    due->last = first;
}

/* The thread is in a callback from now on. Give the result to
 * cf__cancel_restore(). */
static int
enter(struct cf__due *due)
{
    cf__thread.due = due;
    return cf__user_code_begin();
}

void
cf__callbacks_run(cf_future *f, struct cf__callback *callbacks)
{
    if (!callbacks) {
        cf__future_unref(f);
        return;
    }
    cf__observer_acquire(f);
    for (struct cf__callback *at = callbacks, *next; at; at = next) {
        next = cf_load_relaxed(&at->next); /* out of the list: the thread's */
        at->f = f;
        at->drop = !next;
        at->generation = cf__generation;
    }
    struct cf__due *due = cf__thread.due;
    if (due) {
        append(due, callbacks);
        return;
    }
    struct cf__due mine = {NULL, NULL, 0};
    struct run run = {&mine, NULL, false};
    append(&mine, callbacks);
    struct cf__scopes scopes = cf__scopes_hide();
    int former = enter(&mine);
    drain(&run);
    cf__cancel_restore(former);
    cf__scopes_show(scopes);
}

struct cf__due *
cf__callbacks_run_due(void)
{
    struct cf__due *due = cf__thread.due;
    struct run run = {due, NULL, true};
    if (due->first && due->waits < WAITS_MAX) {
        due->waits++;
        struct cf__scopes scopes = cf__scopes_hide();
        drain(&run);
        cf__scopes_show(scopes);
    }
    cf__thread.due = NULL;
    return due;
}

void
cf__callbacks_call_now(cf_future *f, cf_done_fn *fn, void *data)
{
    struct cf__due mine = {NULL, NULL, 0};
    struct run run = {&mine, cf_future_ref(f), false};
    struct cf__scopes scopes = cf__scopes_hide();
    int former = enter(&mine);
    pthread_cleanup_push(ended, &run);
    cf__callback_call(fn, f, data);
    pthread_cleanup_pop(0);
    let_go(&run);
    drain(&run);
    cf__cancel_restore(former);
    cf__scopes_show(scopes);
}
