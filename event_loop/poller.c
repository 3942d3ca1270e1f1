/* SPDX-License-Identifier: MIT */
/* Descriptors that tasks read and write themselves: see poller.h. */
#include "event_loop/poller.h"

#include "lib/base/cancel.h"
#include "lib/base/contract.h"

static void
free_unused(struct cf__poller *p)
{
    if (p->gone && !p->reader && !p->writer)
        p->free(p);
}

static void
on_closed(uv_handle_t *handle)
{
    struct cf__poller *p = handle->data;
    cf__close(p->fd);
    p->gone = true;
    free_unused(p);
}

static void
end(struct cf__poller *p)
{
    p->closed = true;
    cf__io_remove(&p->object);
    cf__io_finish(p->reader);
    cf__io_finish(p->writer);
    uv_close((uv_handle_t *)&p->uv, on_closed);
}

/* No task uses what tasks have left. */
static void
end_with_loop(struct cf__io_object *object)
{
    struct cf__poller *p = (struct cf__poller *)object;
    p->reader = NULL;
    p->writer = NULL;
    end(p);
}

void
cf__poller_close(struct cf__poller *p, const char *outside)
{
    struct cf__coroutine *self;
    cf_err err = cf__io_enter(p->loop, &self);
    if (err == CF_EFORKED)
        return;
    cf__contract(!err, outside);
    end(p);
}

cf_err
cf__poller_init(struct cf__poller *p,
                struct cf__evloop *loop,
                int fd,
                void (*free)(struct cf__poller *poller))
{
    int rc = uv_poll_init(cf__io_uv(loop), &p->uv, fd);
    if (rc)
        return cf__io_error(rc);
    p->uv.data = p;
    p->loop = loop;
    p->fd = fd;
    p->free = free;
    cf__io_add(loop, &p->object, end_with_loop);
    return CF_OK;
}

static int watch(struct cf__poller *p, int events);

/* An error of libuv's or of the descriptor's: the tasks' next try shows it. */
static void
on_event(uv_poll_t *uv, int status, int events)
{
    struct cf__poller *p = uv->data;
    int unwanted = 0;
    if (status < 0) { /* then libuv has stopped to look */
        p->watched = 0;
        events = UV_READABLE | UV_WRITABLE;
    }
    if (events & UV_READABLE) {
        if (p->waits_to_read)
            cf__io_finish(p->reader);
        else
            unwanted |= UV_READABLE;
    }
    if (events & UV_WRITABLE) {
        if (p->waits_to_write)
            cf__io_finish(p->writer);
        else
            unwanted |= UV_WRITABLE;
    }
    if (unwanted & p->watched)
        (void)watch(p, p->watched & ~unwanted);
}

static int
watch(struct cf__poller *p, int events)
{
    int rc =
        events ? uv_poll_start(&p->uv, events, on_event) : uv_poll_stop(&p->uv);
    if (rc == 0)
        p->watched = events;
    return rc;
}

cf_err
cf__poller_wait(struct cf__poller *p,
                struct cf__io_waiter *waiter,
                int event,
                int64_t deadline_ns)
{
    if (p->closed)
        return CF_EINTERRUPTED;
    int rc = event & ~p->watched ? watch(p, p->watched | event) : 0;
    if (rc)
        return cf__io_error(rc);
    waiter->done = false;
    p->waits_to_read |= event == UV_READABLE;
    p->waits_to_write |= event == UV_WRITABLE;
    cf_err err = cf__io_wait(p->loop, waiter->self, &waiter->done, deadline_ns);
    if (event == UV_READABLE)
        p->waits_to_read = false;
    if (event == UV_WRITABLE)
        p->waits_to_write = false;
    return p->closed ? CF_EINTERRUPTED : err;
}

cf_err
cf__poller_leave(struct cf__poller *p, struct cf__io_waiter **slot, cf_err err)
{
    *slot = NULL;
    if (!p->closed)
        return err;
    free_unused(p);
    return CF_EINTERRUPTED;
}
