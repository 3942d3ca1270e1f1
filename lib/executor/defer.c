/* SPDX-License-Identifier: MIT */
/* A task is deferred: see defer.h, and README.md, "Deferred tasks". No locks of
 * its own. */
#include "lib/executor/defer.h"

#include "lib/executor/argument.h"
#include "lib/executor/settle.h"

/* Runs in the thread that completed the last input, or a failed one. */
static void
inputs_done(cf_future *input, void *data)
{
    (void)input;
    cf__settle(data);
}

/* Runs in the timers' thread. */
static void
time_is_up(cf_future *f)
{
    struct cf__deferred *d = cf__deferred_due(f);
    if (d)
        cf__settle(d);
}

/* true: it needs room in the timers, for a delay or for its timeout. */
static bool
needs_timer(const cf_future *f, struct cf__terms terms)
{
    return terms.delay_ns > 0 || f->attributes->timeout_ns > 0;
}

static cf_err
discard(cf_future *f, cf_err err)
{
    cf__future_discard(f);
    return err;
}

cf_err
cf__defer(cf_future *f,
          cf_future *const *inputs,
          size_t count,
          struct cf__terms terms,
          cf_future **out)
{
    cf_executor *ex = f->executor;
    const bool delayed = terms.delay_ns > 0;
    int64_t at_ns = delayed ? cf__deadline(terms.delay_ns) : 0;
    if (cf__executor_forked(ex))
        return discard(f, CF_EFORKED);
    if (!ex->ops->shutdown) /* a worker's own: its process may end any time */
        return discard(f, CF_ENOTSUP);
    cf_err err = needs_timer(f, terms) ? cf__timers_reserve(ex->timers) : CF_OK;
    if (err)
        return discard(f, err);
    struct cf__deferred *d = cf__deferred_new(f, inputs, count, inputs_done);
    err = d ? CF_OK : CF_ENOMEM;
    if (d) {
        d->anyway = terms.anyway;
        d->timed = delayed && f->attributes->timeout_ns == 0;
        d->close = cf__settle_closed;
        cf__deferred_listen(d, delayed);
        if (!cf__deferred_link(d, delayed ? time_is_up : NULL, at_ns)) {
            cf__deferred_discard(d);
            err = CF_ESHUTDOWN;
        }
    }
    if (err) {
        if (needs_timer(f, terms))
            cf__timers_unreserve(ex->timers);
        return discard(f, err);
    }
    if (out)
        *out = f;
    if (cf__deferred_open(d))
        cf__settle(d); /* the inputs have become done meanwhile */
    else
        cf__deferred_unref(d);
    return CF_OK;
}
