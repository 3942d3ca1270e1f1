/* SPDX-License-Identifier: MIT */
/* What a user asks of a future without waiting: in any state. */
#include "lib/executor/ask.h"

#include "lib/base/einval.h"
#include "lib/executor/pending.h"
#include "lib/executor/remote.h"
#include "lib/future/callback.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <stdlib.h>

cf_state
cf_future_state(const cf_future *f)
{
    if (!f)
        return CF_PENDING;
    (void)cf_future_done(f);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    if (cf__maybe_not_started(word) && !cf__remote_of(f)->started(f))
        return CF_PENDING;
    if (cf__is_done(word))
        cf__observed_seen(f);
    return cf__state(word);
}

const char *
cf_state_name(cf_state state)
{
    switch (state) {
    case CF_PENDING:
        return "pending";
    case CF_RUNNING:
        return "running";
    case CF_CANCELED:
        return "canceled";
    case CF_FINISHED:
        return "finished";
    }
    return "unknown";
}

bool
cf_future_done(const cf_future *f)
{
    if (!f)
        return false;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    if (!cf__is_done(word) && word & CF__REMOTE) {
        cf__remote_of(f)->attend(f->executor);
        word = cf_load_acquire(&f->word); /* pairs with finish */
    }
    if (!cf__is_done(word))
        return false;
    cf__observed_seen(f);
    return true;
}

const char *
cf_future_message(cf_future *f)
{
    if (!f)
        return cf_strerror(CF_EINVAL);
    switch (cf_future_state(f)) {
    case CF_PENDING:
        return "the task has not begun";
    case CF_RUNNING:
        return "the task is running";
    case CF_CANCELED:
        return cf_strerror(CF_ECANCELED);
    case CF_FINISHED:
        break;
    }
    const cf_error *error = cf_future_error(f);
    if (!error)
        return cf_strerror(CF_OK);
    return *error->message ? error->message : cf_strerror(error->kind);
}

bool
cf_future_cancel(cf_future *f)
{
    if (!f || cf__forked(f))
        return false;
    cf__future_expect(f, "cf_future_cancel(): the future is gone");
    return cf__future_cancel_now(f) || cf_future_state(f) == CF_CANCELED;
}

/* Ends the waits in f's task. The thread that completes f has to pass the list
 * of waiters, which this thread holds: so the executor is there. */
static void
end_waits(cf_future *f)
{
    if (!f->executor || !cf__waiters_hold(f))
        return;
    if (f->executor->ops->interrupt)
        f->executor->ops->interrupt(f->executor, f);
    cf__waiters_release(f);
}

bool
cf_future_interrupt(cf_future *f)
{
    if (!f || cf__forked(f))
        return false;
    if (cf_future_cancel(f))
        return true;
    /* f is no longer pending. On a finished future the bit means nothing. */
    uint64_t word = cf_fetch_or_acq_rel(&f->word, CF__INTERRUPT);
    if (cf__is_done(word))
        return false;
    if (word & CF__REMOTE)
        cf__remote_of(f)->interrupt(f);
    else
        end_waits(f);
    return true;
}

static bool
add_callback(cf_future *f, struct cf__callback *callback)
{
    if (!cf__waiters_add_callback(f, callback))
        return false;
    cf__remote_expect(f);
    return true;
}

void
cf__future_call_back(cf_future *f, struct cf__callback *callback)
{
    if (!cf_future_done(f) && add_callback(f, callback))
        return;
    if (cf__thread.due) {
        cf__callbacks_run(cf_future_ref(f), callback);
        return;
    }
    const struct cf__callback now = {.fn = callback->fn,
                                     .data = callback->data};
    free(callback);
    cf__callbacks_call_now(f, now.fn, now.data);
}

cf_err
cf_future_on_done(cf_future *f, cf_done_fn *fn, void *data)
{
    if (!f || !fn)
        return cf__einval(__func__, !f ? "f is NULL" : "fn is NULL");
    bool done = cf_future_done(f);
    cf__future_expect(f, "cf_future_on_done(): the future is gone");
    if (!done && cf__forked(f))
        return CF_OK; /* it will never be done here */
    if (done && !cf__thread.due) {
        cf__callbacks_call_now(f, fn, data);
        return CF_OK;
    }
    struct cf__callback *callback = malloc(sizeof *callback);
    if (!callback)
        return CF_ENOMEM;
    *callback = (struct cf__callback){.fn = fn, .data = data};
    cf__future_call_back(f, callback);
    return CF_OK;
}
