/* SPDX-License-Identifier: MIT */
/* What can be asked of a future without waiting, in whatever state it is. */
#include "lib/future/future.h"

#include "lib/executor/executor.h"
#include "lib/executor/remote.h"

cf_state
cf_future_state(const cf_future *f)
{
    if (!f)
        return CF_PENDING;
    (void)cf_future_done(f);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    if (cf__maybe_not_started(word) && !cf__remote_of(f)->started(f))
        return CF_PENDING;
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
    if (cf__is_done(word) || !(word & CF__REMOTE))
        return cf__is_done(word);
    cf__remote_of(f)->attend(f->executor);
    return cf__is_done(cf_load_acquire(&f->word)); /* pairs with finish */
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
