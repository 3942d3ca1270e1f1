/* SPDX-License-Identifier: MIT */
/* Streams to an address: see stream.h. */
#include "event_loop/address.h"
#include "event_loop/lookup.h"
#include "event_loop/socket.h"
#include "event_loop/stream_race.h"

#include "lib/base/einval.h"
#include "lib/base/options.h"

#include <errno.h>

/* How long a listener whose backlog is full is left alone. */
#define FULL_NS CF__MS(5)

/* A Unix socket connects at once or not at all. If the listener's backlog is
 * full, nothing says when it is not any more. */
static cf_err
connect_path(const struct cf__connecting *c,
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
    struct cf__connecting c = {.options = &options};
    const char *why = !call                            ? "call is NULL"
                      : !address                       ? "address is NULL"
                      : !out                           ? "out is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = cf__endpoint_parse(&endpoint, __func__, "tcp", address);
    if (!err)
        err = cf__io_begin(call, &c.loop, &c.self);
    if (err)
        return err;
    c.deadline_ns = cf__deadline(timeout_ns);
    err = cf__lookup(c.loop, &endpoint, SOCK_STREAM, c.deadline_ns, &addresses);
    if (err)
        return err;
    const struct cf__address *first = &addresses.at[0];
    return first->as.any.sa_family == AF_UNIX
               ? connect_path(&c, first, out)
               : cf__stream_race(&c, &addresses, out);
}
