/* SPDX-License-Identifier: MIT */
/*
 * How a task waits for libuv: see io.h. No locks.
 */
#include "event_loop/io.h"

#include "event_loop/engine.h"
#include "lib/base/einval.h"
#include "lib/executor/budget.h"
#include "lib/executor/stop.h"
#include "lib/future/callback.h"

cf_err
cf__io_begin(const cf_call *call,
             struct cf__evloop **loop,
             struct cf__coroutine **self)
{
    if (!call)
        return cf__einval("cf_call", "call is NULL");
    cf_executor *ex = call->executor;
    if (!ex || !ex->ops->tasks_suspend) /* only a loop's do */
        return CF_ENOTSUP;
    if (cf__executor_forked(ex))
        return CF_EFORKED;
    if (!cf__is_own_worker(ex)) /* its submitter runs the task */
        return CF_ENOTSUP;
    *loop = cf__evloop_of(ex);
    *self = cf__coroutine_of(cf__thread.worker);
    return (*loop)->engine ? CF_OK : cf__engine_new(*loop, &(*loop)->engine);
}

struct uv_loop_s *
cf_event_loop_uv(cf_executor *ex)
{
    if (!ex || !ex->ops->tasks_suspend || cf__executor_forked(ex))
        return NULL;
    struct cf__evloop *loop = cf__evloop_of(ex);
    if (!cf__evloop_is_here(loop))
        return NULL;
    if (!loop->engine && cf__engine_new(loop, &loop->engine))
        return NULL;
    loop->engine->shown = true;
    return &loop->engine->uv;
}

uv_loop_t *
cf__io_uv(struct cf__evloop *loop)
{
    return &loop->engine->uv;
}

static cf_err
park_until(struct cf__worker *self, const bool *done, int64_t deadline_ns)
{
    bool late = false;
    while (!*done) {
        if (cf__executor_forked(self->executor))
            return CF_EFORKED;
        if (cf__told_to_stop(self, NULL, late))
            return CF_EINTERRUPTED;
        if (deadline_ns == 0)
            return CF_ETIMEDOUT;
        int64_t until = cf__stop_at(deadline_ns);
        bool in_time = cf__worker_park(self, until);
        if (!in_time && until == deadline_ns && !*done)
            return CF_ETIMEDOUT;
        late = !in_time;
    }
    return CF_OK;
}

cf_err
cf__io_wait(struct cf__evloop *loop,
            struct cf__coroutine *self,
            const bool *done,
            int64_t deadline_ns)
{
    (void)loop;
    if (*done) {
        if (deadline_ns != 0)
            cf__budget_spend();
        return CF_OK;
    }
    struct cf__due *due = cf__callbacks_pause();
    cf_err err = park_until(&self->base, done, deadline_ns);
    cf__callbacks_resume(due);
    return err;
}

void
cf__io_add(struct cf__evloop *loop,
           struct cf__io_object *object,
           void (*end)(struct cf__io_object *object))
{
    struct cf__io_object *first = &loop->engine->objects;
    object->end = end;
    object->prev = first;
    object->next = first->next;
    first->next->prev = object;
    first->next = object;
}
