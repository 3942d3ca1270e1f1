/* SPDX-License-Identifier: MIT */
/* Streams of descriptors: see stream.h. */
#include "event_loop/stream.h"

#include "lib/base/cancel.h"
#include "lib/base/einval.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Neither can fail for a TCP socket on Linux, and a connection that lacks
 * them works. */
void
cf__stream_set_options(cf_stream *s, const cf_stream_options *options)
{
    unsigned keep_alive_s = options->keep_alive_s;
    if (!options->nagle)
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
    if (keep_alive_s > INT16_MAX) /* so much the system accepts */
        keep_alive_s = INT16_MAX;
    if (keep_alive_s > 0)
        (void)uv_tcp_keepalive(&s->uv.tcp, 1, keep_alive_s);
}

/* On error the handle either has to be closed, which leaves fd open, or was
 * never made: then *made is false. */
static int
open_handle(cf_stream *s, int fd, uv_handle_type type, bool *made)
{
    uv_loop_t *uv = cf__io_uv(s->loop);
    int rc;
    *made = true;
    switch (type) {
    case UV_TCP:
        rc = uv_tcp_init(uv, &s->uv.tcp);
        return rc ? rc : uv_tcp_open(&s->uv.tcp, fd);
    case UV_TTY:
        rc = uv_tty_init(uv, &s->uv.tty, fd, 0);
        *made = rc == 0;
        return rc;
    default:
        rc = uv_pipe_init(uv, &s->uv.pipe, 0);
        return rc ? rc : uv_pipe_open(&s->uv.pipe, fd);
    }
}

cf_err
cf__stream_open(struct cf__evloop *loop,
                int fd,
                uv_handle_type type,
                const cf_stream_options *options,
                cf_stream **out)
{
    bool made;
    cf_stream *s = cf__stream_new(loop);
    if (!s)
        return CF_ENOMEM;
    int rc = open_handle(s, fd, type, &made);
    if (rc && !made) {
        free(s);
        return cf__io_error(rc);
    }
    cf__stream_begin(s);
    if (rc) {
        cf__stream_end(s);
        return cf__io_error(rc);
    }
    if (type == UV_TCP)
        cf__stream_set_options(s, options);
    /* libuv has opened a terminal again: that one is the stream's. */
    if (cf__stream_descriptor(s) != fd && fd > STDERR_FILENO)
        cf__close(fd);
    *out = s;
    return CF_OK;
}

cf_err
cf_stream_from_fd(cf_call *call, int fd, cf_stream **out)
{
    static const cf_stream_options defaults = CF_STREAM_OPTIONS_INIT;
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    const char *why = !call    ? "call is NULL"
                      : fd < 0 ? "fd is negative"
                      : !out   ? "out is NULL"
                               : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__io_begin(call, &loop, &self);
    if (err)
        return err;
    if (fcntl(fd, F_GETFD) < 0)
        return CF_ESYS;
    uv_handle_type type = uv_guess_handle(fd);
    if (type != UV_TCP && type != UV_NAMED_PIPE && type != UV_TTY)
        return cf__einval(__func__,
                          "fd is no connected socket, pipe or terminal");
    return cf__stream_open(loop, fd, type, &defaults, out);
}
