/* SPDX-License-Identifier: MIT */
/* Streams to an address: see stream.h. */
#include "event_loop/address.h"
#include "event_loop/lookup.h"
#include "event_loop/socket.h"
#include "event_loop/stream.h"

#include "lib/base/options.h"

#include <errno.h>
#include <stdlib.h>

/* How long a listener whose backlog is full is left alone. */
#define FULL_NS CF__MS(5)

/* Lives until libuv has done with it. */
struct attempt {
    uv_connect_t request;
    struct cf__io_waiter *waiter; /* NULL: the task waits no more */
    int status;
};

struct connecting {
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    const cf_stream_options *options;
    int64_t deadline_ns;
};

static void
on_connected(uv_connect_t *request, int status)
{
    struct attempt *attempt = request->data;
    if (attempt->waiter) {
        attempt->status = status;
        cf__io_finish(attempt->waiter);
    } else {
        free(attempt);
    }
}

/* The stream is closed by the caller if this fails. */
static cf_err
attempt_tcp(const struct connecting *c,
            cf_stream *s,
            const struct cf__address *address)
{
    struct cf__io_waiter waiter = {c->self, false};
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt)
        return CF_ENOMEM;
    attempt->request.data = attempt;
    attempt->waiter = &waiter;
    int rc = uv_tcp_connect(
        &attempt->request, &s->uv.tcp, &address->as.any, on_connected);
    if (rc) {
        free(attempt);
        return cf__io_error(rc);
    }
    cf_err err = cf__io_wait(c->loop, c->self, &waiter.done, c->deadline_ns);
    if (err) {
        attempt->waiter = NULL; /* on_connected() frees it, at the latest when
                                   the stream is closed */
        return err;
    }
    rc = attempt->status;
    free(attempt);
    return cf__io_error(rc);
}

static cf_err
connect_tcp(const struct connecting *c,
            const struct cf__address *address,
            cf_stream **out)
{
    cf_stream *s = cf__stream_new(c->loop);
    if (!s)
        return CF_ENOMEM;
    (void)uv_tcp_init(cf__io_uv(c->loop), &s->uv.tcp); /* makes no socket */
    cf__stream_begin(s);
    cf_err err = attempt_tcp(c, s, address);
    int error = errno;
    if (err) {
        cf__stream_end(s);
        errno = error;
        return err;
    }
    cf__stream_set_options(s, c->options);
    *out = s;
    return CF_OK;
}

/* A Unix socket connects at once or not at all. If the listener's backlog is
 * full, nothing says when it is not any more. */
static cf_err
connect_path(const struct connecting *c,
             const struct cf__address *address,
             cf_stream **out)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return CF_ESYS;
    cf_err err = CF_OK;
    while (!err && connect(fd, &address->as.any, address->size) != 0) {
        bool never = false;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN) {
            err = CF_ESYS;
            break;
        }
        int64_t until = cf__sooner(c->deadline_ns, cf__now_ns() + FULL_NS);
        err = cf__io_wait(c->loop, c->self, &never, until);
        if (err == CF_ETIMEDOUT && until != c->deadline_ns)
            err = CF_OK;
    }
    if (!err)
        err = cf__stream_open(c->loop, fd, UV_NAMED_PIPE, c->options, out);
    if (err)
        cf__socket_close(fd);
    return err;
}

cf_err
cf_stream_connect(cf_call *call,
                  const char *address,
                  const cf_stream_options *opts,
                  int64_t timeout_ns,
                  cf_stream **out)
{
    cf_stream_options options;
    struct cf__endpoint endpoint;
    struct cf__addresses addresses;
    struct connecting c = {.options = &options};
    if (!call || !address || !out || !cf__timeout_valid(timeout_ns))
        return CF_EINVAL;
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = cf__endpoint_parse(&endpoint, "tcp", address);
    if (!err)
        err = cf__io_begin(call, &c.loop, &c.self);
    if (err)
        return err;
    c.deadline_ns = cf__deadline(timeout_ns);
    err = cf__lookup(c.loop, &endpoint, SOCK_STREAM, c.deadline_ns, &addresses);
    if (err)
        return err;
    for (size_t i = 0; i < addresses.count; i++) {
        const struct cf__address *at = &addresses.at[i];
        err = at->as.any.sa_family == AF_UNIX ? connect_path(&c, at, out)
                                              : connect_tcp(&c, at, out);
        if (err != CF_ESYS) /* it is connected, or no other one can be */
            break;
    }
    return err;
}
