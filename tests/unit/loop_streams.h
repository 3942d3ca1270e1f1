/* SPDX-License-Identifier: MIT */
/* For tests of streams: tasks on an event loop of their own, and connected
 * pairs. */
#ifndef CF_TESTS_UNIT_LOOP_STREAMS_H
#define CF_TESTS_UNIT_LOOP_STREAMS_H

#include <cfutures/cfutures.h>
#include <cfutures/datagram.h>
#include <cfutures/event_loop.h>
#include <cfutures/listener.h>
#include <cfutures/stream.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY_PORT "tcp:127.0.0.1:0"

/* In a task: it fails if that is not so. */
#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_),                                            \
                           errno,                                              \
                           "%s:%d: %s (errno %d)",                             \
                           __FILE__,                                           \
                           __LINE__,                                           \
                           #condition,                                         \
                           errno);                                             \
    } while (0)
#define expect_ok(call_, err_) expect(call_, (err_) == CF_OK)

/* The task must succeed. */
static inline void
finish(cf_future *f)
{
    cr_assert(cf_future_wait(f, CF_FOREVER) == CF_OK);
    const cf_error *error = cf_future_error(f);
    cr_assert(!error, "%s", error ? error->message : "");
    cf_future_unref(f);
}

/* Runs a task, and those that it submits, on a loop. */
static inline void
run_on_loop(cf_task_fn *fn, void *arg)
{
    cf_executor *loop;
    cf_future *f;
    cr_assert(cf_event_loop_create(NULL, &loop) == CF_OK);
    cr_assert(cf_submit(loop, fn, arg, 0, &f) == CF_OK);
    finish(f);
    cf_executor_destroy(loop);
}

#define LOOP_TEST(suite_, name_)                                               \
    static int name_##_task(cf_call *call, const void *arg, size_t arg_size);  \
    Test(suite_, name_)                                                        \
    {                                                                          \
        run_on_loop(name_##_task, NULL);                                       \
    }                                                                          \
    static int name_##_task(cf_call *call,                                     \
                            __attribute__((unused)) const void *arg,           \
                            __attribute__((unused)) size_t arg_size)

/* In a task: another task of the same loop. */
static inline cf_future *
start(cf_call *call, cf_task_fn *fn, const void *arg)
{
    cf_future *f = NULL;
    if (cf_submit(cf_call_executor(call), fn, arg, 0, &f) != CF_OK)
        abort();
    return f;
}

/* In a task: CF_OK if the other one has succeeded. */
static inline cf_err
join(cf_future *f)
{
    cf_bytes none;
    cf_err err = cf_future_result(f, CF_FOREVER, &none);
    const cf_error *error = cf_future_error(f);
    if (error)
        fprintf(stderr, "%s\n", error->message);
    cf_future_unref(f);
    return err;
}

static inline cf_err
unix_pair(cf_call *call, cf_stream *pair[2])
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return CF_ESYS;
    cf_err err = cf_stream_from_fd(call, fds[0], &pair[0]);
    return err ? err : cf_stream_from_fd(call, fds[1], &pair[1]);
}

static inline cf_err
tcp_pair(cf_call *call, cf_stream *pair[2])
{
    cf_listener *l;
    char address[CF_ADDRESS_MAX];
    cf_err err = cf_listener_create(call, ANY_PORT, NULL, &l);
    if (err)
        return err;
    err = cf_listener_address(l, address, sizeof address);
    if (!err)
        err = cf_stream_connect(call, address, NULL, CF_FOREVER, &pair[0]);
    if (!err)
        err = cf_listener_accept(l, CF_FOREVER, &pair[1]);
    cf_listener_close(l);
    return err;
}

static inline void
close_pair(cf_stream *pair[2])
{
    cf_stream_close(pair[0]);
    cf_stream_close(pair[1]);
}

static inline cf_err
send_text(cf_stream *s, const char *text)
{
    return cf_stream_write(s, text, strlen(text), CF_FOREVER, NULL);
}

/* true: exactly that comes next. */
static inline bool
receives(cf_stream *s, const char *text)
{
    char buf[256];
    size_t size = strlen(text), got;
    return cf_stream_read_exactly(s, buf, size, CF_FOREVER, &got) == CF_OK &&
           got == size && memcmp(buf, text, size) == 0;
}

static inline bool
line_is(cf_bytes line, const char *text)
{
    return line.size == strlen(text) && memcmp(line.data, text, line.size) == 0;
}

#endif
