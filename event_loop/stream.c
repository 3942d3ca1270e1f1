/* SPDX-License-Identifier: MIT */
/*
 * The life of a stream. It is freed when libuv has closed its handle and no
 * task is in a call for it. See stream.h.
 */
#include "event_loop/stream.h"

#include "event_loop/address.h"
#include "event_loop/engine.h"
#include "lib/base/contract.h"
#include "lib/base/einval.h"

#include <errno.h>
#include <stdlib.h>

cf_stream *
cf__stream_new(struct cf__evloop *loop)
{
    cf_stream *s = calloc(1, sizeof *s);
    if (s)
        s->loop = loop;
    return s;
}

void
cf__stream_drop_ahead(cf_stream *s)
{
    struct cf__ahead *ahead = &s->ahead;
    if (ahead->capacity == CF__SPARE_SIZE)
        cf__spares_give(&s->loop->engine->spares, ahead->data);
    else
        free(ahead->data);
    *ahead = (struct cf__ahead){NULL, 0, 0, 0};
}

static void
free_unused(cf_stream *s)
{
    if (!s->gone || s->reader || s->writer)
        return;
    cf__stream_drop_ahead(s);
    free(s);
}

static void
on_closed(uv_handle_t *handle)
{
    cf_stream *s = handle->data;
    s->gone = true;
    free_unused(s);
}

void
cf__stream_end(cf_stream *s)
{
    s->closed = true;
    cf__io_remove(&s->object);
    if (s->reader)
        cf__io_finish(&s->reader->waiter);
    cf__io_finish(s->writer);
    uv_close(&s->uv.handle, on_closed);
}

/* The loop has ended: no task uses what tasks have left. */
static void
end_with_loop(struct cf__io_object *object)
{
    cf_stream *s = (cf_stream *)object;
    s->reader = NULL;
    s->writer = NULL;
    cf__stream_end(s);
}

void
cf__stream_begin(cf_stream *s)
{
    s->uv.handle.data = s;
    cf__io_add(s->loop, &s->object, end_with_loop);
}

cf_err
cf__stream_leave(cf_stream *s, cf_err err)
{
    if (!s->closed)
        return err;
    free_unused(s);
    return CF_EINTERRUPTED;
}

void
cf_stream_close(cf_stream *s)
{
    struct cf__coroutine *self;
    if (!s)
        return;
    cf_err err = cf__io_enter(s->loop, &self);
    if (err == CF_EFORKED)
        return;
    cf__contract(!err, "cf_stream_close() outside of the stream's loop");
    cf__stream_end(s);
}

int
cf__stream_descriptor(const cf_stream *s)
{
    uv_os_fd_t fd;
    return uv_fileno(&s->uv.handle, &fd) == 0 ? fd : -1;
}

int
cf_stream_fd(const cf_stream *s)
{
    return s ? cf__stream_descriptor(s) : -1;
}

cf_err
cf_stream_peer_name(const cf_stream *s, char *text, size_t size)
{
    struct cf__address address = {.size = sizeof address.as};
    const char *why = s ? cf__wrong_text(text, size) : "s is NULL";
    if (why)
        return cf__einval(__func__, why);
    *text = 0;
    if (getpeername(cf__stream_descriptor(s), &address.as.any, &address.size) !=
        0)
        return errno == ENOTSOCK ? CF_ENOTSUP : CF_ESYS;
    return cf__address_text(&address, "tcp", text, size);
}
