/* SPDX-License-Identifier: MIT */
/*
 * A loop's part of libuv: see engine.h. No locks.
 */
#include "event_loop/engine.h"

#include "lib/base/cancel.h"
#include "lib/base/futex.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>

enum { WAITING = 1, ONE_SENT = 2 }; /* in sent */

/* --- waking --------------------------------------------------------------- */

void
cf__engine_send(struct cf__engine *engine)
{
    (void)uv_async_send(&engine->async); /* cannot fail on Linux */
    /* The last touch. pairs with await_senders: all that uv_async_send did */
    if (cf_fetch_add_seq_cst(&engine->sent, ONE_SENT) & WAITING)
        cf__futex_wake(&engine->sent, 1);
}

static void
await_senders(struct cf__engine *engine)
{
    uint32_t all = engine->owed * ONE_SENT | WAITING;
    /* pairs with send */
    uint32_t sent = cf_fetch_or_seq_cst(&engine->sent, WAITING) | WAITING;
    while (sent != all) {
        (void)cf__futex_wait(&engine->sent, sent, CF__NEVER);
        sent = cf_load_acquire(&engine->sent); /* pairs with send */
    }
}

/* The loop's thread looks at everything after each uv_run(). */
static void
woken(uv_async_t *async)
{
    (void)async;
}

/* --- the timer ------------------------------------------------------------ */

/* A deadline has come, or one that has been given up. */
static void
on_timer(uv_poll_t *timer, int status, int events)
{
    struct cf__engine *engine = timer->data;
    uint64_t count;
    (void)status;
    (void)events;
    (void)cf__read(engine->timer_fd, &count, sizeof count); /* rearms it */
    engine->armed_at = CF__NEVER;
}

void
cf__engine_arm(struct cf__engine *engine, int64_t deadline_ns)
{
    if (deadline_ns >= engine->armed_at)
        return;
    struct itimerspec at = {.it_value = cf__timespec(deadline_ns)};
    if (deadline_ns <= 0)
        at.it_value.tv_nsec = 1; /* 0 would disarm it */
    (void)timerfd_settime(engine->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    engine->armed_at = deadline_ns;
}

/* --- running -------------------------------------------------------------- */

bool
cf__engine_is_busy(const struct cf__engine *engine)
{
    /* What the program has may be no reason for uv_run() to go on. */
    return engine && (engine->shown || uv_loop_alive(&engine->uv));
}

bool
cf__engine_is_due(struct cf__engine *engine)
{
    uv_handle_t *async = (uv_handle_t *)&engine->async;
    uv_ref(async); /* else it is 0 */
    int timeout_ms = uv_backend_timeout(&engine->uv);
    uv_unref(async);
    if (timeout_ms > 0)
        cf__engine_arm(engine, cf__now_ns() + CF__MS(timeout_ms));
    return timeout_ms == 0;
}

static void
on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* Comes last before libuv sleeps. Callbacks before it, those of timers, may
 * have made something ready. */
static void
on_prepare(uv_prepare_t *prepare)
{
    struct cf__engine *engine = prepare->data;
    if (cf__evloop_has_work(engine->loop))
        (void)uv_idle_start(&engine->idle, on_idle); /* cannot fail */
}

static void
run(struct cf__engine *engine, uv_run_mode mode)
{
    uv_handle_t *async = (uv_handle_t *)&engine->async;
    uv_ref(async); /* else uv_run() may find nothing to do */
    engine->running = true;
    (void)uv_run(&engine->uv, mode);
    engine->running = false;
    (void)uv_idle_stop(&engine->idle);
    uv_unref(async);
}

void
cf__engine_look(struct cf__engine *engine)
{
    if (engine->fresh)
        engine->fresh = false;
    else
        run(engine, UV_RUN_NOWAIT);
}

void
cf__engine_sleep(struct cf__engine *engine, int64_t deadline_ns)
{
    cf__engine_arm(engine, deadline_ns);
    run(engine, UV_RUN_ONCE);
    engine->fresh = true;
}

/* --- begin and end -------------------------------------------------------- */

static void
close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Closes what is left; a program's callbacks may open more meanwhile. */
static void
close_all(struct cf__engine *engine)
{
    while (engine->lingering > 0)
        run(engine, UV_RUN_ONCE);
    do {
        uv_walk(&engine->uv, close_handle, NULL);
        (void)uv_run(&engine->uv, UV_RUN_DEFAULT);
    } while (uv_loop_close(&engine->uv) == UV_EBUSY);
    if (engine->timer_fd >= 0)
        cf__close(engine->timer_fd);
    cf__spares_fini(&engine->spares);
    free(engine);
}

void
cf__engine_free(struct cf__engine *engine)
{
    await_senders(engine);
    if (engine->running)
        return; /* pthread_exit() in a callback: libuv is in the middle */
    while (engine->objects.next != &engine->objects) {
        struct cf__io_object *object = engine->objects.next;
        cf__io_remove(object);
        object->end(object);
    }
    close_all(engine);
}

static int
init_handles(struct cf__engine *engine)
{
    int rc = uv_async_init(&engine->uv, &engine->async, woken);
    if (rc)
        return rc;
    uv_unref((uv_handle_t *)&engine->async);
    (void)uv_idle_init(&engine->uv, &engine->idle); /* cannot fail, all three */
    (void)uv_prepare_init(&engine->uv, &engine->prepare);
    (void)uv_prepare_start(&engine->prepare, on_prepare);
    uv_unref((uv_handle_t *)&engine->prepare);
    engine->prepare.data = engine;
    engine->timer_fd =
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (engine->timer_fd < 0)
        return uv_translate_sys_error(errno);
    rc = uv_poll_init(&engine->uv, &engine->timer, engine->timer_fd);
    if (rc)
        return rc;
    uv_unref((uv_handle_t *)&engine->timer);
    engine->timer.data = engine;
    return uv_poll_start(&engine->timer, UV_READABLE, on_timer);
}

cf_err
cf__engine_new(struct cf__evloop *loop, struct cf__engine **out)
{
    struct cf__engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return CF_ENOMEM;
    int rc = uv_loop_init(&engine->uv);
    if (rc) {
        free(engine);
        return cf__io_error(rc);
    }
    engine->loop = loop;
    engine->timer_fd = -1;
    engine->armed_at = CF__NEVER;
    engine->objects.next = engine->objects.prev = &engine->objects;
    rc = init_handles(engine);
    if (rc) {
        close_all(engine);
        return cf__io_error(rc);
    }
    *out = engine;
    return CF_OK;
}
