/* SPDX-License-Identifier: MIT */
/*
 * Waits for streams that end without what they waited for: by time, by
 * interrupts, because the stream is closed; and calls from elsewhere.
 */
#include "loop_stream_wait.h"

#include <signal.h>
#include <sys/wait.h>

/* --- time ----------------------------------------------------------------- */

LOOP_TEST(loop_stream_waits, a_read_times_out_and_loses_nothing)
{
    cf_stream *pair[2];
    char buf[8];
    size_t got = 1;
    cf_bytes line;
    expect_ok(call, tcp_pair(call, pair));
    expect(call, cf_stream_read(pair[1], buf, 8, MS, &got) == CF_ETIMEDOUT);
    expect(call, got == 0);
    expect_ok(call, send_text(pair[0], "abc"));
    expect(call, cf_stream_read_line(pair[1], 0, MS, &line) == CF_ETIMEDOUT);
    expect(call,
           cf_stream_read_exactly(pair[1], buf, 8, 5 * MS, &got) ==
               CF_ETIMEDOUT);
    expect(call, got == 3 && memcmp(buf, "abc", 3) == 0);
    expect_ok(call, send_text(pair[0], "def"));
    expect(call, receives(pair[1], "def"));
    expect(call, cf_stream_read(pair[1], buf, 8, -2, &got) == CF_EINVAL);
    close_pair(pair);
    return 0;
}

/* Fills a stream until it takes no more. Gives how much that was. */
static size_t
fill(cf_stream *s)
{
    static const unsigned char zeros[65536];
    size_t count = 0, written;
    cf_err err;
    do {
        err = cf_stream_write(s, zeros, sizeof zeros, 0, &written);
        count += written;
    } while (!err);
    return err == CF_ETIMEDOUT ? count : 0;
}

/* Reads so many bytes, and then the end. */
static bool
drains(cf_stream *s, size_t count)
{
    static unsigned char buf[65536];
    size_t got;
    cf_err err;
    while (!(err = cf_stream_read(s, buf, sizeof buf, CF_FOREVER, &got)))
        count -= got;
    return err == CF_EDONE && count == 0;
}

static int
drain_and_expect(cf_call *call, const void *arg, size_t arg_size)
{
    struct {
        cf_stream *s;
        size_t count;
    } job;
    memcpy(&job, arg, arg_size);
    expect(call, drains(job.s, job.count));
    return 0;
}

LOOP_TEST(loop_stream_waits, a_write_times_out_and_says_how_much_went)
{
    cf_stream *pair[2];
    static char more[100000];
    size_t written = 1, all;
    expect_ok(call, unix_pair(call, pair));
    all = fill(pair[0]);
    expect(call, all > 0);
    for (int i = 0; i < 3; i++) {
        expect(call,
               cf_stream_write(pair[0], more, sizeof more, 2 * MS, &written) ==
                   CF_ETIMEDOUT);
        expect(call, written < sizeof more);
        expect(call, i == 0 || written == 0); /* memory is bounded */
        all += written;
    }
    memset(more, 1, sizeof more);                 /* the buffer is the task's */
    expect_ok(call, cf_stream_shutdown(pair[0])); /* after what is under way */
    expect(call, drains(pair[1], all));
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_stream_waits, connecting_times_out)
{
    cf_listener *l;
    cf_stream *clients[8], *s;
    cf_listener_options opts = CF_LISTENER_OPTIONS_INIT;
    char address[CF_ADDRESS_MAX];
    int count = 0;
    cf_err err = CF_OK;
    opts.backlog = 1;
    snprintf(address, sizeof address, "unix:@cf-full-%d", (int)getpid());
    expect_ok(call, cf_listener_create(call, address, &opts, &l));
    while (!err && count < 8) {
        err = cf_stream_connect(call, address, NULL, 20 * MS, &s);
        if (!err)
            clients[count++] = s;
    }
    expect(call, err == CF_ETIMEDOUT && count > 0);
    expect_ok(call, cf_listener_accept(l, CF_FOREVER, &s)); /* makes room */
    cf_stream_close(s);
    expect_ok(call, cf_stream_connect(call, address, NULL, CF_FOREVER, &s));
    cf_stream_close(s);
    while (count > 0)
        cf_stream_close(clients[--count]);
    cf_listener_close(l);
    return 0;
}

/* --- interrupts ----------------------------------------------------------- */

LOOP_TEST(loop_stream_waits, an_interrupt_ends_each_wait)
{
    for (enum what what = READ; what <= ACCEPT; what++) {
        cf_stream *pair[2];
        struct wait w = {.what = what};
        expect_ok(call, unix_pair(call, pair));
        expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &w.l));
        w.s = pair[0];
        cf_future *f = begin(call, &w);
        expect(call, !cf_future_done(f));
        expect(call, cf_future_interrupt(f));
        (void)cf_future_wait(f, CF_FOREVER);
        cf_future_unref(f);
        if (w.err != CF_EINTERRUPTED)
            return cf_fail(call, (int)what, "%s", cf_err_name(w.err));
        if (what == WRITE) { /* and what went is on its way, no more */
            expect(call, w.count > 0);
            expect_ok(call, cf_stream_shutdown(pair[0]));
            expect(call, drains(pair[1], w.count));
        } else { /* and nothing else is lost */
            expect_ok(call, send_text(pair[1], "later"));
            expect(call, receives(pair[0], "later"));
        }
        close_pair(pair);
        cf_listener_close(w.l);
    }
    return 0;
}

LOOP_TEST(loop_stream_waits, an_interrupt_ends_connecting)
{
    cf_listener *l;
    cf_listener_options opts = CF_LISTENER_OPTIONS_INIT;
    char address[CF_ADDRESS_MAX];
    cf_stream *s, *clients[8];
    int count = 0;
    opts.backlog = 1;
    expect_ok(call, cf_listener_create(call, ANY_PORT, &opts, &l));
    expect_ok(call, cf_listener_address(l, address, sizeof address));
    while (count < 8 && !cf_stream_connect(call, address, NULL, 50 * MS, &s))
        clients[count++] = s;
    expect(call, count < 8); /* now the system drops what comes */
    struct wait w = {.what = CONNECT, .address = address};
    cf_future *f = begin(call, &w);
    expect(call, cf_future_interrupt(f));
    (void)cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
    expect(call, w.err == CF_EINTERRUPTED);
    while (count > 0)
        cf_stream_close(clients[--count]);
    cf_listener_close(l);
    return 0;
}

static int
read_twice(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    char buf[4];
    size_t got;
    (void)arg_size;
    expect(call, cf_sleep(call, CF_FOREVER) == CF_EINTERRUPTED);
    /* What is there is had all the same, and what is not is no wait. */
    expect_ok(call, cf_stream_read(s, buf, 4, CF_FOREVER, &got));
    expect(call, got == 4);
    expect_ok(call, send_text(s, "yes"));
    expect(call,
           cf_stream_read(s, buf, 4, CF_FOREVER, &got) == CF_EINTERRUPTED);
    return 0;
}

LOOP_TEST(loop_stream_waits, a_satisfied_wait_succeeds_in_spite_of_it)
{
    cf_stream *pair[2];
    char c;
    size_t got;
    expect_ok(call, unix_pair(call, pair));
    expect(call, cf_stream_read(pair[0], &c, 1, 1, &got) == CF_ETIMEDOUT);
    expect_ok(call, send_text(pair[1], "here"));
    cf_future *f = start(call, read_twice, pair[0]);
    expect_ok(call, cf_sleep(call, 5 * MS)); /* it has been read ahead */
    expect(call, cf_future_interrupt(f));
    expect_ok(call, join(f));
    expect(call, receives(pair[1], "yes"));
    close_pair(pair);
    return 0;
}

/* --- two tasks ------------------------------------------------------------ */

LOOP_TEST(loop_stream_waits, a_second_reader_or_writer_is_refused)
{
    cf_stream *pair[2];
    char c;
    size_t got;
    cf_bytes line;
    expect_ok(call, unix_pair(call, pair));
    struct wait reader = {.what = READ, .s = pair[0]};
    struct wait writer = {.what = WRITE, .s = pair[0]};
    cf_future *reads = begin(call, &reader), *writes = begin(call, &writer);
    expect(call, cf_stream_read(pair[0], &c, 1, CF_FOREVER, &got) == CF_EINVAL);
    expect(call,
           cf_stream_read_line(pair[0], 0, CF_FOREVER, &line) == CF_EINVAL);
    expect(call, send_text(pair[0], "more") == CF_EINVAL);
    expect(call, cf_stream_shutdown(pair[0]) == CF_EINVAL);
    expect_ok(call, send_text(pair[1], "x")); /* the first ones go on */
    expect_ok(call, join(reads));
    expect(call, reader.err == CF_OK && reader.count == 1);
    struct {
        cf_stream *s;
        size_t count;
    } job = {pair[1], 1 << 20};
    cf_future *drain;
    expect_ok(call,
              cf_submit(cf_call_executor(call),
                        drain_and_expect,
                        &job,
                        sizeof job,
                        &drain));
    expect_ok(call, join(writes));
    expect(call, writer.err == CF_OK && writer.count == 1 << 20);
    expect_ok(call, cf_stream_shutdown(pair[0]));
    expect_ok(call, join(drain));
    close_pair(pair);
    return 0;
}

LOOP_TEST(loop_stream_waits, closing_ends_the_waits_of_others)
{
    for (enum what what = READ; what <= ACCEPT; what++) {
        cf_stream *pair[2];
        struct wait w = {.what = what};
        expect_ok(call, unix_pair(call, pair));
        expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &w.l));
        w.s = pair[0];
        cf_future *f = begin(call, &w);
        expect(call, !cf_future_done(f));
        cf_listener_close(w.l);
        cf_stream_close(pair[0]);
        expect_ok(call, join(f));
        expect(call, w.err == CF_EINTERRUPTED);
        cf_stream_close(pair[1]);
    }
    return 0;
}

/* --- elsewhere ------------------------------------------------------------ */

static int
use_elsewhere(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg, *other;
    char c;
    size_t got;
    (void)arg_size;
    expect(call, cf_stream_read(s, &c, 1, CF_FOREVER, &got) == CF_ENOTSUP);
    expect(call, cf_stream_write(s, "x", 1, CF_FOREVER, &got) == CF_ENOTSUP);
    expect(call, cf_stream_shutdown(s) == CF_ENOTSUP);
    expect(call, cf_stream_from_fd(call, 0, &other) == CF_ENOTSUP);
    expect(call,
           cf_stream_connect(call, "unix:/x", NULL, 0, &other) == CF_ENOTSUP);
    return 0;
}

LOOP_TEST(loop_stream_waits, a_stream_is_for_its_loop)
{
    cf_stream *pair[2];
    cf_executor *pool;
    cf_future *f;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, cf_executor_open("threads:1", &pool));
    expect_ok(call, cf_submit(pool, use_elsewhere, pair[0], 0, &f));
    expect_ok(call, join(f));
    cf_executor_destroy(pool);
    close_pair(pair);
    return 0;
}

/* A child does not touch what the parent's loop has. */
LOOP_TEST(loop_stream_waits, in_a_forks_child_a_stream_is_nobodys)
{
    cf_stream *pair[2];
    cf_listener *l;
    int status;
    expect_ok(call, unix_pair(call, pair));
    expect_ok(call, cf_listener_create(call, ANY_PORT, NULL, &l));
    pid_t child = fork();
    if (child == 0) {
        char c;
        size_t got;
        cf_stream *s;
        bool right =
            cf_stream_read(pair[0], &c, 1, CF_FOREVER, &got) == CF_EFORKED &&
            cf_stream_write(pair[0], "x", 1, CF_FOREVER, NULL) == CF_EFORKED &&
            cf_stream_shutdown(pair[0]) == CF_EFORKED &&
            cf_listener_accept(l, CF_FOREVER, &s) == CF_EFORKED &&
            cf_stream_from_fd(call, 0, &s) == CF_EFORKED;
        close_pair(pair);
        cf_listener_close(l);
        _exit(right ? 0 : 1);
    }
    expect(call, waitpid(child, &status, 0) == child && status == 0);
    expect_ok(call, send_text(pair[0], "still there"));
    expect(call, receives(pair[1], "still there"));
    close_pair(pair);
    cf_listener_close(l);
    return 0;
}

static int
make_pair(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream **pair = (cf_stream **)(uintptr_t)arg;
    (void)arg_size;
    expect_ok(call, unix_pair(call, pair));
    return 0;
}

/* As nobody else can end the waits in it, that is no error to return. */
Test(loop_stream_waits, closing_from_another_thread_aborts, .signal = SIGABRT)
{
    static cf_stream *pair[2];
    cf_executor *loop;
    cf_future *f;
    cr_assert(cf_event_loop_create(NULL, &loop) == CF_OK);
    cr_assert(cf_submit(loop, make_pair, pair, 0, &f) == CF_OK);
    finish(f);
    cf_stream_close(pair[0]);
}
