/* SPDX-License-Identifier: MIT */
/*
 * Input and output of a loop when libuv, the system or the allocator fails: a
 * task uses all there is of it, and the first, the second, ... of the calls
 * below fails. The operation in which that happens says so; what comes after it
 * works, in the same loop; the loop ends, and has lost no descriptor. What it
 * has lost of memory a sanitizer says.
 */
#define _GNU_SOURCE
#include "tests/support/descriptors.h"
#include "tests/support/program.h"

#include <cfutures/datagram.h>
#include <cfutures/event_loop.h>
#include <cfutures/io.h>
#include <cfutures/listener.h>
#include <cfutures/resolve.h>
#include <cfutures/subprocess.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <uv.h>

/* --- calls that fail ------------------------------------------------------ */

/* Calls of this thread until one fails; 0: none does. */
static _Thread_local int countdown;
static int error;          /* of the system, with which it fails */
static const char *struck; /* its name */

/* The names of those that have failed. */
enum { WRAPPED = 21 };
static const char *seen[WRAPPED];
static size_t seen_count;

static bool
strikes(const char *name)
{
    size_t i = 0;
    if (countdown == 0 || --countdown > 0)
        return false;
    while (i < seen_count && strcmp(seen[i], name) != 0)
        i++;
    if (i == seen_count)
        seen[seen_count++] = name;
    struck = name;
    errno = error;
    return true;
}

/* NOLINTBEGIN: the names are the linker's (--wrap). */
#define WRAP(type, name, failure, parameters, arguments)                       \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters                                              \
    {                                                                          \
        return strikes(#name) ? (failure) : __real_##name arguments;           \
    }

WRAP(int, uv_loop_init, -error, (uv_loop_t * a), (a))
WRAP(int,
     uv_async_init,
     -error,
     (uv_loop_t * a, uv_async_t *b, uv_async_cb c),
     (a, b, c))
WRAP(int, uv_poll_init, -error, (uv_loop_t * a, uv_poll_t *b, int c), (a, b, c))
WRAP(
    int, uv_poll_start, -error, (uv_poll_t * a, int b, uv_poll_cb c), (a, b, c))
WRAP(int, uv_tcp_open, -error, (uv_tcp_t * a, uv_os_sock_t b), (a, b))
WRAP(int,
     uv_tcp_connect,
     -error,
     (uv_connect_t * a, uv_tcp_t *b, const struct sockaddr *c, uv_connect_cb d),
     (a, b, c, d))
WRAP(int, uv_pipe_open, -error, (uv_pipe_t * a, uv_file b), (a, b))
WRAP(int,
     uv_tty_init,
     -error,
     (uv_loop_t * a, uv_tty_t *b, uv_file c, int d),
     (a, b, c, d))
WRAP(int,
     uv_read_start,
     -error,
     (uv_stream_t * a, uv_alloc_cb b, uv_read_cb c),
     (a, b, c))
WRAP(int,
     uv_try_write,
     -error,
     (uv_stream_t * a, const uv_buf_t *b, unsigned c),
     (a, b, c))
WRAP(int,
     uv_write,
     -error,
     (uv_write_t * a,
      uv_stream_t *b,
      const uv_buf_t *c,
      unsigned d,
      uv_write_cb e),
     (a, b, c, d, e))
WRAP(int, uv_signal_init, -error, (uv_loop_t * a, uv_signal_t *b), (a, b))
WRAP(int,
     uv_signal_start,
     -error,
     (uv_signal_t * a, uv_signal_cb b, int c),
     (a, b, c))
WRAP(int, timerfd_create, -1, (int a, int b), (a, b))
WRAP(int, epoll_create1, -1, (int a), (a))
WRAP(int, pipe2, -1, (int *a, int b), (a, b))
WRAP(int, socket, -1, (int a, int b, int c), (a, b, c))
WRAP(void *, malloc, NULL, (size_t a), (a))
WRAP(void *, calloc, NULL, (size_t a, size_t b), (a, b))
WRAP(void *, realloc, NULL, (void *a, size_t b), (a, b))

/* libuv has made the handle by the time it fails. */
int __real_uv_spawn(uv_loop_t *, uv_process_t *, const uv_process_options_t *);
int __wrap_uv_spawn(uv_loop_t *, uv_process_t *, const uv_process_options_t *);

int
__wrap_uv_spawn(uv_loop_t *uv,
                uv_process_t *process,
                const uv_process_options_t *options)
{
    uv_process_options_t bad = *options;
    if (!strikes("uv_spawn"))
        return __real_uv_spawn(uv, process, options);
    bad.file = "/nowhere/at/all";
    CHECK(__real_uv_spawn(uv, process, &bad) != 0);
    return -error;
}
/* NOLINTEND */

/* --- operations ----------------------------------------------------------- */

/* Each gives the first error. */

static cf_err
use_tcp(cf_call *call)
{
    cf_listener *l;
    cf_stream *client = NULL, *server = NULL;
    char address[CF_ADDRESS_MAX], c;
    size_t got;
    cf_err err = cf_listener_create(call, "tcp:127.0.0.1:0", NULL, &l);
    if (err)
        return err;
    CHECK(cf_listener_address(l, address, sizeof address) == CF_OK);
    err = cf_stream_connect(call, address, NULL, CF_FOREVER, &client);
    if (!err)
        err = cf_listener_accept(l, CF_FOREVER, &server);
    if (!err)
        err = cf_stream_write(client, "x", 1, CF_FOREVER, NULL);
    if (!err)
        err = cf_stream_read(server, &c, 1, CF_FOREVER, &got);
    int saved = errno;
    cf_stream_close(client);
    cf_stream_close(server);
    cf_listener_close(l);
    errno = saved;
    return err;
}

/* More than the system takes. */
static cf_err
use_pipe(cf_call *call)
{
    static char much[1 << 20];
    int fds[2];
    cf_stream *s;
    CHECK(pipe(fds) == 0);
    cf_err err = cf_stream_from_fd(call, fds[1], &s);
    if (err) {
        int saved = errno;
        (void)close(fds[1]);
        (void)close(fds[0]);
        errno = saved;
        return err;
    }
    err = cf_stream_write(s, much, sizeof much, 1, NULL);
    int saved = errno;
    cf_stream_close(s);
    (void)close(fds[0]);
    errno = saved;
    return err == CF_ETIMEDOUT ? CF_OK : err;
}

static cf_err
use_terminal(cf_call *call)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cf_stream *s;
    if (fd < 0)
        return CF_OK; /* there is none here */
    CHECK(grantpt(fd) == 0 && unlockpt(fd) == 0);
    int terminal = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(terminal >= 0);
    cf_err err = cf_stream_from_fd(call, terminal, &s);
    int saved = errno;
    if (err)
        (void)close(terminal);
    else
        cf_stream_close(s);
    (void)close(fd);
    errno = saved;
    return err;
}

static cf_err
use_datagram(cf_call *call)
{
    cf_datagram *d;
    char c;
    size_t got;
    cf_err err = cf_datagram_create(call, "udp:127.0.0.1:0", NULL, &d);
    if (err)
        return err;
    err = cf_datagram_receive_from(d, &c, 1, 1, &got, NULL);
    int saved = errno;
    cf_datagram_close(d);
    errno = saved;
    return err == CF_ETIMEDOUT ? CF_OK : err;
}

static cf_err
use_wait_fd(cf_call *call)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(fd >= 0);
    cf_err err = cf_wait_fd(call, fd, CF_FD_READ, 1, NULL);
    int saved = errno;
    cf_fd_closing(call, fd);
    (void)close(fd);
    errno = saved;
    return err == CF_ETIMEDOUT ? CF_OK : err;
}

static cf_err
use_signal(cf_call *call)
{
    static const int signals[] = {SIGUSR2, SIGHUP};
    cf_err err = cf_signal_wait(call, signals, 2, 1, NULL);
    return err == CF_ETIMEDOUT ? CF_OK : err;
}

static cf_err
use_subprocess(cf_call *call)
{
    static const char *const argv[] = {"cat", NULL};
    cf_subprocess_options opts = CF_SUBPROCESS_OPTIONS_INIT;
    cf_subprocess_output output;
    opts.argv = argv;
    cf_err err = cf_subprocess_run(call, &opts, "meow", 4, CF_FOREVER, &output);
    if (err)
        return err;
    CHECK(output.out.size == 4);
    cf_subprocess_output_free(&output);
    return CF_OK;
}

static cf_err
use_resolver(cf_call *call)
{
    cf_addresses addresses;
    cf_err err = cf_resolve(call, "localhost", NULL, CF_FOREVER, &addresses);
    if (!err)
        cf_addresses_free(&addresses);
    return err;
}

static cf_err
begin_nothing(uv_loop_t *uv, void **data)
{
    (void)uv;
    *data = NULL;
    return CF_OK;
}

static void
end_nothing(void *data)
{
    (void)data;
}

static cf_err
use_extension(cf_call *call)
{
    static const cf_event_loop_extension extension = {begin_nothing,
                                                      end_nothing};
    void *data;
    return cf_event_loop_extend(call, &extension, &data);
}

typedef cf_err operation(cf_call *call);
static operation *const operations[] = {use_extension,
                                        use_tcp,
                                        use_pipe,
                                        use_terminal,
                                        use_datagram,
                                        use_wait_fd,
                                        use_signal,
                                        use_subprocess,
                                        use_resolver};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* --- rounds --------------------------------------------------------------- */

static bool
is_fault(cf_err err)
{
    return err == CF_ENOMEM ||
           (err == CF_ESYS && (errno == error || errno == ENOMEM));
}

/* Some memory is a help only. All other faults are errors. */
static bool
may_do_without(const char *name)
{
    return strstr(name, "alloc") != NULL;
}

/* Uses all, beginning with the first-th, while the calls are counted. */
static void
use_all(cf_call *call, size_t first)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        size_t which = (first + i) % OPERATIONS;
        const char *before = struck;
        cf_err err = operations[which](call);
        const bool fault = struck != before;
        bool good =
            err ? fault && is_fault(err) : !fault || may_do_without(struck);
        if (good)
            continue;
        fprintf(stderr,
                "operation %zu: error %d, errno %d, fault in %s\n",
                which,
                (int)err,
                errno,
                fault ? struck : "none");
        _exit(1);
    }
}

struct order {
    size_t first;
    int at; /* which call fails */
};

static int
use_all_twice(cf_call *call, const void *arg, size_t arg_size)
{
    struct order order;
    memcpy(&order, arg, arg_size);
    struck = NULL;
    countdown = order.at;
    use_all(call, order.first);
    countdown = 0;
    const char *name = struck;
    use_all(call, order.first);
    return cf_return(call, &name, sizeof name);
}

/* Which call has failed; NULL: there are not so many. */
static const char *
run_round(size_t first, int at)
{
    struct order order = {first, at};
    cf_executor *loop;
    cf_future *f;
    cf_bytes bytes;
    const char *name;
    CHECK(cf_event_loop_create(NULL, &loop) == CF_OK);
    CHECK(cf_submit(loop, use_all_twice, &order, sizeof order, &f) == CF_OK);
    CHECK(cf_future_result(f, CF_FOREVER, &bytes) == CF_OK);
    memcpy(&name, bytes.data, sizeof name);
    cf_future_unref(f);
    cf_executor_destroy(loop);
    return name;
}

static bool
has_terminals(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* Each call fails once. */
static void
run_rounds(size_t first, int descriptors)
{
    const char *name;
    int at = 1;
    for (; (name = run_round(first, at)) != NULL; at++) {
        int now = count_descriptors();
        if (now == descriptors)
            continue;
        fprintf(stderr,
                "%s, the %d-th call: %d descriptors instead of %d\n",
                name,
                at,
                now,
                descriptors);
        _exit(1);
    }
    printf("errno %d, from operation %zu: each of %d calls has failed\n",
           error,
           first,
           at - 1);
}

int
main(void)
{
    static const int errors[] = {ENOMEM, EMFILE};
    (void)run_round(0, 0);
    const int descriptors = count_descriptors();
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        error = errors[i];
        for (size_t first = 0; first < OPERATIONS; first += OPERATIONS / 2)
            run_rounds(first, descriptors);
    }
    for (size_t i = 0; i < seen_count; i++)
        printf("%s ", seen[i]);
    printf("\n");
    CHECK(seen_count + !has_terminals() == WRAPPED);
    return 0;
}
