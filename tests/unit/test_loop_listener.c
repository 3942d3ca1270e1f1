/* SPDX-License-Identifier: MIT */
/* Listeners: what they accept, and what happens when that cannot be. */
#include "loop_streams.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define MS INT64_C(1000000)

static int64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- accepting ------------------------------------------------------------ */

LOOP_TEST(loop_listener, accept_waits_polls_and_times_out)
{
    cf_listener *l;
    cf_stream *s = NULL, *client;
    char address[CF_ADDRESS_MAX];
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect(call, cf_listener_accept(l, 0, &s) == CF_ETIMEDOUT);
    expect(call, cf_listener_accept(l, 2 * MS, &s) == CF_ETIMEDOUT && !s);
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    expect_ok(call,
              cf_stream_connect(call, address, NULL, CF_FOREVER, &client));
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &s));
    cf_stream_close(s);
    cf_stream_close(client);
    cf_listener_close(l);
    return 0;
}

static int
accept_one(cf_call *call, const void *arg, size_t arg_size)
{
    cf_listener *l = (cf_listener *)(uintptr_t)arg;
    cf_stream *s;
    (void)arg_size;
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &s));
    expect_ok(call, send_text(s, "welcome"));
    cf_stream_close(s);
    return 0;
}

LOOP_TEST(loop_listener, a_second_task_cannot_accept)
{
    cf_listener *l;
    cf_stream *s;
    char address[CF_ADDRESS_MAX];
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    cf_future *f = start(call, accept_one, l);
    expect_ok(call, cf_sleep(call, MS));
    expect(call, cf_listener_accept(l, CF_FOREVER, &s) == CF_EINVAL);
    expect_ok(call, cf_stream_connect(call, address, NULL, CF_FOREVER, &s));
    expect(call, receives(s, "welcome"));
    expect_ok(call, join(f));
    cf_stream_close(s);
    cf_listener_close(l);
    return 0;
}

/* --- a server ------------------------------------------------------------- */

enum { CLIENTS = 100, LINES = 20 };

static int
echo_lines(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    cf_bytes line;
    cf_err err;
    (void)call;
    (void)arg_size;
    while (!(err = cf_stream_read_line(s, 0, CF_FOREVER, &line)))
        if (cf_stream_write(s, line.data, line.size, CF_FOREVER, NULL))
            break;
    cf_stream_close(s);
    return err != CF_EDONE;
}

static int
serve(cf_call *call, const void *arg, size_t arg_size)
{
    cf_listener *l = (cf_listener *)(uintptr_t)arg;
    cf_stream *s;
    (void)arg_size;
    for (int i = 0; i < CLIENTS; i++) {
        expect_ok(call, cf_listener_accept(l, CF_FOREVER, &s));
        expect_ok(call,
                  cf_submit(cf_call_executor(call), echo_lines, s, 0, NULL));
    }
    return 0;
}

static int
be_client(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s;
    cf_bytes line;
    char text[64];
    (void)arg_size;
    expect_ok(call, cf_stream_connect(call, arg, NULL, CF_FOREVER, &s));
    for (int i = 0; i < LINES; i++) {
        snprintf(text, sizeof text, "line %d of %p\n", i, (void *)s);
        expect_ok(call, send_text(s, text));
        expect_ok(call, cf_stream_read_line(s, 0, CF_FOREVER, &line));
        expect(call, line_is(line, text));
    }
    expect_ok(call, cf_stream_shutdown(s));
    expect(call, cf_stream_read_line(s, 0, CF_FOREVER, &line) == CF_EDONE);
    cf_stream_close(s);
    return 0;
}

LOOP_TEST(loop_listener, start_server)
{
    cf_listener *l;
    char address[CF_ADDRESS_MAX];
    cf_future *clients[CLIENTS];
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    cf_future *server = start(call, serve, l);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = start(call, be_client, address);
    for (int i = 0; i < CLIENTS; i++)
        expect_ok(call, join(clients[i]));
    expect_ok(call, join(server));
    cf_listener_close(l);
    return 0;
}

/* --- no descriptor left --------------------------------------------------- */

static void
limit_descriptors(int count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)count;
    setrlimit(RLIMIT_NOFILE, &limit);
}

LOOP_TEST(loop_listener, without_a_descriptor_the_task_is_told)
{
    cf_listener *l;
    cf_stream *clients[3], *s = NULL;
    char address[CF_ADDRESS_MAX], c;
    size_t got;
    struct rlimit former;
    getrlimit(RLIMIT_NOFILE, &former);
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    for (int i = 0; i < 3; i++)
        expect_ok(
            call,
            cf_stream_connect(call, address, NULL, CF_FOREVER, &clients[i]));
    int next = dup(0); /* the lowest that is free */
    expect(call, next >= 0);
    close(next);
    limit_descriptors(next);
    int64_t begin = now_ns();
    for (int i = 0; i < 2; i++) { /* one is dropped each time */
        expect(call, cf_listener_accept(l, CF_FOREVER, &s) == CF_ESYS);
        expect(call, errno == EMFILE && !s);
        expect(call, now_ns() - begin >= i * 50 * MS); /* it did not spin */
    }
    expect(call, cf_listener_accept(l, 0, &s) == CF_ETIMEDOUT);
    setrlimit(RLIMIT_NOFILE, &former);
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &s));
    expect(call, now_ns() - begin >= 100 * MS);
    for (int i = 0; i < 2; i++) { /* they have learned of it */
        cf_err err = cf_stream_read(clients[i], &c, 1, CF_FOREVER, &got);
        expect(call, err == CF_EDONE || err == CF_ESYS);
    }
    expect_ok(call, send_text(s, "served"));
    expect(call, receives(clients[2], "served"));
    for (int i = 0; i < 3; i++)
        cf_stream_close(clients[i]);
    cf_stream_close(s);
    cf_listener_close(l);
    return 0;
}

LOOP_TEST(loop_listener, connecting_without_a_descriptor_fails)
{
    cf_listener *l;
    cf_stream *s = NULL;
    char address[CF_ADDRESS_MAX];
    struct rlimit former;
    getrlimit(RLIMIT_NOFILE, &former);
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    int next = dup(0);
    close(next);
    limit_descriptors(next);
    expect(call,
           cf_stream_connect(call, address, NULL, CF_FOREVER, &s) == CF_ESYS);
    expect(call, errno == EMFILE);
    expect(call,
           cf_stream_connect(call, "unix:@x", NULL, CF_FOREVER, &s) == CF_ESYS);
    expect(call, errno == EMFILE);
    cf_listener *second;
    expect(call, cf_listener_create(call, ANY_PORT, NULL, &second) == CF_ESYS);
    expect(call, errno == EMFILE && !s);
    setrlimit(RLIMIT_NOFILE, &former);
    cf_listener_close(l);
    return 0;
}

/* --- addresses ------------------------------------------------------------ */

LOOP_TEST(loop_listener, an_address_is_used_once_unless_shared)
{
    cf_listener *l, *second = NULL;
    cf_listener_options opts = CF_LISTENER_OPTIONS_INIT;
    char address[CF_ADDRESS_MAX], text[CF_ADDRESS_MAX];
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    expect(call, cf_listener_create(call, address, NULL, &second) == CF_ESYS);
    expect(call, errno == EADDRINUSE && !second);
    cf_listener_close(l);

    opts.reuse_port = true;
    expect_ok(call, cf_listener_create(call, ANY_PORT, &opts, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    expect_ok(call, cf_listener_create(call, address, &opts, &second));
    expect_ok(call, cf_listener_address(second, text, sizeof text));
    expect(call, strcmp(text, address) == 0);
    cf_listener_close(l);
    cf_listener_close(second);

    opts.backlog = -1;
    expect(call, cf_listener_create(call, ANY_PORT, &opts, &l) == CF_EINVAL);
    expect(call,
           cf_listener_create(call, "udp:1.2.3.4:5", NULL, &l) == CF_EINVAL);
    return 0;
}

LOOP_TEST(loop_listener, a_socket_that_was_left_is_replaced)
{
    cf_listener *l, *second = NULL;
    cf_stream *s;
    char path[64], moved[80];
    struct stat file;
    snprintf(path, sizeof path, "unix:/tmp/cf-listener-%d", (int)getpid());
    snprintf(moved, sizeof moved, "%s.moved", path + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct {
        sa_family_t family;
        char path[64];
    } own = {.family = AF_UNIX};
    memcpy(own.path, path + 5, strlen(path + 5) + 1);
    expect(call, bind(fd, (void *)&own, sizeof own) == 0);
    close(fd); /* as if its program had been killed */
    expect_ok(call, cf_listener_create(call, path, NULL, &l));
    /* One that is served is not replaced. */
    expect(call, cf_listener_create(call, path, NULL, &second) == CF_ESYS);
    expect(call, errno == EADDRINUSE && !second);
    expect_ok(call, cf_stream_connect(call, path, NULL, CF_FOREVER, &s));
    cf_stream_close(s);
    /* Of another one's file, a listener leaves its hands off. */
    expect(call, rename(path + 5, moved) == 0);
    fd = open(path + 5, O_CREAT | O_WRONLY, 0600);
    expect(call, fd >= 0);
    close(fd);
    cf_listener_close(l);
    expect_ok(call, cf_sleep(call, MS));
    expect(call, stat(path + 5, &file) == 0 && S_ISREG(file.st_mode));
    expect(call, cf_listener_create(call, path, NULL, &second) == CF_ESYS);
    expect(call, errno == EADDRINUSE);
    expect(call, unlink(path + 5) == 0 && unlink(moved) == 0);
    return 0;
}
