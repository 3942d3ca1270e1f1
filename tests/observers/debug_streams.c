/* SPDX-License-Identifier: MIT */
/*
 * CF_DEBUG=1: each call on a stream, a listener or a datagram that returns
 * CF_EINVAL says why, in one line.
 */
#define _GNU_SOURCE /* NOLINT: a name of glibc */
#include <cfutures/datagram.h>
#include <cfutures/listener.h>
#include <cfutures/stream.h>

#include <sys/socket.h>

#include "tests/observers/says.h"

/* What a second task waits for, while the first one asks for the same. */
struct meeting {
    cf_stream *s;
    cf_listener *l;
    cf_datagram *d;
    bool here; /* the second task is about to wait */
};

static int
task_waits(cf_call *call, const void *arg, size_t arg_size)
{
    struct meeting *m = (struct meeting *)(uintptr_t)arg;
    char buf[8];
    size_t got;
    cf_stream *s;
    (void)call;
    (void)arg_size;
    m->here = true; /* nothing else runs before it waits */
    if (m->s)
        return cf_stream_read(m->s, buf, 8, CF_FOREVER, &got) !=
               CF_EINTERRUPTED;
    if (m->l)
        return cf_listener_accept(m->l, CF_FOREVER, &s) != CF_EINTERRUPTED;
    return cf_datagram_receive_from(m->d, buf, 8, CF_FOREVER, &got, NULL) !=
           CF_EINTERRUPTED;
}

/* The second task: it waits when this returns. */
static cf_future *
let_wait(cf_call *call, struct meeting *m)
{
    cf_future *f = NULL;
    CHECK(!cf_submit(cf_call_executor(call), task_waits, m, 0, &f));
    while (f && !m->here)
        (void)cf_yield(call);
    return f;
}

static void
make_streams(cf_call *call, int fd)
{
    const cf_stream_options none = {0};
    cf_stream *s = NULL;
    const char *a = "unix:/nowhere";
    SAYS("cf_stream_connect: call is NULL",
         cf_stream_connect(NULL, a, NULL, 0, &s));
    SAYS("cf_stream_connect: address is NULL",
         cf_stream_connect(call, NULL, NULL, 0, &s));
    SAYS("cf_stream_connect: out is NULL",
         cf_stream_connect(call, a, NULL, 0, NULL));
    SAYS("cf_stream_connect: " TIMEOUT,
         cf_stream_connect(call, a, NULL, -2, &s));
    SAYS(SIZE, cf_stream_connect(call, a, &none, 0, &s));
    SAYS("cf_stream_connect: an address begins with tcp: (datagrams: udp:) or "
         "unix:",
         cf_stream_connect(call, "udp:127.0.0.1:1", NULL, 0, &s));
    SAYS("cf_stream_connect: an address is not HOST:PORT, or [HOST]:PORT",
         cf_stream_connect(call, "tcp:127.0.0.1", NULL, 0, &s));
    SAYS("cf_stream_connect: an address has a port that is no number up to "
         "65535",
         cf_stream_connect(call, "tcp:127.0.0.1:70000", NULL, 0, &s));
    SAYS("cf_stream_connect: an address in brackets has no number for a port",
         cf_stream_connect(call, "tcp:[::1]:http", NULL, 0, &s));
    SAYS("cf_stream_connect: what is in an address's brackets is none of IPv6",
         cf_stream_connect(call, "tcp:[1]:1", NULL, 0, &s));
    SAYS("cf_stream_connect: an address's path is empty, or too long",
         cf_stream_connect(call, "unix:", NULL, 0, &s));
    SAYS("cf_stream_from_fd: call is NULL", cf_stream_from_fd(NULL, fd, &s));
    SAYS("cf_stream_from_fd: fd is negative", cf_stream_from_fd(call, -1, &s));
    SAYS("cf_stream_from_fd: out is NULL", cf_stream_from_fd(call, fd, NULL));
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    SAYS("cf_stream_from_fd: fd is no connected socket, pipe or terminal",
         cf_stream_from_fd(call, file, &s));
    (void)close(file);
    CHECK(s == NULL);
}

static void
use_stream(cf_call *call, cf_stream *s)
{
    struct meeting m = {.s = s};
    char buf[8];
    size_t got;
    cf_bytes line;
    SAYS("cf_stream_read: s is NULL", cf_stream_read(NULL, buf, 8, 0, &got));
    SAYS("cf_stream_read: got is NULL", cf_stream_read(s, buf, 8, 0, NULL));
    SAYS("cf_stream_read: buf is NULL, but size is not 0",
         cf_stream_read(s, NULL, 8, 0, &got));
    SAYS("cf_stream_read: " TIMEOUT, cf_stream_read(s, buf, 8, -2, &got));
    SAYS("cf_stream_read_exactly: s is NULL",
         cf_stream_read_exactly(NULL, buf, 8, 0, NULL));
    SAYS("cf_stream_read_exactly: buf is NULL, but size is not 0",
         cf_stream_read_exactly(s, NULL, 8, 0, NULL));
    SAYS("cf_stream_read_line: s is NULL",
         cf_stream_read_line(NULL, 0, 0, &line));
    SAYS("cf_stream_read_line: line is NULL",
         cf_stream_read_line(s, 0, 0, NULL));
    SAYS("cf_stream_write: s is NULL", cf_stream_write(NULL, buf, 8, 0, NULL));
    SAYS("cf_stream_write: data is NULL, but size is not 0",
         cf_stream_write(s, NULL, 8, 0, NULL));
    SAYS("cf_stream_write: " TIMEOUT, cf_stream_write(s, "", 1, -2, NULL));
    SAYS("cf_stream_shutdown: s is NULL", cf_stream_shutdown(NULL));
    SAYS("cf_stream_peer_name: s is NULL", cf_stream_peer_name(NULL, buf, 8));
    SAYS("cf_stream_peer_name: text is NULL", cf_stream_peer_name(s, NULL, 8));
    SAYS("cf_stream_peer_name: size is 0", cf_stream_peer_name(s, buf, 0));
    cf_future *f = let_wait(call, &m);
    SAYS("cf_stream_read_exactly: another task reads from s",
         cf_stream_read_exactly(s, buf, 8, 0, NULL));
    cf_stream_close(s);
    join(f);
}

static void
use_listener(cf_call *call)
{
    const cf_listener_options o = CF_LISTENER_OPTIONS(.backlog = -1);
    cf_listener *l = NULL;
    cf_stream *s = NULL;
    char text[CF_ADDRESS_MAX];
    SAYS("cf_listener_create: call is NULL",
         cf_listener_create(NULL, "unix:@", NULL, &l));
    SAYS("cf_listener_create: address is NULL",
         cf_listener_create(call, NULL, NULL, &l));
    SAYS("cf_listener_create: out is NULL",
         cf_listener_create(call, "unix:@", NULL, NULL));
    SAYS("cf_listener_options: backlog is negative",
         cf_listener_create(call, "unix:@", &o, &l));
    SAYS("cf_listener_create: an address is not HOST:PORT, or [HOST]:PORT",
         cf_listener_create(call, "tcp:", NULL, &l));
    CHECK(!cf_listener_create(call, "unix:@", NULL, &l));
    SAYS("cf_listener_accept: l is NULL", cf_listener_accept(NULL, 0, &s));
    SAYS("cf_listener_accept: out is NULL", cf_listener_accept(l, 0, NULL));
    SAYS("cf_listener_accept: " TIMEOUT, cf_listener_accept(l, -2, &s));
    SAYS("cf_listener_address: l is NULL", cf_listener_address(NULL, text, 9));
    SAYS("cf_listener_address: text is NULL", cf_listener_address(l, NULL, 9));
    SAYS("cf_listener_address: size is 0", cf_listener_address(l, text, 0));
    struct meeting m = {.l = l};
    cf_future *f = let_wait(call, &m);
    SAYS("cf_listener_accept: another task accepts from l",
         cf_listener_accept(l, 0, &s));
    cf_listener_close(l);
    join(f);
}

static void
use_datagram(cf_call *call)
{
    const cf_datagram_options o = CF_DATAGRAM_OPTIONS(.peer = "unix:/nowhere");
    const char *a = "udp:127.0.0.1:0";
    cf_datagram *d = NULL;
    char buf[8];
    size_t got;
    SAYS("cf_datagram_create: call is NULL",
         cf_datagram_create(NULL, a, NULL, &d));
    SAYS("cf_datagram_create: address is NULL",
         cf_datagram_create(call, NULL, NULL, &d));
    SAYS("cf_datagram_create: out is NULL",
         cf_datagram_create(call, a, NULL, NULL));
    SAYS("cf_datagram_options: peer has no address of the kind that address "
         "has",
         cf_datagram_create(call, a, &o, &d));
    CHECK(!cf_datagram_create(call, a, NULL, &d));
    SAYS("cf_datagram_address: d is NULL", cf_datagram_address(NULL, buf, 8));
    SAYS("cf_datagram_address: text is NULL", cf_datagram_address(d, NULL, 8));
    SAYS("cf_datagram_address: size is 0", cf_datagram_address(d, buf, 0));
    SAYS("cf_datagram_send_to: d is NULL",
         cf_datagram_send_to(NULL, buf, 8, NULL, 0));
    SAYS("cf_datagram_send_to: data is NULL, but size is not 0",
         cf_datagram_send_to(d, NULL, 8, a, 0));
    SAYS("cf_datagram_send_to: " TIMEOUT, cf_datagram_send_to(d, "", 1, a, -2));
    SAYS("cf_datagram_send_to: an address is not HOST:PORT, or [HOST]:PORT",
         cf_datagram_send_to(d, "", 1, "udp:", 0));
    SAYS("cf_datagram_send_to: to is a name that has to be looked up",
         cf_datagram_send_to(d, "", 1, "udp:a.invalid:1", 0));
    SAYS("cf_datagram_receive_from: d is NULL",
         cf_datagram_receive_from(NULL, buf, 8, 0, &got, NULL));
    SAYS("cf_datagram_receive_from: got is NULL",
         cf_datagram_receive_from(d, buf, 8, 0, NULL, NULL));
    SAYS("cf_datagram_receive_from: buf is NULL, but size is not 0",
         cf_datagram_receive_from(d, NULL, 8, 0, &got, NULL));
    SAYS("cf_datagram_receive_from: " TIMEOUT,
         cf_datagram_receive_from(d, buf, 8, -2, &got, NULL));
    struct meeting m = {.d = d};
    cf_future *f = let_wait(call, &m);
    SAYS("cf_datagram_receive_from: another task receives from d",
         cf_datagram_receive_from(d, buf, 8, 0, &got, NULL));
    cf_datagram_close(d);
    join(f);
}

static int
task_all(cf_call *call, const void *arg, size_t arg_size)
{
    int ends[2];
    cf_stream *s = NULL;
    (void)arg;
    (void)arg_size;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    make_streams(call, ends[0]);
    CHECK(!cf_stream_from_fd(call, ends[0], &s));
    if (s)
        use_stream(call, s);
    (void)close(ends[1]);
    use_listener(call);
    use_datagram(call);
    return 0;
}

int
main(int argc, char **argv)
{
    return run_with_cf_debug(argc, argv, task_all);
}
