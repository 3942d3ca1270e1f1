/* SPDX-License-Identifier: MIT */
/*
 * Transfers in an event loop: what is special there, or goes wrong.
 */
#include "tests/unit/curl_fetch.h"

#include <cfutures/event_loop.h>

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- sockets that libcurl closes ------------------------------------------ */

/* Some epoll set of this process has the descriptor. */
static bool
is_watched(int fd)
{
    bool found = false;
    DIR *folder = opendir("/proc/self/fdinfo");
    cr_assert(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[300], line[200];
        int watched;
        snprintf(path, sizeof path, "/proc/self/fdinfo/%s", entry->d_name);
        FILE *file = fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "tfd: %d", &watched) == 1 && watched == fd)
                found = true;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return found;
}

static atomic_int closed, closed_while_watched;

static int
close_socket(void *data, curl_socket_t fd)
{
    (void)data;
    atomic_fetch_add(&closed, 1);
    if (is_watched(fd))
        atomic_fetch_add(&closed_while_watched, 1);
    return close(fd);
}

static int
fetch_and_close(cf_call *call, const void *arg, size_t arg_size)
{
    const struct order *order = arg;
    struct outcome outcome = {0};
    CURL *easy = new_easy(order, &outcome);
    CURLcode code;
    (void)arg_size;
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    cf_err err = cf_curl_perform(call, easy, order->timeout_ns, &code);
    curl_easy_cleanup(easy);
    return err && err != CF_ETIMEDOUT;
}

Test(curl_loop, no_socket_is_closed_while_it_is_watched)
{
    static const char *const pages[] = {"/ok", "/hang", "/reset", "/half"};
    enum { N = 40 };
    /* The server is another process, as its epoll set has other numbers. */
    int ports[2];
    cr_assert(pipe(ports) == 0);
    pid_t server = fork();
    if (server == 0) {
        int port = http_server_port(http_server_start(0));
        (void)!write(ports[1], &port, sizeof port);
        for (;;)
            pause();
    }
    struct order order = {.timeout_ns = CF_MS(30)};
    cr_assert(read(ports[0], &order.port, sizeof order.port) == sizeof(int));
    cf_executor *ex = open_executor("loop");
    cf_future *fs[N];
    for (int i = 0; i < N; i++) {
        strcpy(order.page, pages[i % 4]);
        assert_ok(cf_submit(ex, fetch_and_close, &order, sizeof order, &fs[i]));
    }
    for (int i = 0; i < N; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&closed) >= N / 2);
    cr_assert(atomic_load(&closed_while_watched) == 0);
    kill(server, SIGKILL);
    cr_assert(waitpid(server, NULL, 0) == server);
}

/* --- misuse --------------------------------------------------------------- */

struct shared_easy {
    CURL *easy;
    cf_future *first;
};

static int
use_easy(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared_easy *shared = *(struct shared_easy *const *)arg;
    CURLcode code;
    (void)arg_size;
    cf_err err = cf_curl_perform(call, shared->easy, CF_FOREVER, &code);
    return (int)cf_return(call, &err, sizeof err);
}

Test(curl_loop, two_tasks_cannot_use_one_handle_at_once)
{
    http_server *s = http_server_start(0);
    struct order order = order_of(s, "/hang", CF_FOREVER);
    struct outcome outcome = {0};
    struct shared_easy shared = {.easy = new_easy(&order, &outcome)};
    struct shared_easy *arg = &shared;
    cf_executor *ex = open_executor("loop");
    cf_future *second;
    cf_bytes bytes;
    assert_ok(cf_submit(ex, use_easy, &arg, sizeof arg, &shared.first));
    http_server_await(s, 1);
    assert_ok(cf_submit(ex, use_easy, &arg, sizeof arg, &second));
    assert_ok(cf_future_result(second, CF_FOREVER, &bytes));
    cr_assert(*(const cf_err *)bytes.data == CF_EINVAL);
    cf_future_interrupt(shared.first);
    assert_ok(cf_future_result(shared.first, CF_FOREVER, &bytes));
    cr_assert(*(const cf_err *)bytes.data == CF_EINTERRUPTED);
    cf_future_unref(second);
    cf_future_unref(shared.first);
    cf_executor_destroy(ex);
    curl_easy_cleanup(shared.easy);
    http_server_stop(s);
}

/* --- a transfer inside of a transfer's callback --------------------------- */

struct nested {
    cf_call *call;
    struct order order;
    struct outcome inner;
};

static size_t
fetch_inside(char *data, size_t one, size_t size, void *to)
{
    struct nested *nested = to;
    (void)data;
    (void)one;
    nested->inner = fetch(nested->call, &nested->order);
    return size;
}

static int
nest(cf_call *call, const void *arg, size_t arg_size)
{
    struct nested nested = {.call = call, .order = *(const struct order *)arg};
    struct outcome outcome = {0};
    CURL *easy = new_easy(&nested.order, &outcome);
    CURLcode code = CURL_LAST;
    (void)arg_size;
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fetch_inside);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &nested);
    cf_err err = cf_curl_perform(call, easy, CF_FOREVER, &code);
    curl_easy_cleanup(easy);
    return err || code || nested.inner.err || nested.inner.size != 3;
}

/* In a loop it holds the thread, and works all the same. */
Test(curl_loop, a_callback_may_fetch)
{
    static const char *const specs[] = {"loop", "threads:1", "inline"};
    http_server *s = http_server_start(0);
    struct order order = order_of(s, "/ok", CF_FOREVER);
    for (int i = 0; i < 3; i++) {
        cf_executor *ex = open_executor(specs[i]);
        cf_future *f;
        assert_ok(cf_submit(ex, nest, &order, sizeof order, &f));
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
    http_server_stop(s);
}
