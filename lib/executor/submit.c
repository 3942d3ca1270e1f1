/* SPDX-License-Identifier: MIT */
/*
 * Submits: they check arguments, make futures and hand them to the backend. No
 * locks of their own.
 */
#include "lib/executor/submit.h"
#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/base/thread.h"
#include "lib/executor/argument.h"
#include "lib/executor/call.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/executor.h"
#include "lib/executor/observed_ops.h"
#include "lib/executor/remote.h"
#include "lib/executor/server.h"
#include "lib/future/callback.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <pthread.h>

struct chain {
    cf_executor *ex;
    cf_future *oldest, *newest;
    cf_future **out; /* count handles of the user; or NULL */
    size_t count;
};

void
cf__chain_discard(cf_future *oldest, const cf_future *newest)
{
    for (cf_future *f = oldest, *next; f; f = next) {
        next = f == newest ? NULL : cf_load_relaxed(&f->next); /* ours */
        cf__future_discard(f);
    }
}

/* The submitter is cancelled while it waits for room. Then it has not
 * submitted. */
static void
give_up_chain(void *data)
{
    const struct chain *chain = data;
    const struct cf__attributes *attributes = chain->oldest->attributes;
    if (attributes && attributes->timeout_ns) /* a chain of one */
        cf__timers_unreserve(chain->ex->timers);
    cf__chain_discard(chain->oldest, chain->newest);
    if (chain->out)
        memset(chain->out, 0, chain->count * sizeof *chain->out);
}

/* Hands a chain to the backend if the bound has room. firmly: see
 * CF__ENTRY_FIRMLY. */
static cf_err
enqueue_bounded(cf_executor *ex,
                cf_future *oldest,
                cf_future *newest,
                size_t count,
                cf_future **out,
                bool firmly)
{
    if (ex->ops->remote) /* tasks that have begun meanwhile make room */
        ex->ops->remote->attend(ex);
    struct chain chain = {ex, oldest, newest, out, count};
    enum cf__entry entry = cf__entry_to(ex);
    if (firmly && entry == CF__ENTRY_BY_POLICY)
        entry = CF__ENTRY_FIRMLY;
    enum cf__bound_answer answer;
    cf_err err;
    pthread_cleanup_push(give_up_chain, &chain);
    cf__callbacks_resume(cf__callbacks_pause()); /* it may wait for room */
    answer = cf__bound_acquire(ex->bound, count, entry, &err);
    pthread_cleanup_pop(0);
    if (answer == CF__BOUND_CALLER_RUNS && cf__observers)
        cf__observed_begin_chain(oldest, newest);
    if (answer == CF__BOUND_CALLER_RUNS)
        return cf__caller_run(ex, oldest, newest, count);
    if (answer == CF__BOUND_REFUSED)
        return err;
    err = ex->ops->submit(ex, oldest, newest, count);
    if (err)
        cf__bound_release(ex->bound, count);
    return err;
}

/* Hands a chain, from the oldest to the newest, to the backend. The user's
 * handles are in out already: a task that this thread runs may end the
 * thread. */
static inline cf_err
enqueue(cf_executor *ex,
        cf_future *oldest,
        cf_future *newest,
        size_t count,
        cf_future **out)
{
    return __builtin_expect(!ex->bound, 1)
               ? ex->ops->submit(ex, oldest, newest, count)
               : enqueue_bounded(ex, oldest, newest, count, out, false);
}

cf_err
cf__submit_chain(cf_executor *ex,
                 cf_future *oldest,
                 cf_future *newest,
                 size_t count,
                 cf_future **out)
{
    return enqueue(ex, oldest, newest, count, out);
}

/* The same for one task. *out is set first. On error it is as before. */
static inline cf_err
enqueue_one(cf_executor *ex, cf_future *f, cf_future **out)
{
    cf_future *former = NULL;
    if (out) {
        former = *out;
        *out = f;
    }
    cf_err err = enqueue(ex, f, f, 1, out);
    if (__builtin_expect(err && out, 0))
        *out = former;
    return err;
}

/* NULL: no memory. */
static inline cf_future *
new_task(cf_executor *ex, cf_task_fn *fn, unsigned handles)
{
    cf_future *f = cf__block_alloc();
    if (__builtin_expect(f != NULL, 1))
        cf__future_init(f, ex, fn, ex->future_bits, handles);
    return f;
}

/* An argument that is not short, or the cache of the thread has no block. Not
 * inlined: so the common way has fewer registers to save. */
__attribute__((noinline)) static cf_err
submit_rarely(cf_executor *ex,
              cf_task_fn *fn,
              const void *arg,
              size_t arg_size,
              cf_future **out)
{
    if (!ex || !fn || (!arg && arg_size)) {
        return cf__einval("cf_submit",
                          !ex   ? "ex is NULL"
                          : !fn ? "fn is NULL"
                                : "arg is NULL, but arg_size is not 0");
    }
    cf_future *f = new_task(ex, fn, out ? 2 : 1);
    if (!f)
        return CF_ENOMEM;
    cf_err err = cf__future_set_arg(f, arg, arg_size);
    if (!err)
        err = enqueue_one(ex, f, out);
    if (err)
        cf__future_discard(f);
    return err;
}

cf_err
cf_submit(cf_executor *ex,
          cf_task_fn *fn,
          const void *arg,
          size_t arg_size,
          cf_future **out)
{
    if (!ex || !fn || (!arg && arg_size))
        return submit_rarely(ex, fn, arg, arg_size, out);
    if (__builtin_expect(arg_size > CF__SHORT || !cf__thread.free_blocks, 0))
        return submit_rarely(ex, fn, arg, arg_size, out);
    cf_future *f = new_task(ex, fn, out ? 2 : 1);
    cf__future_set_short_arg(f, arg, arg_size);
    cf_err err = enqueue_one(ex, f, out);
    if (__builtin_expect(err != CF_OK, 0))
        cf__future_discard(f);
    return err;
}

bool
cf__submit_would_wait(cf_executor *ex)
{
    if (!ex->bound || cf__entry_to(ex) != CF__ENTRY_BY_POLICY)
        return false;
    if (ex->ops->remote) /* tasks that have begun meanwhile make room */
        ex->ops->remote->attend(ex);
    return cf__bound_is_full(ex->bound);
}

static cf_err
enqueue_at_once(cf_executor *ex, cf_future *f)
{
    enum cf__entry entry = cf__entry_to(ex);
    if (entry == CF__ENTRY_BY_POLICY)
        entry = CF__ENTRY_AT_ONCE;
    cf_err err;
    if (cf__bound_acquire(ex->bound, 1, entry, &err) == CF__BOUND_REFUSED)
        return err;
    err = ex->ops->submit(ex, f, f, 1);
    if (err)
        cf__bound_release(ex->bound, 1);
    return err;
}

cf_err
cf__submit_block(cf_executor *ex,
                 cf_task_fn *fn,
                 void *block,
                 size_t size,
                 bool at_once,
                 cf_future **out)
{
    cf_future *f = new_task(ex, fn, 2);
    if (!f) {
        cf__arg_free(ex, block);
        return CF_ENOMEM;
    }
    cf__future_adopt_arg(f, block, size);
    int former = cf__cancel_disable(); /* its caller would undo nothing */
    cf_err err = !ex->bound ? ex->ops->submit(ex, f, f, 1)
                 : at_once  ? enqueue_at_once(ex, f)
                            : enqueue_bounded(ex, f, f, 1, NULL, true);
    cf__cancel_restore(former);
    if (err)
        cf__future_discard(f);
    else
        *out = f;
    return err;
}

/* NULL: nothing is. */
static const char *
wrong_in(const cf_task *task)
{
    const cf_object_ops *ops = task->arg_ops;
    if (!task->fn)
        return "fn is NULL";
    if (!task->arg && task->arg_size)
        return "arg is NULL, but arg_size is not 0";
    if (!cf__timeout_valid(task->timeout_ns))
        return "timeout_ns is below -1, which is CF_FOREVER";
    if (task->delay_ns < 0)
        return "delay_ns is negative";
    if (task->flags & ~(unsigned)CF_WHEN_ANYWAY)
        return "flags has an unknown bit";
    if (task->arg_free && task->arg_size)
        return "arg_free is set, but arg_size bytes are copied: nothing is "
               "left to free";
    if (!ops)
        return NULL;
    if (!task->arg)
        return "arg_ops is set, but arg is NULL";
    if (ops->size == 0)
        return "arg_ops->size is 0";
    if (task->arg_free)
        return "arg_ops and arg_free are set";
    return task->arg_size && task->arg_size != ops->size
               ? "arg_size is neither 0 nor arg_ops->size"
               : NULL;
}

static cf_err
check_task(const cf_task *task)
{
    const char *why = wrong_in(task);
    return why ? cf__einval("cf_task", why) : CF_OK;
}

/* Attributes, which few tasks set. *out is NULL if the task sets none; not if
 * they are needed. */
static cf_err
make_attributes(const cf_task *task, bool needed, struct cf__attributes **out)
{
    *out = NULL;
    if (!needed && !task->delay_ns && !task->arg_free && !task->name &&
        !task->priority && task->timeout_ns <= 0 && !task->user_data)
        return CF_OK;
    struct cf__attributes *attributes =
        (struct cf__attributes *)(void *)cf__block_alloc();
    if (!attributes)
        return CF_ENOMEM;
    attributes->name = task->name;
    attributes->arg_free = task->arg_free;
    attributes->user_data = task->user_data;
    attributes->priority = task->priority;
    attributes->timeout_ns = task->timeout_ns > 0 ? task->timeout_ns : 0;
    attributes->begun_at = attributes->timer_at = 0;
    attributes->late_error = NULL;
    attributes->timer_index = 0;
    attributes->due = NULL;
    attributes->deferred = NULL;
    attributes->skipped = NULL;
    *out = attributes;
    return CF_OK;
}

static cf_err
submit_with_attributes(cf_executor *ex, cf_future *f, cf_future **out)
{
    bool timed = f->attributes && f->attributes->timeout_ns;
    if (timed) {
        cf_err err = cf__timers_reserve(ex->timers);
        if (err)
            return err;
    }
    cf_err err = enqueue_one(ex, f, out);
    if (err && timed)
        cf__timers_unreserve(ex->timers);
    return err;
}

cf_err
cf__submit_prepare(cf_executor *ex,
                   const cf_task *task,
                   unsigned handles,
                   bool attributes,
                   struct cf__terms *terms,
                   cf_future **out)
{
    cf_task known;
    cf_err err = cf__options_import(&known, sizeof known, task);
    if (!err)
        err = check_task(&known);
    if (!err &&
        ((known.arg_ops && ex->ops->remote) || (known.delay_ns && !terms)))
        err = CF_ENOTSUP;
    if (err)
        return err;
    if (terms) {
        terms->delay_ns = known.delay_ns;
        terms->anyway = known.flags & CF_WHEN_ANYWAY;
    }
    cf_future *f = new_task(ex, known.fn, handles);
    if (!f)
        return CF_ENOMEM;
    err = make_attributes(&known, attributes, &f->attributes);
    if (!err && known.arg_ops)
        err = cf__future_set_object(f, known.arg_ops, (void *)known.arg);
    else if (!err)
        err = cf__future_set_arg(f, known.arg, known.arg_size);
    if (err) {
        cf__future_discard(f);
        return err;
    }
    if (cf__observers) /* others may know it before the backend does */
        cf__observed_begin(f);
    *out = f;
    return CF_OK;
}

cf_err
cf__submit_prepared(cf_future *f, cf_future **out)
{
    cf_err err = submit_with_attributes(f->executor, f, out);
    if (err)
        cf__future_discard(f);
    return err;
}

cf_err
cf_submit_task(cf_executor *ex, const cf_task *task, cf_future **out)
{
    cf_future *f;
    struct cf__terms terms = {0};
    if (!ex || !task)
        return cf__einval(__func__, !ex ? "ex is NULL" : "task is NULL");
    cf_err err = cf__submit_prepare(ex, task, out ? 2 : 1, false, &terms, &f);
    if (err)
        return err;
    return terms.delay_ns ? cf__defer(f, NULL, 0, terms, out)
                          : cf__submit_prepared(f, out);
}

cf_err
cf__submit_hold(cf_future *f)
{
    struct cf__bound *bound = f->executor->bound;
    bool timed = f->attributes && f->attributes->timeout_ns;
    cf_err err = timed ? cf__timers_reserve(f->executor->timers) : CF_OK;
    if (err || !bound ||
        cf__bound_acquire(bound, 1, CF__ENTRY_OVER, &err) != CF__BOUND_REFUSED)
        return err;
    if (timed)
        cf__timers_unreserve(f->executor->timers);
    return err;
}

cf_err
cf__submit_held(cf_future *f)
{
    return f->executor->ops->submit(f->executor, f, f, 1);
}
