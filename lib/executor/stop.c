/* SPDX-License-Identifier: MIT */
/* What ends a wait before its time: see stop.h. No locks. */
#include "lib/executor/stop.h"

#include "lib/base/clock.h"
#include "lib/executor/scope.h"

#define LOOK_NS CF__MS(10)

/* The innermost task on worker's stack has been told to stop. */
static bool
worker_told(struct cf__worker *worker)
{
    const cf_executor *ex = worker->executor;
    const cf_future *f = ex->ops->running ? ex->ops->running(worker) : NULL;
    if (!f)
        return false;
    /* Pairs with the thread that tells the task to stop: the caller then sees
     * what that thread did before. A worker that is woken sees why, by the
     * parker. */
    uint64_t word = cf_load_acquire(&f->word);
    return cf__is_done(word) || word & (CF__INTERRUPT | CF__COMPLETING) ||
           cf_load_acquire(&ex->terminated); /* as above */
}

/* A call of the worker's own executor knows all. */
static bool
task_told(struct cf__worker *worker, const cf_call *call)
{
    if (call && cf__call_canceled(call))
        return true;
    return worker && !(call && call->executor == worker->executor) &&
           worker_told(worker);
}

/* Why the scope has struck; CF_OK: it has not. now: 0 without a clock. */
static cf_err
struck(const cf_scope *scope, int64_t now)
{
    if (scope->told == CF_ETIMEDOUT || scope->told == CF_ECANCELED)
        return scope->told;
    /* pairs with cf_scope_cancel: what came before it */
    if (cf_load_acquire(&scope->cancel) != CF__SCOPE_OPEN)
        return CF_ECANCELED;
    return scope->deadline_ns <= now ? CF_ETIMEDOUT : CF_OK;
}

/* The code in the scopes from the innermost to last, or to the first shield, is
 * told why: last has struck. NULL: the task is to stop. */
static void
note(const cf_scope *last, cf_err why)
{
    struct cf__scopes at = cf__thread.scopes;
    while (!at.shields && at.innermost) {
        cf_scope *scope = at.innermost;
        if (scope == last) {
            scope->told = why;
            return;
        }
        if (scope->told == CF_OK)
            scope->told = CF_EINTERRUPTED;
        at = scope->outer;
    }
}

bool
cf__told_to_stop_somewhere(struct cf__worker *worker,
                           const cf_call *call,
                           bool look)
{
    struct cf__scopes at = cf__thread.scopes;
    if (__builtin_expect(at.count == 0, 1))
        return task_told(worker, call);
    int64_t now = 0;
    if (look && at.innermost && at.innermost->stop_ns != CF__NEVER) {
        now = cf__scopes_settle();
        if (now == 0)
            now = cf__now_ns();
    }
    while (!at.shields) {
        cf_scope *scope = at.innermost;
        cf_err why = scope ? struck(scope, now) : CF_OK;
        if (why || (!scope && task_told(worker, call))) {
            note(scope, why);
            return true;
        }
        if (!scope)
            return false;
        at = scope->outer;
    }
    return false;
}

int64_t
cf__stop_in_scopes(int64_t deadline_ns)
{
    const struct cf__scopes *scopes = &cf__thread.scopes;
    (void)cf__scopes_settle();
    if (scopes->innermost && !scopes->shields)
        deadline_ns = cf__sooner(deadline_ns, scopes->innermost->stop_ns);
    /* No thread can wake one that serves: it looks now and then. */
    if (cf__thread.server)
        deadline_ns = cf__sooner(deadline_ns, cf__now_ns() + LOOK_NS);
    return deadline_ns;
}
