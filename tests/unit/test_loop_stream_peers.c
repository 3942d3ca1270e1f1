/* SPDX-License-Identifier: MIT */
/* Streams whose peers reset, go, or are too slow. */
#include "loop_stream_wait.h"

LOOP_TEST(loop_stream_peers, a_peer_that_resets)
{
    cf_stream *pair[2];
    struct linger now = {1, 0};
    char c;
    size_t got;
    expect_ok(call, tcp_pair(call, pair));
    struct wait w = {.what = READ, .s = pair[0]};
    cf_future *f = begin(call, &w);
    (void)setsockopt(
        cf_stream_fd(pair[1]), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cf_stream_close(pair[1]);
    expect_ok(call, join(f));
    expect(call, w.err == CF_ESYS);
    for (int i = 0; i < 2; i++) {
        errno = 0;
        expect(call,
               cf_stream_read(pair[0], &c, 1, CF_FOREVER, &got) == CF_ESYS);
        expect(call, errno == ECONNRESET);
    }
    for (int i = 0; i < 2; i++) { /* without a SIGPIPE */
        expect(call, send_text(pair[0], "anybody?") == CF_ESYS);
        expect(call, errno == EPIPE || errno == ECONNRESET);
    }
    cf_stream_close(pair[0]);
    return 0;
}

LOOP_TEST(loop_stream_peers, a_peer_that_goes_ends_a_write)
{
    cf_stream *pair[2];
    expect_ok(call, unix_pair(call, pair));
    struct wait w = {.what = WRITE, .s = pair[0]};
    cf_future *f = begin(call, &w);
    cf_stream_close(pair[1]);
    expect_ok(call, join(f));
    expect(call, w.err == CF_ESYS && w.count < 1 << 20);
    cf_stream_close(pair[0]);
    return 0;
}

static int
write_for_ever(cf_call *call, const void *arg, size_t arg_size)
{
    static const char zeros[65536];
    struct wait *w = (struct wait *)(uintptr_t)arg;
    size_t written;
    (void)arg_size;
    (void)call;
    w->begun = true;
    do {
        w->err =
            cf_stream_write(w->s, zeros, sizeof zeros, CF_FOREVER, &written);
        w->count += written;
    } while (!w->err);
    return 0;
}

LOOP_TEST(loop_stream_peers, a_slow_reader_holds_up_the_writer)
{
    cf_stream *pair[2];
    char c[10];
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    struct wait w = {.what = WRITE, .s = pair[0]};
    cf_future *f = start(call, write_for_ever, &w);
    size_t former;
    expect(call, receives(pair[1], "")); /* nothing */
    expect_ok(call, cf_stream_read(pair[1], c, 10, CF_FOREVER, &got));
    do { /* until it stands still */
        former = w.count;
        expect_ok(call, cf_sleep(call, 20 * MS));
    } while (w.count != former);
    expect(call, w.count < 4 << 20); /* the system's buffers, and ours */
    for (int i = 0; i < 5; i++)
        expect_ok(call, cf_stream_read(pair[1], c, 10, CF_FOREVER, &got));
    expect_ok(call, cf_sleep(call, 20 * MS));
    expect(call, w.count == former);
    expect(call, cf_future_interrupt(f));
    (void)cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
    expect(call, w.err == CF_EINTERRUPTED);
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_stream_peers, what_was_read_ahead_comes_before_the_error)
{
    cf_stream *pair[2];
    struct linger now = {1, 0};
    char c;
    size_t got;
    expect_ok(call, tcp_pair(call, pair));
    expect(call, cf_stream_read(pair[0], &c, 1, 1, &got) == CF_ETIMEDOUT);
    expect_ok(call, send_text(pair[1], "last words"));
    expect_ok(call, cf_sleep(call, 5 * MS)); /* the loop has them */
    (void)setsockopt(
        cf_stream_fd(pair[1]), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cf_stream_close(pair[1]);
    expect_ok(call, cf_sleep(call, 5 * MS));
    expect(call, receives(pair[0], "last words"));
    expect(call, cf_stream_read(pair[0], &c, 1, CF_FOREVER, &got) == CF_ESYS);
    expect(call, errno == ECONNRESET);
    cf_stream_close(pair[0]);
    return 0;
}
