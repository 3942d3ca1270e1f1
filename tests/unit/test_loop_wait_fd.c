/* SPDX-License-Identifier: MIT */
/*
 * Tasks of an event loop that wait for descriptors, and descriptors that are
 * closed and used again meanwhile.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/io.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)
#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_), errno, "line %d", __LINE__);               \
    } while (0)

static void
make_pair(int pair[2])
{
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
}

static void
close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* Runs a task in a loop of its own; it succeeds. */
static void
run(cf_task_fn *fn, const void *arg, size_t arg_size)
{
    cf_future *f;
    assert_ok(cf_event_loop_run(NULL, fn, arg, arg_size, &f));
    const cf_error *error = cf_future_error(f);
    cr_assert(!error, "%s, %d", error->message, error->code);
    cf_future_unref(f);
}

static int
send_numbers(cf_call *call, const void *arg, size_t arg_size)
{
    int fd = *(const int *)arg;
    (void)arg_size;
    for (int i = 0; i < 20000;) {
        if (write(fd, &i, sizeof i) == (ssize_t)sizeof i) {
            i++;
            continue;
        }
        unsigned ready = 0;
        expect(call, errno == EAGAIN);
        expect(call,
               cf_wait_fd(call, fd, CF_FD_WRITE, CF_FOREVER, &ready) == CF_OK);
        expect(call, ready == CF_FD_WRITE);
    }
    return 0;
}

static int
receive_numbers(cf_call *call, const void *arg, size_t arg_size)
{
    int fd = *(const int *)arg, number;
    (void)arg_size;
    for (int i = 0; i < 20000;) {
        ssize_t got = read(fd, &number, sizeof number);
        if (got == (ssize_t)sizeof number) {
            expect(call, number == i++);
            continue;
        }
        unsigned ready = 0;
        expect(call, errno == EAGAIN);
        expect(call,
               cf_wait_fd(call, fd, CF_FD_READ, CF_FOREVER, &ready) == CF_OK);
        expect(call, ready == CF_FD_READ);
    }
    return 0;
}

Test(loop_wait_fd, tasks_read_and_write_the_same_descriptors)
{
    int pair[2];
    cf_executor *ex;
    cf_future *fs[4];
    make_pair(pair);
    assert_ok(cf_executor_open("loop", &ex));
    for (int i = 0; i < 4; i++)
        assert_ok(cf_submit(ex,
                            i < 2 ? send_numbers : receive_numbers,
                            &pair[i % 2],
                            sizeof(int),
                            &fs[i]));
    for (int i = 0; i < 4; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
    close_pair(pair);
}

static int
wait_to_read(cf_call *call, const void *arg, size_t arg_size)
{
    int fd;
    memcpy(&fd, arg, arg_size);
    errno = 0;
    int answer[2] = {(int)cf_wait_fd(call, fd, CF_FD_READ, CF_FOREVER, NULL),
                     errno};
    return cf_return(call, answer, sizeof answer);
}

static cf_future *
start_reader(cf_call *call, int fd)
{
    cf_future *f = NULL;
    if (cf_submit(cf_call_executor(call), wait_to_read, &fd, sizeof fd, &f))
        abort();
    (void)cf_yield(call); /* it begins */
    return f;
}

/* What the reader's wait has returned; its errno. */
static cf_err
answer_of(cf_future *f, int *error)
{
    cf_bytes bytes;
    int answer[2] = {-1, -1};
    if (cf_future_result(f, CF_FOREVER, &bytes) == CF_OK)
        memcpy(answer, bytes.data, sizeof answer);
    cf_future_unref(f);
    if (error)
        *error = answer[1];
    return answer[0];
}

static int
ask_for_what_is_not(cf_call *call, const void *arg, size_t arg_size)
{
    const int *pair = arg;
    unsigned ready = 7;
    (void)arg_size;
    expect(call, cf_wait_fd(call, -1, CF_FD_READ, 0, NULL) == CF_EINVAL);
    expect(call, cf_wait_fd(call, pair[0], 0, 0, NULL) == CF_EINVAL);
    expect(call, cf_wait_fd(call, pair[0], 4, 0, NULL) == CF_EINVAL);
    expect(call, cf_wait_fd(call, pair[0], CF_FD_READ, -2, NULL) == CF_EINVAL);
    expect(call,
           cf_wait_fd(call, pair[0], CF_FD_READ, 0, &ready) == CF_ETIMEDOUT);
    expect(call,
           cf_wait_fd(call, pair[0], CF_FD_READ, MS, &ready) == CF_ETIMEDOUT);
    expect(call, ready == 7);
    expect(call, cf_wait_fd(call, pair[0], 3, 0, &ready) == CF_OK);
    expect(call, ready == CF_FD_WRITE);
    expect(call, cf_wait_fd(call, 12345, CF_FD_READ, 0, NULL) == CF_ESYS);
    expect(call, errno == EBADF);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    expect(call, cf_wait_fd(call, file, CF_FD_READ, 0, NULL) == CF_ESYS);
    expect(call, errno == EPERM);
    close(file);
    return 0;
}

Test(loop_wait_fd, bad_input_and_time_out_are_answered)
{
    int pair[2];
    make_pair(pair);
    run(ask_for_what_is_not, pair, 0);
    close_pair(pair);
    cr_assert(cf_wait_fd(NULL, 0, CF_FD_READ, 0, NULL) == CF_EINVAL);
}

static int
wait_twice(cf_call *call, const void *arg, size_t arg_size)
{
    const int *pair = arg;
    (void)arg_size;
    cf_future *first = start_reader(call, pair[0]);
    cf_future *second = start_reader(call, pair[0]);
    expect(call, answer_of(second, NULL) == CF_EINVAL);
    expect(call, cf_wait_fd(call, pair[0], 3, MS, NULL) == CF_EINVAL);
    expect(call, cf_wait_fd(call, pair[0], CF_FD_WRITE, MS, NULL) == CF_OK);
    expect(call, write(pair[1], "x", 1) == 1);
    expect(call, answer_of(first, NULL) == CF_OK);
    return 0;
}

Test(loop_wait_fd, one_task_reads_and_one_writes)
{
    int pair[2];
    make_pair(pair);
    run(wait_twice, pair, 0);
    close_pair(pair);
}

static int
end_waits(cf_call *call, const void *arg, size_t arg_size)
{
    int pair[2];
    (void)arg;
    (void)arg_size;
    make_pair(pair);
    cf_future *f = start_reader(call, pair[0]);
    (void)cf_future_interrupt(f);
    expect(call, answer_of(f, NULL) == CF_EINTERRUPTED);
    f = start_reader(call, pair[0]);
    cf_fd_closing(call, pair[0]);
    close(pair[0]);
    expect(call, answer_of(f, NULL) == CF_EINTERRUPTED);
    close(pair[1]);
    make_pair(pair);
    f = start_reader(call, pair[0]);
    close(pair[1]); /* the peer hangs up */
    expect(call, answer_of(f, NULL) == CF_OK);
    cf_fd_closing(call, pair[1]); /* does nothing */
    cf_fd_closing(call, 100000);
    close(pair[0]);
    return 0;
}

Test(loop_wait_fd, an_interrupt_a_closing_and_a_hang_up_end_a_wait)
{
    run(end_waits, NULL, 0);
}

static int
use_numbers_again(cf_call *call, const void *arg, size_t arg_size)
{
    bool told = arg != NULL;
    (void)arg_size;
    for (int i = 0; i < 500; i++) {
        int pair[2], error;
        make_pair(pair);
        cf_future *f = start_reader(call, pair[0]);
        if (i % 2) /* the loop looks for it */
            expect(call, cf_sleep(call, 1) == CF_OK);
        int number = pair[0];
        if (told)
            cf_fd_closing(call, number);
        close_pair(pair);
        make_pair(pair); /* the same numbers */
        expect(call, pair[0] == number);
        cf_future *other = start_reader(call, pair[0]);
        cf_err err = answer_of(f, &error);
        if (told)
            expect(call, err == CF_EINTERRUPTED);
        else
            expect(call, err == CF_ESYS && error == EBADF);
        expect(call, !cf_future_done(other));
        expect(call, write(pair[1], "x", 1) == 1);
        expect(call, answer_of(other, NULL) == CF_OK);
        close_pair(pair);
    }
    return 0;
}

Test(loop_wait_fd, a_number_that_is_used_again_is_another_descriptor)
{
    run(use_numbers_again, NULL, 0);
    run(use_numbers_again, "told", 0);
}

/* The number is another descriptor's, while a copy of the first one lives. */
static int
keep_a_copy(cf_call *call, const void *arg, size_t arg_size)
{
    int old[2], now[2];
    (void)arg;
    (void)arg_size;
    make_pair(old);
    cf_future *f = start_reader(call, old[0]);
    (void)cf_future_interrupt(f);
    expect(call, answer_of(f, NULL) == CF_EINTERRUPTED);
    int copy = dup(old[0]);
    close(old[0]); /* and nobody is told: the system still has it armed */
    make_pair(now);
    expect(call, now[0] == old[0]);
    f = start_reader(call, now[0]);
    expect(call, write(old[1], "x", 1) == 1); /* an event of the old one */
    expect(call, cf_sleep(call, 5 * MS) == CF_OK);
    expect(call, !cf_future_done(f));
    expect(call, write(now[1], "x", 1) == 1);
    expect(call, answer_of(f, NULL) == CF_OK);
    close_pair(now);
    close(copy);
    close(old[1]);
    return 0;
}

Test(loop_wait_fd, an_event_of_a_closed_descriptor_is_ignored)
{
    run(keep_a_copy, NULL, 0);
}

enum { MANY = 300 };

static int
wait_for_many(cf_call *call, const void *arg, size_t arg_size)
{
    static int fds[MANY];
    static cf_future *fs[MANY];
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < MANY; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        expect(call, fds[i] >= 0);
        fs[i] = start_reader(call, fds[i]);
    }
    expect(call, cf_sleep(call, MS) == CF_OK);
    for (int i = 0; i < MANY; i++)
        expect(call, eventfd_write(fds[i], 1) == 0);
    for (int i = 0; i < MANY; i++) {
        expect(call, answer_of(fs[i], NULL) == CF_OK);
        close(fds[i]);
    }
    return 0;
}

Test(loop_wait_fd, many_descriptors_at_once)
{
    run(wait_for_many, NULL, 0);
}

static int
leave_a_reader(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_future_unref(start_reader(call, *(const int *)arg));
    return 0;
}

Test(loop_wait_fd, a_run_ends_with_tasks_that_wait)
{
    int pair[2];
    make_pair(pair);
    run(leave_a_reader, pair, 0);
    close_pair(pair);
}

static int
ask(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_err err = cf_wait_fd(call, 0, CF_FD_READ, 0, NULL);
    cf_fd_closing(call, 0);
    return cf_return(call, &err, sizeof err);
}

Test(loop_wait_fd, other_executors_have_it_not)
{
    const char *specs[] = {"inline", "threads:1"};
    for (int i = 0; i < 2; i++) {
        cf_executor *ex;
        cf_future *f;
        cf_bytes bytes;
        assert_ok(cf_executor_open(specs[i], &ex));
        assert_ok(cf_submit(ex, ask, NULL, 0, &f));
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(*(const cf_err *)bytes.data == CF_ENOTSUP);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}
