/* SPDX-License-Identifier: MIT */
/*
 * Streams whose peers behave: connected, read, written, ended. The names of
 * many are those of CPython's test_streams. Waits that end otherwise are in
 * test_loop_stream_waits.c.
 */
#include "loop_streams.h"

#include <fcntl.h>
#include <sys/stat.h>

/* --- connecting ----------------------------------------------------------- */

LOOP_TEST(loop_streams, open_connection)
{
    cf_stream *pair[2];
    char text[CF_ADDRESS_MAX];
    expect_ok(call, tcp_pair(call, pair));
    expect_ok(call, send_text(pair[0], "ping"));
    expect(call, receives(pair[1], "ping"));
    expect_ok(call, send_text(pair[1], "pong"));
    expect(call, receives(pair[0], "pong"));
    expect_ok(call, cf_stream_peer_name(pair[0], text, sizeof text));
    expect(call, strncmp(text, "tcp:127.0.0.1:", 14) == 0);
    expect(call, cf_stream_peer_name(pair[0], text, 14) == CF_ETOOBIG);
    expect(call, cf_stream_fd(pair[0]) >= 0);
    int on = 0;
    socklen_t size = sizeof on;
    (void)getsockopt(
        cf_stream_fd(pair[1]), IPPROTO_TCP, TCP_NODELAY, &on, &size);
    expect(call, on);
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_streams, open_unix_connection)
{
    cf_listener *l;
    cf_stream *client, *server;
    char text[CF_ADDRESS_MAX], path[64];
    snprintf(path, sizeof path, "unix:/tmp/cf-streams-%d", (int)getpid());
    expect_ok(call, cf_listener_create(call, path, NULL, &l));
    expect_ok(call, cf_listener_address(l, text, sizeof text));
    expect(call, strcmp(text, path) == 0);
    expect_ok(call, cf_stream_connect(call, path, NULL, CF_FOREVER, &client));
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &server));
    expect_ok(call, cf_stream_peer_name(client, text, sizeof text));
    expect(call, strcmp(text, path) == 0);
    expect_ok(call, cf_stream_peer_name(server, text, sizeof text));
    expect(call, strcmp(text, "unix:") == 0);
    expect_ok(call, send_text(client, "hello"));
    expect(call, receives(server, "hello"));
    cf_stream_close(client);
    cf_stream_close(server);
    cf_listener_close(l);
    expect_ok(call, cf_yield(call));
    expect_ok(call, cf_sleep(call, 1)); /* libuv has closed it */
    expect(call, access(path + 5, F_OK) != 0);
    return 0;
}

LOOP_TEST(loop_streams, abstract_names_and_localhost)
{
    cf_listener *l;
    cf_stream *client, *server;
    char address[CF_ADDRESS_MAX], text[CF_ADDRESS_MAX];
    snprintf(address, sizeof address, "unix:@cf-streams-%d", (int)getpid());
    expect_ok(call, cf_listener_create(call, address, NULL, &l));
    expect_ok(call, cf_listener_address(l, text, sizeof text));
    expect(call, strcmp(text, address) == 0);
    expect_ok(call,
              cf_stream_connect(call, address, NULL, CF_FOREVER, &client));
    cf_stream_close(client);
    cf_listener_close(l);

    expect_ok(call, cf_listener_create(call, "tcp:localhost:0", NULL, &l));
    expect_ok(call, cf_listener_address(l, text, sizeof text));
    snprintf(address, sizeof address, "tcp:localhost%s", strrchr(text, ':'));
    expect_ok(call,
              cf_stream_connect(call, address, NULL, CF_FOREVER, &client));
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &server));
    cf_stream_close(client);
    cf_stream_close(server);
    cf_listener_close(l);
    return 0;
}

LOOP_TEST(loop_streams, open_connection_error)
{
    cf_stream *s = NULL;
    cf_listener *l;
    char address[CF_ADDRESS_MAX];
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    cf_listener_close(l);
    expect_ok(call, cf_sleep(call, 1)); /* now nobody listens there */
    expect(call,
           cf_stream_connect(call, address, NULL, CF_FOREVER, &s) == CF_ESYS);
    expect(call, errno == ECONNREFUSED);
    expect(call,
           cf_stream_connect(call, "unix:/nowhere", NULL, CF_FOREVER, &s) ==
               CF_ESYS);
    expect(call, errno == ENOENT && !s);
    return 0;
}

LOOP_TEST(loop_streams, an_address_is_checked)
{
    static const char too_long[] =
        "unix:/0123456789012345678901234567890123456789012345678901234567890123"
        "456789012345678901234567890123456789012345678";
    static const char *const wrong[] = {"",
                                        "tcp:",
                                        "tcp:1.2.3.4",
                                        "tcp::80",
                                        "tcp:1.2.3.4:",
                                        "tcp:1.2.3.4:x y",
                                        "tcp:1.2.3.4:65536",
                                        "tcp:1.2.3.4:99999999999999999999",
                                        "tcp:::1:80",
                                        "tcp:[::1]",
                                        "tcp:[::1]:",
                                        "tcp:[::g]:80",
                                        "tcp:[::1:80",
                                        "udp:1.2.3.4:5",
                                        "unix:",
                                        "http://example.org",
                                        "tcp:1.2.3.4:8o",
                                        "tcp:[1.2.3.4]:80",
                                        too_long};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cf_stream *s;
        if (strcmp(wrong[i], "tcp:1.2.3.4:x y") == 0)
            continue; /* a service that does not exist */
        if (cf_stream_connect(call, wrong[i], NULL, 0, &s) != CF_EINVAL)
            return cf_fail(call, 1, "\"%s\"", wrong[i]);
    }
    return 0;
}

/* --- descriptors ---------------------------------------------------------- */

LOOP_TEST(loop_streams, read_all_from_pipe_reader)
{
    int fds[2];
    cf_stream *reader, *writer;
    char buf[16];
    size_t got;
    expect(call, pipe(fds) == 0);
    expect_ok(call, cf_stream_from_fd(call, fds[0], &reader));
    expect_ok(call, cf_stream_from_fd(call, fds[1], &writer));
    expect_ok(call, send_text(writer, "data"));
    expect_ok(call, cf_stream_read(reader, buf, sizeof buf, CF_FOREVER, &got));
    expect(call, got == 4 && memcmp(buf, "data", 4) == 0);
    expect(call, cf_stream_peer_name(reader, buf, sizeof buf) == CF_ENOTSUP);
    expect(call, cf_stream_shutdown(writer) == CF_ESYS && errno == ENOTSOCK);
    cf_stream_close(writer);
    expect(call,
           cf_stream_read(reader, buf, sizeof buf, CF_FOREVER, &got) ==
               CF_EDONE);
    expect(call, got == 0);
    cf_stream_close(reader);
    return 0;
}

LOOP_TEST(loop_streams, what_no_stream_can_be)
{
    cf_stream *s = NULL;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    expect(call, file >= 0);
    expect(call, cf_stream_from_fd(call, file, &s) == CF_EINVAL);
    expect(call, close(file) == 0); /* it was left to the caller */
    expect(call, cf_stream_from_fd(call, file, &s) == CF_ESYS);
    expect(call, errno == EBADF);
    expect(call, cf_stream_from_fd(call, -1, &s) == CF_EINVAL && !s);
    return 0;
}

LOOP_TEST(loop_streams, a_descriptor_has_one_stream)
{
    cf_stream *pair[2], *again = NULL;
    char c;
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    expect(call, cf_stream_read(pair[0], &c, 1, 1, &got) == CF_ETIMEDOUT);
    expect(call,
           cf_stream_from_fd(call, cf_stream_fd(pair[0]), &again) == CF_ESYS);
    expect(call, errno == EEXIST && !again);
    expect_ok(call, send_text(pair[0], "still there"));
    expect(call, receives(pair[1], "still there"));
    close_pair(pair);
    return 0;
}

/* --- reading -------------------------------------------------------------- */

LOOP_TEST(loop_streams, read)
{
    cf_stream *pair[2];
    char buf[10];
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "0123456789abc"));
    expect_ok(call, cf_stream_read(pair[1], buf, 0, CF_FOREVER, &got));
    expect(call, got == 0);
    expect_ok(call, cf_stream_read(pair[1], buf, 10, CF_FOREVER, &got));
    expect(call, got == 10 && memcmp(buf, "0123456789", 10) == 0);
    expect_ok(call, cf_stream_read(pair[1], buf, 10, CF_FOREVER, &got));
    expect(call, got == 3 && memcmp(buf, "abc", 3) == 0);
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_streams, read_eof)
{
    cf_stream *pair[2];
    char buf[10];
    size_t got = 7;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "end"));
    cf_stream_close(pair[0]);
    expect(call, receives(pair[1], "end"));
    for (int i = 0; i < 3; i++)
        expect(call,
               cf_stream_read(pair[1], buf, 10, CF_FOREVER, &got) == CF_EDONE);
    expect(call, got == 0);
    cf_stream_close(pair[1]);
    return 0;
}

LOOP_TEST(loop_streams, readexactly_eof)
{
    cf_stream *pair[2];
    char buf[10];
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, cf_stream_read_exactly(pair[1], NULL, 0, 0, NULL));
    expect_ok(call, send_text(pair[0], "some"));
    cf_stream_close(pair[0]);
    expect(call,
           cf_stream_read_exactly(pair[1], buf, 10, CF_FOREVER, &got) ==
               CF_EDONE);
    expect(call, got == 4 && memcmp(buf, "some", 4) == 0);
    cf_stream_close(pair[1]);
    return 0;
}

LOOP_TEST(loop_streams, polls)
{
    cf_stream *pair[2];
    char buf[10];
    size_t got;
    cf_bytes line;
    expect_ok(call, unix_pair(call, pair));
    expect(call, cf_stream_read(pair[1], buf, 10, 0, &got) == CF_ETIMEDOUT);
    expect(call, cf_stream_read_line(pair[1], 0, 0, &line) == CF_ETIMEDOUT);
    expect_ok(call, send_text(pair[0], "ab\ncd"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, 0, &line));
    expect(call, line_is(line, "ab\n"));
    expect(call,
           cf_stream_read_exactly(pair[1], buf, 3, 0, &got) == CF_ETIMEDOUT);
    expect(call, got == 2 && memcmp(buf, "cd", 2) == 0);
    cf_stream_close(pair[0]);
    expect(call, cf_stream_read(pair[1], buf, 10, 0, &got) == CF_EDONE);
    cf_stream_close(pair[1]);
    return 0;
}

/* --- much ----------------------------------------------------------------- */

enum { MUCH = 4 << 20 };

static int
write_much(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    uint32_t *words = malloc(MUCH);
    size_t written;
    (void)arg_size;
    expect(call, words);
    for (uint32_t i = 0; i < MUCH / 4; i++)
        words[i] = i;
    expect_ok(call, cf_stream_write(s, words, MUCH, CF_FOREVER, &written));
    expect(call, written == MUCH);
    free(words);
    expect_ok(call, cf_stream_shutdown(s));
    return 0;
}

/* In pieces of that size. */
static int
read_much(cf_call *call, cf_stream *pair[2], size_t piece)
{
    unsigned char *all = malloc(MUCH + piece);
    size_t count = 0, got;
    cf_err err;
    expect(call, all);
    cf_future *writer = start(call, write_much, pair[0]);
    while (
        !(err = cf_stream_read(pair[1], all + count, piece, CF_FOREVER, &got)))
        count += got;
    expect(call, err == CF_EDONE && count == MUCH);
    for (uint32_t i = 0; i < MUCH / 4; i++) {
        uint32_t word;
        memcpy(&word, all + 4 * (size_t)i, 4);
        expect(call, word == i);
    }
    expect_ok(call, join(writer));
    free(all);
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_streams, much_arrives_in_order)
{
    static const size_t pieces[] = {1000, 8192, 16384, 70000, MUCH};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        cf_stream *pair[2];
        expect_ok(call, i % 2 ? unix_pair(call, pair) : tcp_pair(call, pair));
        if (read_much(call, pair, pieces[i]))
            return 1;
    }
    return 0;
}

/* --- half-closed ---------------------------------------------------------- */

LOOP_TEST(loop_streams, each_side_ends_on_its_own)
{
    cf_stream *pair[2];
    char c;
    size_t got;
    for (int tcp = 0; tcp < 2; tcp++) {
        expect_ok(call, tcp ? tcp_pair(call, pair) : unix_pair(call, pair));
        expect_ok(call, send_text(pair[0], "question"));
        expect_ok(call, cf_stream_shutdown(pair[0]));
        expect_ok(call, cf_stream_shutdown(pair[0]));
        expect(call, send_text(pair[0], "more") == CF_ESYS && errno == EPIPE);
        expect(call, receives(pair[1], "question"));
        expect(call,
               cf_stream_read(pair[1], &c, 1, CF_FOREVER, &got) == CF_EDONE);
        expect_ok(call, send_text(pair[1], "answer"));
        expect(call, receives(pair[0], "answer"));
        expect_ok(call, cf_stream_shutdown(pair[1]));
        expect(call,
               cf_stream_read(pair[0], &c, 1, CF_FOREVER, &got) == CF_EDONE);
        close_pair(pair);
    }
    return 0;
}

/* --- the loop ends -------------------------------------------------------- */

static int
leave_open(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *pair[2];
    cf_listener *l;
    cf_datagram *d;
    cf_bytes line;
    (void)arg;
    (void)arg_size;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, send_text(pair[0], "unread\nand\nlent"));
    expect_ok(call, cf_stream_read_line(pair[1], 0, CF_FOREVER, &line));
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    expect_ok(call, cf_datagram_create(call, "udp:127.0.0.1:0", NULL, &d));
    return 0;
}

static int
lowest_free_descriptor(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

Test(loop_streams, a_loop_that_ends_closes_what_is_left)
{
    int before = lowest_free_descriptor();
    for (int i = 0; i < 3; i++)
        run_on_loop(leave_open, NULL);
    cr_assert(lowest_free_descriptor() == before);
}
