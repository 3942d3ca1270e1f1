/* SPDX-License-Identifier: MIT */
/*
 * Connections to names with several addresses, of which some refuse and some do
 * not answer (RFC 8305). All of them are addresses of this machine, on ports of
 * this test's; an address does not answer if its listener's backlog is full.
 */
#include "loop_streams.h"

#include "tests/support/descriptors.h"
#include "tests/support/fake_names.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <uv.h>

#define MS INT64_C(1000000)
#define HEAD_START_NS (250 * MS)

enum { MOST = 16, FILLERS = 8 };

/* --- ports ---------------------------------------------------------------- */

static unsigned short
port_of(int fd)
{
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    cr_assert(getsockname(fd, (struct sockaddr *)&own, &size) == 0);
    return ntohs(own.sin_port);
}

/* A socket on 127.0.0.1. */
static int
bound_socket(unsigned short *port)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(fd >= 0);
    cr_assert(bind(fd, (struct sockaddr *)&any, sizeof any) == 0);
    *port = port_of(fd);
    return fd;
}

/* A port on which nothing listens, for the life of the test. */
static unsigned short
refusing(void)
{
    unsigned short port;
    (void)bound_socket(&port);
    return port;
}

/* A listener that lets no connection in, as its backlog is full. */
struct black_hole {
    int fd, fillers[FILLERS];
    int count;
    unsigned short port;
};

static void
dig(struct black_hole *hole)
{
    bool full = false;
    hole->fd = bound_socket(&hole->port);
    cr_assert(listen(hole->fd, 0) == 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(hole->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (hole->count = 0; hole->count < FILLERS && !full; hole->count++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        cr_assert(fd >= 0);
        hole->fillers[hole->count] = fd;
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            continue;
        cr_assert(errno == EINPROGRESS);
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        full = poll(&wait, 1, 100) == 0;
    }
    cr_assert(full, "the system lets more connections in than it was told");
}

/* Now it lets some in. */
static void
drain(struct black_hole *hole)
{
    for (int i = 0; i < hole->count; i++)
        cr_assert(close(hole->fillers[i]) == 0);
    for (int fd; (fd = accept(hole->fd, NULL, NULL)) >= 0;)
        cr_assert(close(fd) == 0);
}

/* --- names ---------------------------------------------------------------- */

static struct fake_address addresses[MOST];
static struct fake_name name = {"many.test", .addresses = addresses};

static void
use_ports(const unsigned short *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        addresses[i] = (struct fake_address){"127.0.0.1", ports[i]};
    name.count = count;
    fake_names_use(&name, 1);
}

static int64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static cf_err
connect_to_name(cf_call *call, int64_t timeout_ns, cf_stream **s)
{
    return cf_stream_connect(call, "tcp:many.test:1", NULL, timeout_ns, s);
}

static unsigned short
listening(cf_call *call, cf_listener **l)
{
    if (cf_listener_create(call, ANY_PORT, NULL, l) != CF_OK)
        abort();
    char text[CF_ADDRESS_MAX];
    if (cf_listener_address(*l, text, sizeof text) != CF_OK)
        abort();
    return (unsigned short)atoi(strrchr(text, ':') + 1);
}

static bool
is_connected_to(const cf_stream *s, unsigned short port)
{
    char text[CF_ADDRESS_MAX], expected[CF_ADDRESS_MAX];
    snprintf(expected, sizeof expected, "tcp:127.0.0.1:%hu", port);
    return cf_stream_peer_name(s, text, sizeof text) == CF_OK &&
           strcmp(text, expected) == 0;
}

/* When the loop has those that it keeps from its first stream on. */
static int
count_with_loop(cf_call *call)
{
    char text[CF_ADDRESS_MAX];
    cf_stream *s;
    snprintf(text, sizeof text, "tcp:127.0.0.1:%hu", refusing());
    if (cf_stream_connect(call, text, NULL, CF_FOREVER, &s) != CF_ESYS ||
        cf_sleep(call, MS))
        abort();
    return count_descriptors();
}

/* When the loop has closed what has been given up. */
static bool
closes_all_but(cf_call *call, int count)
{
    for (int i = 0; count_descriptors() != count; i++)
        if (i > 10000 || cf_sleep(call, MS))
            return false;
    return true;
}

/* --- the order of attempts ------------------------------------------------ */

static struct {
    int family;
    unsigned short port;
} tried[MOST];
static size_t tried_count;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
int __real_uv_tcp_connect(uv_connect_t *,
                          uv_tcp_t *,
                          const struct sockaddr *,
                          uv_connect_cb);
int __wrap_uv_tcp_connect(uv_connect_t *,
                          uv_tcp_t *,
                          const struct sockaddr *,
                          uv_connect_cb);

int
__wrap_uv_tcp_connect(uv_connect_t *request,
                      uv_tcp_t *tcp,
                      const struct sockaddr *address,
                      uv_connect_cb done)
{
    const struct sockaddr_in *v4 =
        (const struct sockaddr_in *)(const void *)address;
    if (tried_count < MOST) {
        tried[tried_count].family = address->sa_family;
        tried[tried_count++].port = ntohs(v4->sin_port); /* as in IPv6 */
    }
    return __real_uv_tcp_connect(request, tcp, address, done);
}
/* NOLINTEND */

/* Also on a machine without IPv6, where those are refused in another way. */
LOOP_TEST(loop_race, families_take_turns)
{
    static const size_t order[] = {0, 3, 1, 4, 2};
    cf_stream *s;
    for (size_t i = 0; i < 5; i++)
        addresses[i] =
            (struct fake_address){i < 3 ? "::1" : "127.0.0.1", refusing()};
    name.count = 5;
    fake_names_use(&name, 1);
    expect(call, connect_to_name(call, CF_FOREVER, &s) == CF_ESYS);
    expect(call, tried_count == 5);
    for (size_t i = 0; i < 5; i++) {
        expect(call, tried[i].port == addresses[order[i]].port);
        expect(call, tried[i].family == (i % 2 ? AF_INET : AF_INET6));
    }
    return 0;
}

/* As many as a task can hold; the rest is not tried. */
LOOP_TEST(loop_race, a_name_may_have_more_addresses_than_are_tried)
{
    static struct fake_address many[3 * MOST];
    cf_stream *s;
    unsigned short port = refusing();
    for (size_t i = 0; i < 3 * MOST; i++)
        many[i] =
            (struct fake_address){i < 2 * MOST ? "::1" : "127.0.0.1", port};
    const struct fake_name it = {
        "many.test", .addresses = many, .count = 3 * MOST};
    fake_names_use(&it, 1);
    expect(call, connect_to_name(call, CF_FOREVER, &s) == CF_ESYS);
    expect(call, tried_count == MOST);
    for (size_t i = 0; i < MOST; i++)
        expect(call, tried[i].family == (i % 2 ? AF_INET : AF_INET6));
    return 0;
}

/* --- who wins ------------------------------------------------------------- */

LOOP_TEST(loop_race, after_a_refusal_the_next_is_tried_at_once)
{
    unsigned short ports[MOST];
    cf_listener *l;
    cf_stream *s;
    for (size_t i = 0; i < MOST - 1; i++)
        ports[i] = refusing();
    ports[MOST - 1] = listening(call, &l);
    use_ports(ports, MOST);
    int before = count_with_loop(call);
    int64_t begin = now_ns();
    expect_ok(call, connect_to_name(call, CF_FOREVER, &s));
    int64_t took = now_ns() - begin;
    expect(call, is_connected_to(s, ports[MOST - 1]));
    expect(call, took < (MOST - 1) * HEAD_START_NS);
    expect(call, closes_all_but(call, before + 1));
    cf_stream_close(s);
    cf_listener_close(l);
    return 0;
}

LOOP_TEST(loop_race, who_does_not_answer_has_a_head_start)
{
    struct black_hole holes[2];
    unsigned short ports[3];
    cf_listener *l;
    cf_stream *s, *server;
    dig(&holes[0]);
    dig(&holes[1]);
    ports[0] = holes[0].port;
    ports[1] = holes[1].port;
    ports[2] = listening(call, &l);
    use_ports(ports, 3);
    int before = count_with_loop(call);
    int64_t begin = now_ns();
    expect_ok(call, connect_to_name(call, CF_FOREVER, &s));
    expect(call, now_ns() - begin >= 2 * HEAD_START_NS);
    expect(call, is_connected_to(s, ports[2]));
    expect(call, closes_all_but(call, before + 1)); /* the losers' */
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &server));
    expect_ok(call, send_text(s, "hello"));
    expect(call, receives(server, "hello"));
    cf_stream_close(s);
    cf_stream_close(server);
    cf_listener_close(l);
    return 0;
}

struct connected {
    cf_err err;
    cf_stream *s;
};

static int
connect_task(cf_call *call, const void *arg, size_t arg_size)
{
    struct connected *it = (struct connected *)(uintptr_t)arg;
    (void)arg_size;
    it->err = connect_to_name(call, CF_FOREVER, &it->s);
    return 0;
}

static bool
await_attempts(cf_call *call, size_t count)
{
    while (tried_count < count)
        if (cf_sleep(call, MS))
            return false;
    return true;
}

/* The first attempt goes on while the second one is tried: the system asks
 * again after a second, and by then there is room. */
LOOP_TEST(loop_race, who_is_late_may_still_win)
{
    struct black_hole holes[2];
    struct connected it = {CF_OK, NULL};
    dig(&holes[0]);
    dig(&holes[1]);
    unsigned short ports[] = {holes[0].port, holes[1].port};
    use_ports(ports, 2);
    cf_future *f = start(call, connect_task, &it);
    expect(call, await_attempts(call, 2));
    drain(&holes[0]);
    expect_ok(call, join(f));
    expect_ok(call, it.err);
    expect(call, is_connected_to(it.s, ports[0]));
    cf_stream_close(it.s);
    return 0;
}

LOOP_TEST(loop_race, the_error_is_of_the_last_one_that_fails)
{
    unsigned short ports[] = {refusing(), refusing(), refusing()};
    cf_stream *s = NULL;
    use_ports(ports, 3);
    int before = count_with_loop(call);
    errno = 0;
    expect(call, connect_to_name(call, CF_FOREVER, &s) == CF_ESYS);
    expect(call, errno == ECONNREFUSED && !s);
    expect(call, closes_all_but(call, before));
    return 0;
}

/* --- who gives up --------------------------------------------------------- */

LOOP_TEST(loop_race, a_task_that_gives_up_closes_all)
{
    struct black_hole holes[2];
    cf_stream *s = NULL;
    dig(&holes[0]);
    dig(&holes[1]);
    unsigned short ports[] = {holes[0].port, refusing(), holes[1].port};
    use_ports(ports, 3);
    int before = count_with_loop(call);
    int64_t begin = now_ns();
    expect(call, connect_to_name(call, 2 * HEAD_START_NS, &s) == CF_ETIMEDOUT);
    expect(call, now_ns() - begin >= 2 * HEAD_START_NS);
    expect(call, closes_all_but(call, before));

    struct connected it = {CF_OK, NULL};
    tried_count = 0;
    cf_future *f = start(call, connect_task, &it);
    expect(call, await_attempts(call, 3));
    expect(call, cf_future_interrupt(f));
    expect_ok(call, join(f));
    expect(call, it.err == CF_EINTERRUPTED && !it.s && !s);
    expect(call, closes_all_but(call, before));
    return 0;
}

/* The loop ends under an attempt: its thread does, in another task. */
static int
end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)await_attempts(call, 2);
    pthread_exit(NULL);
}

Test(loop_race, a_loop_that_ends_under_attempts)
{
    struct black_hole holes[2];
    cf_executor *loop;
    cf_future *f;
    struct connected it = {CF_OK, NULL};
    dig(&holes[0]);
    dig(&holes[1]);
    unsigned short ports[] = {holes[0].port, holes[1].port};
    use_ports(ports, 2);
    int before = count_descriptors();
    cr_assert(cf_event_loop_create(NULL, &loop) == CF_OK);
    cr_assert(cf_submit(loop, connect_task, &it, 0, &f) == CF_OK);
    cr_assert(cf_submit(loop, end_thread, NULL, 0, NULL) == CF_OK);
    cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_EWORKERDIED);
    cf_future_unref(f);
    cf_executor_destroy(loop);
    /* Of what is left, libuv has two for the process. */
    cr_assert(count_descriptors() <= before + 2);
}
