/* SPDX-License-Identifier: MIT */
/*
 * Datagrams. Tasks send and receive themselves: what no task receives stays
 * with the system, which drops what is too much. The loop's thread.
 */
#include <cfutures/datagram.h>

#include "event_loop/lookup.h"
#include "event_loop/poller.h"
#include "event_loop/socket.h"

#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/executor/budget.h"

#include <errno.h>
#include <stdlib.h>

/* How long a Unix socket without room is left alone. */
#define FULL_NS CF__MS(1)

struct cf_datagram {
    struct cf__poller poller;
    struct cf__socket_path path;
};

/* --- made and closed ------------------------------------------------------ */

static void
free_datagram(struct cf__poller *poller)
{
    cf_datagram *d = (cf_datagram *)poller;
    cf__socket_unlink(&d->path);
    free(d);
}

/* Of the family of other, if that is not NULL. */
static cf_err
find(struct cf__evloop *loop,
     const char *text,
     const struct cf__address *other,
     struct cf__address *out)
{
    struct cf__endpoint endpoint;
    struct cf__addresses addresses;
    cf_err err =
        cf__endpoint_parse(&endpoint, "cf_datagram_create", "udp", text);
    if (!err)
        err = cf__lookup(loop, &endpoint, SOCK_DGRAM, CF__NEVER, &addresses);
    if (err)
        return err;
    for (size_t i = 0; i < addresses.count; i++) {
        const struct cf__address *at = &addresses.at[i];
        if (!other || at->as.any.sa_family == other->as.any.sa_family) {
            *out = *at;
            return CF_OK;
        }
    }
    return cf__einval("cf_datagram_options",
                      "peer has no address of the kind that address has");
}

static bool
set_up(int fd,
       const cf_datagram_options *options,
       const struct cf__address *peer)
{
    int on = 1;
    if (options->broadcast &&
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0)
        return false;
    return !options->peer || connect(fd, &peer->as.any, peer->size) == 0;
}

static cf_err
create(struct cf__evloop *loop,
       const struct cf__address *address,
       const struct cf__address *peer,
       const cf_datagram_options *options,
       cf_datagram *d)
{
    int fd;
    cf_err err = cf__socket_bind(
        address, SOCK_DGRAM, options->reuse_port, &fd, &d->path);
    if (err)
        return err;
    err = set_up(fd, options, peer)
              ? cf__poller_init(&d->poller, loop, fd, free_datagram)
              : CF_ESYS;
    if (err) {
        cf__socket_close(fd);
        cf__socket_unlink(&d->path);
    }
    return err;
}

cf_err
cf_datagram_create(cf_call *call,
                   const char *address,
                   const cf_datagram_options *opts,
                   cf_datagram **out)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    struct cf__address own, peer;
    cf_datagram_options options;
    const char *why = !call      ? "call is NULL"
                      : !address ? "address is NULL"
                      : !out     ? "out is NULL"
                                 : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = cf__io_begin(call, &loop, &self);
    if (!err)
        err = find(loop, address, NULL, &own);
    if (!err && options.peer)
        err = find(loop, options.peer, &own, &peer);
    if (err)
        return err;
    cf_datagram *d = calloc(1, sizeof *d);
    if (!d)
        return CF_ENOMEM;
    err = create(loop, &own, &peer, &options, d);
    if (err)
        free(d);
    else
        *out = d;
    return err;
}

void
cf_datagram_close(cf_datagram *d)
{
    if (d)
        cf__poller_close(&d->poller,
                         "cf_datagram_close() outside of the socket's loop");
}

cf_err
cf_datagram_address(const cf_datagram *d, char *text, size_t size)
{
    const char *why = d ? cf__wrong_text(text, size) : "d is NULL";
    if (why)
        return cf__einval(__func__, why);
    return cf__socket_name(d->poller.fd, "udp", text, size);
}

/* --- sending and receiving ------------------------------------------------ */

static bool
must_wait(ssize_t count)
{
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

/* to: an address in the call, or all 0. A Unix socket is always writable: it
 * does not say whether another one, to which it is not connected, has room. */
static cf_err
await_room(cf_datagram *d,
           struct cf__io_waiter *waiter,
           const struct cf__address *to,
           int64_t deadline_ns)
{
    if (to->as.any.sa_family != AF_UNIX || to->size == 0)
        return cf__poller_wait(&d->poller, waiter, UV_WRITABLE, deadline_ns);
    int64_t until = cf__sooner(deadline_ns, cf__now_ns() + FULL_NS);
    cf_err err = cf__poller_wait(&d->poller, waiter, 0, until);
    return err == CF_ETIMEDOUT && until != deadline_ns ? CF_OK : err;
}

static cf_err
outcome(ssize_t count, int64_t timeout_ns)
{
    if (count < 0)
        return CF_ESYS;
    if (timeout_ns != 0)
        cf__budget_spend();
    return CF_OK;
}

cf_err
cf_datagram_send_to(cf_datagram *d,
                    const void *data,
                    size_t size,
                    const char *to,
                    int64_t timeout_ns)
{
    struct cf__io_waiter waiter = {NULL, false};
    struct cf__endpoint endpoint = {0};
    const struct cf__address *at = &endpoint.addresses[0];
    ssize_t count = 0;
    const char *why = !d                               ? "d is NULL"
                      : !data && size                  ? CF__NO_DATA
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err =
        to ? cf__endpoint_parse(&endpoint, __func__, "udp", to) : CF_OK;
    if (err)
        return err;
    if (to && endpoint.count == 0)
        return cf__einval(__func__, "to is a name that has to be looked up");
    err = cf__io_enter(d->poller.loop, &waiter.self);
    if (err)
        return err;
    if (d->poller.writer)
        return cf__einval(__func__, "another task sends from d");
    int64_t deadline_ns = cf__deadline(timeout_ns);
    d->poller.writer = &waiter;
    while (!err) {
        count = sendto(d->poller.fd,
                       data,
                       size,
                       MSG_NOSIGNAL,
                       to ? &at->as.any : NULL,
                       at->size);
        if (!must_wait(count))
            break;
        err = await_room(d, &waiter, at, deadline_ns);
    }
    if (!err)
        err = outcome(count, timeout_ns);
    return cf__poller_leave(&d->poller, &d->poller.writer, err);
}

cf_err
cf_datagram_receive_from(cf_datagram *d,
                         void *buf,
                         size_t size,
                         int64_t timeout_ns,
                         size_t *got,
                         char *from)
{
    struct cf__io_waiter waiter = {NULL, false};
    struct cf__address sender;
    unsigned char none;
    ssize_t count = 0;
    if (got)
        *got = 0;
    const char *why = !d                               ? "d is NULL"
                      : !got                           ? "got is NULL"
                      : !buf && size                   ? CF__NO_BUF
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__io_enter(d->poller.loop, &waiter.self);
    if (err)
        return err;
    if (d->poller.reader)
        return cf__einval(__func__, "another task receives from d");
    int64_t deadline_ns = cf__deadline(timeout_ns);
    d->poller.reader = &waiter;
    while (!err) {
        sender.size = sizeof sender.as;
        count = recvfrom(d->poller.fd,
                         buf ? buf : &none,
                         size,
                         MSG_TRUNC,
                         &sender.as.any,
                         &sender.size);
        if (!must_wait(count))
            break;
        err = cf__poller_wait(&d->poller, &waiter, UV_READABLE, deadline_ns);
    }
    if (!err)
        err = outcome(count, timeout_ns);
    if (!err) {
        *got = (size_t)count;
        if (from)
            (void)cf__address_text(&sender, "udp", from, CF_ADDRESS_MAX);
    }
    return cf__poller_leave(&d->poller, &d->poller.reader, err);
}
