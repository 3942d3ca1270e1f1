/* SPDX-License-Identifier: MIT */
/* Streams of kinds that not every machine has: IPv6, and terminals. */
#define _GNU_SOURCE
#include "loop_stream_wait.h"
#include "tests/support/descriptors.h"

#include <fcntl.h>
#include <termios.h>

/* --- IPv6 ----------------------------------------------------------------- */

static bool
has_ipv6(void)
{
    struct sockaddr_in6 here = {.sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof here) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static int
talk_by_ipv6(cf_call *call, const void *arg, size_t arg_size)
{
    cf_listener *l;
    cf_stream *client, *server;
    char address[CF_ADDRESS_MAX], text[CF_ADDRESS_MAX];
    (void)arg;
    (void)arg_size;
    expect_ok(call, cf_listener_create(call, "tcp:[::1]:0", NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    expect(call, strncmp(address, "tcp:[::1]:", 10) == 0);
    expect_ok(call,
              cf_stream_connect(call, address, NULL, CF_FOREVER, &client));
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &server));
    expect_ok(call, cf_stream_peer_name(client, text, sizeof text));
    expect(call, strcmp(text, address) == 0);
    expect_ok(call, send_text(client, "ping"));
    expect(call, receives(server, "ping"));
    cf_stream_close(client);

    /* "localhost" is both families: nothing listens on the one of IPv4. */
    snprintf(text, sizeof text, "tcp:localhost%s", strrchr(address, ':'));
    cf_stream_close(server);
    expect_ok(call, cf_stream_connect(call, text, NULL, CF_FOREVER, &client));
    expect_ok(call, cf_stream_peer_name(client, text, sizeof text));
    expect(call, strcmp(text, address) == 0);
    cf_stream_close(client);
    cf_listener_close(l);
    return 0;
}

Test(loop_stream_kinds, ipv6)
{
    if (!has_ipv6())
        cr_skip_test("there is no ::1 here");
    run_on_loop(talk_by_ipv6, NULL);
}

static int
send_by_ipv6(cf_call *call, const void *arg, size_t arg_size)
{
    cf_datagram *d;
    char own[CF_ADDRESS_MAX], from[CF_ADDRESS_MAX], buf[8];
    size_t got;
    (void)arg;
    (void)arg_size;
    expect_ok(call, cf_datagram_create(call, "udp:[::1]:0", NULL, &d));
    expect_ok(call, cf_datagram_address(d, own, sizeof own));
    expect_ok(call, cf_datagram_send_to(d, "self", 4, own, CF_FOREVER));
    expect_ok(
        call,
        cf_datagram_receive_from(d, buf, sizeof buf, CF_FOREVER, &got, from));
    expect(call, got == 4 && strcmp(from, own) == 0);
    cf_datagram_close(d);
    return 0;
}

Test(loop_stream_kinds, datagrams_by_ipv6)
{
    if (!has_ipv6())
        cr_skip_test("there is no ::1 here");
    run_on_loop(send_by_ipv6, NULL);
}

/* --- terminals ------------------------------------------------------------ */

/* The two sides of a terminal; false: there is none here. */
static bool
open_terminal(int fds[2])
{
    struct termios mode;
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[0] < 0)
        return false;
    cr_assert(grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0);
    fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(fds[1] >= 0);
    cr_assert(tcgetattr(fds[1], &mode) == 0);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    mode.c_oflag &= ~(tcflag_t)OPOST;
    cr_assert(tcsetattr(fds[1], TCSANOW, &mode) == 0);
    return true;
}

static bool
reads(int fd, const char *text)
{
    char buf[64];
    size_t size = strlen(text), at = 0;
    while (at < size) {
        ssize_t got = read(fd, buf + at, size - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return memcmp(buf, text, size) == 0;
}

/* arg: the two sides. The first one is a user, who types. */
static int
talk_to_user(cf_call *call, const void *arg, size_t arg_size)
{
    const int *fds = arg;
    cf_stream *s;
    cf_bytes line;
    char text[8];
    (void)arg_size;
    expect_ok(call, cf_stream_from_fd(call, fds[1], &s));
    expect(call, isatty(cf_stream_fd(s)));
    expect(call, cf_stream_peer_name(s, text, sizeof text) == CF_ENOTSUP);

    struct wait w = {.what = LINE, .s = s};
    cf_future *f = begin(call, &w);
    expect(call, write(fds[0], "yes\n", 4) == 4);
    expect_ok(call, join(f));
    expect_ok(call, w.err);

    expect(call, write(fds[0], "no\nmay", 6) == 6);
    expect_ok(call, cf_stream_read_line(s, 0, CF_FOREVER, &line));
    expect(call, line_is(line, "no\n"));
    /* A terminal hands out whole lines. */
    expect(call, cf_stream_read_line(s, 0, MS, &line) == CF_ETIMEDOUT);
    expect(call, write(fds[0], "be\n\004", 4) == 4); /* the last is the end */
    expect_ok(call, cf_stream_read_line(s, 0, CF_FOREVER, &line));
    expect(call, line_is(line, "maybe\n"));
    expect(call, cf_stream_read_line(s, 0, CF_FOREVER, &line) == CF_EDONE);

    expect_ok(call, send_text(s, "good bye\n"));
    expect(call, reads(fds[0], "good bye\n"));
    cf_stream_close(s);
    return 0;
}

Test(loop_stream_kinds, a_terminal)
{
    int fds[2];
    int before = count_descriptors();
    if (!open_terminal(fds))
        cr_skip_test("there are no terminals here");
    run_on_loop(talk_to_user, fds);
    close(fds[0]);
    /* Of what is left, libuv has two for the process. */
    cr_assert(count_descriptors() <= before + 2);
    cr_assert(fcntl(fds[1], F_GETFD) == -1);
}

static int
wait_for_hang_up(cf_call *call, const void *arg, size_t arg_size)
{
    const int *fds = arg;
    cf_stream *s;
    (void)arg_size;
    expect_ok(call, cf_stream_from_fd(call, fds[1], &s));
    struct wait w = {.what = READ, .s = s};
    cf_future *f = begin(call, &w);
    expect(call, close(fds[0]) == 0);
    expect_ok(call, join(f));
    expect(call, w.err == CF_EDONE || (w.err == CF_ESYS && errno == EIO));
    cf_stream_close(s);
    return 0;
}

Test(loop_stream_kinds, a_terminal_that_hangs_up)
{
    int fds[2];
    if (!open_terminal(fds))
        cr_skip_test("there are no terminals here");
    run_on_loop(wait_for_hang_up, fds);
}
