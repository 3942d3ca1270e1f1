/* SPDX-License-Identifier: MIT */
/*
 * Listeners. Tasks accept themselves, and not libuv: it drops all connections
 * if the process has no descriptor left, and does not say so. All of this runs
 * in the loop's thread.
 */
#include <cfutures/listener.h>

#include "event_loop/lookup.h"
#include "event_loop/poller.h"
#include "event_loop/socket.h"
#include "event_loop/stream.h"

#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/executor/budget.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

/* How long no connection is accepted after there was no descriptor. */
#define PAUSE_NS CF__MS(50)

struct cf_listener {
    struct cf__poller poller;
    cf_stream_options options; /* of streams */
    uv_handle_type type;       /* ... and what libuv calls them */
    int spare_fd;              /* is given up to accept and drop a connection
                                  when there is no other descriptor; -1: none */
    int64_t resume_at;         /* before that nothing is accepted. 0: now */
    struct cf__socket_path path;
};

/* --- made and closed ------------------------------------------------------ */

static int
new_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
free_listener(struct cf__poller *poller)
{
    cf_listener *l = (cf_listener *)poller;
    if (l->spare_fd >= 0)
        cf__close(l->spare_fd);
    cf__socket_unlink(&l->path);
    free(l);
}

static cf_err
import_options(const cf_listener_options *opts,
               cf_listener_options *options,
               cf_stream_options *of_streams)
{
    cf_err err = cf__options_import(options, sizeof *options, opts);
    if (!err && options->backlog < 0)
        err = cf__einval("cf_listener_options", "backlog is negative");
    return err ? err
               : cf__options_import(
                     of_streams, sizeof *of_streams, options->stream);
}

/* Takes fd and path if it succeeds. */
static cf_err
listen_on(struct cf__evloop *loop,
          int fd,
          const struct cf__address *address,
          cf_listener *l)
{
    l->type = address->as.any.sa_family == AF_UNIX ? UV_NAMED_PIPE : UV_TCP;
    cf_err err = cf__poller_init(&l->poller, loop, fd, free_listener);
    if (!err)
        l->spare_fd = new_spare();
    return err;
}

static cf_err
create(struct cf__evloop *loop,
       const struct cf__address *address,
       const cf_listener_options *options,
       cf_listener *l)
{
    int fd;
    int backlog = options->backlog ? options->backlog : INT_MAX;
    cf_err err = cf__socket_bind(
        address, SOCK_STREAM, options->reuse_port, &fd, &l->path);
    if (err)
        return err;
    err = listen(fd, backlog) == 0 ? listen_on(loop, fd, address, l) : CF_ESYS;
    if (err) {
        cf__socket_close(fd);
        cf__socket_unlink(&l->path);
    }
    return err;
}

cf_err
cf_listener_create(cf_call *call,
                   const char *address,
                   const cf_listener_options *opts,
                   cf_listener **out)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    struct cf__endpoint endpoint;
    struct cf__addresses addresses;
    cf_listener_options options;
    const char *why = !call      ? "call is NULL"
                      : !address ? "address is NULL"
                      : !out     ? "out is NULL"
                                 : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_listener *l = calloc(1, sizeof *l);
    if (!l)
        return CF_ENOMEM;
    cf_err err = import_options(opts, &options, &l->options);
    if (!err)
        err = cf__endpoint_parse(&endpoint, __func__, "tcp", address);
    if (!err)
        err = cf__io_begin(call, &loop, &self);
    if (!err)
        err = cf__lookup(loop, &endpoint, SOCK_STREAM, CF__NEVER, &addresses);
    if (!err)
        err = create(loop, &addresses.at[0], &options, l);
    if (err)
        free(l);
    else
        *out = l;
    return err;
}

void
cf_listener_close(cf_listener *l)
{
    if (l)
        cf__poller_close(&l->poller,
                         "cf_listener_close() outside of the listener's loop");
}

cf_err
cf_listener_address(const cf_listener *l, char *text, size_t size)
{
    const char *why = l ? cf__wrong_text(text, size) : "l is NULL";
    if (why)
        return cf__einval(__func__, why);
    return cf__socket_name(l->poller.fd, "tcp", text, size);
}

/* --- accepting ------------------------------------------------------------ */

/* The process has no descriptor left. The peer that waits longest learns that
 * it is not served. */
static void
drop_one(cf_listener *l)
{
    if (l->spare_fd >= 0) {
        cf__close(l->spare_fd);
        int fd = accept4(l->poller.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            cf__close(fd);
    }
    l->spare_fd = new_spare();
}

/* What went wrong with a connection before it was accepted, says accept(2), is
 * no matter of the listener. */
static bool
is_of_connection(int error)
{
    static const int errors[] = {EINTR,
                                 ECONNABORTED,
                                 EPROTO,
                                 ENETDOWN,
                                 ENOPROTOOPT,
                                 EHOSTDOWN,
                                 ENONET,
                                 EHOSTUNREACH,
                                 EOPNOTSUPP,
                                 ENETUNREACH};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (error == errors[i])
            return true;
    return false;
}

/* *fd is -1 if there is none. */
static cf_err
accept_now(cf_listener *l, int *fd)
{
    do {
        *fd = accept4(l->poller.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (*fd < 0 && is_of_connection(errno));
    if (*fd >= 0 || errno == EAGAIN)
        return CF_OK;
    int error = errno;
    if (error == EMFILE || error == ENFILE)
        drop_one(l);
    l->resume_at = cf__now_ns() + PAUSE_NS;
    errno = error;
    return CF_ESYS;
}

/* Until it may accept again. */
static cf_err
wait_out_pause(cf_listener *l,
               struct cf__io_waiter *waiter,
               int64_t deadline_ns)
{
    int64_t until = cf__sooner(l->resume_at, deadline_ns);
    cf_err err = cf__poller_wait(&l->poller, waiter, 0, until);
    if (err != CF_ETIMEDOUT || until != l->resume_at)
        return err;
    l->resume_at = 0;
    return CF_OK;
}

static cf_err
accept_one(cf_listener *l,
           struct cf__io_waiter *waiter,
           int64_t deadline_ns,
           int *fd)
{
    cf_err err = CF_OK;
    *fd = -1;
    if (l->resume_at)
        err = wait_out_pause(l, waiter, deadline_ns);
    while (!err && !(err = accept_now(l, fd)) && *fd < 0)
        err = cf__poller_wait(&l->poller, waiter, UV_READABLE, deadline_ns);
    return err;
}

cf_err
cf_listener_accept(cf_listener *l, int64_t timeout_ns, cf_stream **out)
{
    struct cf__io_waiter waiter = {NULL, false};
    int fd;
    const char *why = !l                               ? "l is NULL"
                      : !out                           ? "out is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__io_enter(l->poller.loop, &waiter.self);
    if (err)
        return err;
    if (l->poller.reader)
        return cf__einval(__func__, "another task accepts from l");
    l->poller.reader = &waiter;
    err = accept_one(l, &waiter, cf__deadline(timeout_ns), &fd);
    if (!err) {
        err = cf__stream_open(l->poller.loop, fd, l->type, &l->options, out);
        if (err)
            cf__socket_close(fd);
        else if (timeout_ns != 0)
            cf__budget_spend();
    }
    return cf__poller_leave(&l->poller, &l->poller.reader, err);
}
