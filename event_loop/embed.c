/* SPDX-License-Identifier: MIT */
/*
 * A loop inside of a program's own uv_loop_t: see embed.h. No locks, but for
 * loop->lock, which guards whether it has ended.
 */
#include "event_loop/embed.h"

#include "event_loop/engine.h"

#include <stdlib.h>

enum { ROUNDS = 16, HANDLES = 3 };

/* Handles in the program's uv_loop_t. loop->inside is the address of loop. */
struct cf__embedded {
    struct cf__evloop *loop; /* NULL: it has ended */
    uv_prepare_t prepare;    /* takes turns before libuv sleeps */
    uv_idle_t idle;          /* active: libuv does not sleep */
    uv_poll_t poll;          /* ends its sleep when the loop's own has events */
    int open;
};

static void
on_closed(uv_handle_t *handle)
{
    struct cf__embedded *embedded = handle->data;
    if (--embedded->open == 0)
        free(embedded);
}

static void
close_handles(struct cf__embedded *embedded)
{
    uv_close((uv_handle_t *)&embedded->prepare, on_closed);
    uv_close((uv_handle_t *)&embedded->idle, on_closed);
    uv_close((uv_handle_t *)&embedded->poll, on_closed);
}

/* What other threads push from now on ends libuv's sleep. */
static void
fall_asleep(struct cf__evloop *loop)
{
    /* If there is an entry, the loop is busy, and libuv does not sleep. */
    loop->marked = cf__woken_mark(&loop->woken, CF__ASLEEP_IN_ENGINE);
    cf__fence_full(); /* pairs with cf__evloop_wake */
    cf__evloop_be_idle(loop);
    int64_t trim_at = cf__coroutine_trim_at(loop);
    if (trim_at != CF__NEVER && cf__now_ns() >= trim_at) {
        cf__coroutine_trim(loop);
        trim_at = CF__NEVER;
    }
    cf__engine_arm(loop->engine,
                   cf__sooner(cf__timer_heap_next(&loop->timers), trim_at));
}

/* Some turns, until there is nothing to do for now. false: the loop has ended,
 * and perhaps has been freed; or this is a fork's child. */
static bool
take_turns(struct cf__evloop *loop)
{
    struct cf__embedded *embedded = (struct cf__embedded *)loop->inside;
    cf__evloop_unmark(loop);
    if (!cf__evloop_take_turns(loop, ROUNDS))
        return false;
    if (cf__evloop_is_over(loop)) {
        close_handles(embedded);
        cf__evloop_finish(loop);
        return false;
    }
    fall_asleep(loop);
    return true;
}

/* libuv must not sleep. */
static bool
is_busy(struct cf__evloop *loop)
{
    return cf__evloop_has_work(loop) || cf__evloop_is_over(loop) ||
           cf__engine_is_due(loop->engine);
}

static void
on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void
on_prepare(uv_prepare_t *prepare)
{
    struct cf__embedded *embedded = prepare->data;
    struct cf__evloop *loop = embedded->loop;
    if (!loop) /* a task has ended the thread that it was in */
        close_handles(embedded);
    if (!loop || cf__executor_forked(&loop->base) || !take_turns(loop))
        return;
    if (is_busy(loop))
        (void)uv_idle_start(&embedded->idle, on_idle); /* cannot fail */
    else
        (void)uv_idle_stop(&embedded->idle);
}

/* The next turn looks what it is. */
static void
on_event(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

cf_err
cf__embed_await(struct cf__evloop *loop, int64_t deadline_ns)
{
    while (take_turns(loop)) {
        if (deadline_ns != CF__NEVER && cf__now_ns() >= deadline_ns)
            return CF_ETIMEDOUT;
        if (!is_busy(loop))
            cf__evloop_sleep_in_engine(loop, deadline_ns);
    }
    return cf__generation_now() == loop->base.generation ? CF_OK : CF_EFORKED;
}

static int
open_handles(struct cf__embedded *embedded, uv_loop_t *uv, int fd)
{
    (void)uv_prepare_init(uv, &embedded->prepare); /* cannot fail, both */
    (void)uv_idle_init(uv, &embedded->idle);
    embedded->prepare.data = embedded->idle.data = embedded;
    embedded->open = HANDLES - 1;
    int rc = uv_poll_init(uv, &embedded->poll, fd);
    if (rc) {
        uv_close((uv_handle_t *)&embedded->prepare, on_closed);
        uv_close((uv_handle_t *)&embedded->idle, on_closed);
        return rc;
    }
    embedded->open = HANDLES;
    embedded->poll.data = embedded;
    (void)uv_prepare_start(&embedded->prepare, on_prepare);
    rc = uv_poll_start(&embedded->poll, UV_READABLE, on_event);
    if (rc)
        close_handles(embedded);
    return rc;
}

cf_err
cf__embed(struct cf__evloop *loop)
{
    struct cf__embedded *embedded = calloc(1, sizeof *embedded);
    if (!embedded)
        return CF_ENOMEM;
    cf_err err = cf__engine_new(loop, &loop->engine);
    if (err) {
        free(embedded);
        return err;
    }
    loop->engine->shown = true; /* it is looked at in each turn */
    int rc = open_handles(
        embedded, loop->options.uv_loop, uv_backend_fd(&loop->engine->uv));
    if (rc) {
        cf__engine_free(loop->engine);
        loop->engine = NULL;
        return cf__io_error(rc);
    }
    embedded->loop = loop;
    loop->inside = &embedded->loop;
    loop->begun = true; /* its end closes the handles */
    cf_store_relaxed(&loop->owner, pthread_self()); /* before any task */
    fall_asleep(loop);
    return CF_OK;
}
