/* SPDX-License-Identifier: MIT */
/* loop_echo on this library's event loop: a task for each connection. */
#include "loop_echo/echo.h"

#include "common/in_loop.h"

#include <cfutures/event_loop.h>
#include <cfutures/listener.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    int report, connections;
    enum echo_load load;
    cf_executor *pool;
    bool over; /* all connections have ended */
};

static int
work(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    echo_work(*(const enum echo_load *)arg);
    return 0;
}

static int
await_work(cf_call *call, const void *arg, size_t arg_size)
{
    const struct server *server = arg;
    cf_future *f;

    (void)call;
    (void)arg_size;
    while (!server->over) {
        bench_check(
            cf_submit(
                server->pool, work, &server->load, sizeof server->load, &f),
            "cf_submit");
        bench_await(f);
    }
    return 0;
}

static int
serve_one(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *s = (cf_stream *)(uintptr_t)arg;
    char buf[4096];
    size_t got;
    cf_err err;

    (void)call;
    (void)arg_size;
    while (!(err = cf_stream_read(s, buf, sizeof buf, CF_FOREVER, &got)))
        bench_check(cf_stream_write(s, buf, got, CF_FOREVER, NULL), "write");
    if (err != CF_EDONE)
        bench_check(err, "read");
    cf_stream_close(s);
    return 0;
}

static int
serve(cf_call *call, const void *arg, size_t arg_size)
{
    struct server *server = (struct server *)arg;
    cf_future **tasks = bench_alloc((size_t)server->connections, sizeof *tasks);
    cf_listener *l;
    cf_stream *s;
    cf_future *awaits = NULL;
    char address[CF_ADDRESS_MAX];

    (void)arg_size;
    bench_check(cf_listener_create(call, "tcp:127.0.0.1:0", NULL, &l),
                "listen");
    bench_check(cf_listener_address(l, address, sizeof address), "address");
    dprintf(server->report, "%s\n", strrchr(address, ':') + 1);
    if (server->load != ECHO_ALONE)
        awaits = bench_spawn(call, await_work, server);
    for (int i = 0; i < server->connections; i++) {
        bench_check(cf_listener_accept(l, CF_FOREVER, &s), "accept");
        tasks[i] = bench_spawn(call, serve_one, s);
    }
    for (int i = 0; i < server->connections; i++)
        bench_await(tasks[i]);
    server->over = true;
    if (awaits)
        bench_await(awaits);
    cf_listener_close(l);
    free(tasks);
    return 0;
}

const bool echo_can_await = true;

void
echo_serve(int report, int connections, enum echo_load load)
{
    struct server server = {report, connections, load, NULL, false};

    if (load != ECHO_ALONE) {
        echo_go_to_pool(); /* the pool's threads are like its creator */
        bench_check(cf_executor_open("threads:1", &server.pool), "pool");
        echo_go_back();
    }
    bench_in_loop(serve, &server);
    cf_executor_destroy(server.pool);
}
