/* SPDX-License-Identifier: MIT */
/* loop_echo with callbacks of libuv. */
#include "loop_echo/echo.h"

#include "common/bench.h"

#include <stdlib.h>
#include <uv.h>

static char shared[65536]; /* is written back before the next read */
static int left;           /* connections that have not ended */
static int to_accept;

static void
check(int rc, const char *what)
{
    if (rc < 0)
        bench_die("%s: %s", what, uv_strerror(rc));
}

static void
on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)handle;
    (void)suggested;
    *room = uv_buf_init(shared, sizeof shared);
}

static void
on_closed(uv_handle_t *handle)
{
    free(handle);
    left--;
}

static void
on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    (void)room;
    if (count == UV_EOF) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    check((int)count, "read");
    if (count == 0)
        return;
    uv_buf_t all = uv_buf_init(shared, (unsigned)count);
    if (uv_try_write(stream, &all, 1) != count)
        bench_die("write");
}

static void
on_connection(uv_stream_t *server, int status)
{
    check(status, "accept");
    uv_tcp_t *tcp = bench_alloc(1, sizeof *tcp);
    check(uv_tcp_init(server->loop, tcp), "tcp");
    check(uv_accept(server, (uv_stream_t *)tcp), "accept");
    uv_tcp_nodelay(tcp, 1);
    check(uv_read_start((uv_stream_t *)tcp, on_room, on_read), "read");
    if (--to_accept == 0)
        uv_close((uv_handle_t *)server, NULL);
}

struct job {
    uv_work_t work;
    enum echo_load load;
};

static void
work(uv_work_t *w)
{
    echo_work(((struct job *)w)->load);
}

static void
worked(uv_work_t *w, int status)
{
    check(status, "work");
    if (left > 0)
        check(uv_queue_work(w->loop, w, work, worked), "work");
}

const bool echo_can_await = true;

void
echo_serve(int report, int connections, enum echo_load load)
{
    struct job job = {.load = load};
    uv_loop_t loop;
    uv_tcp_t server;

    left = to_accept = connections;
    check(uv_loop_init(&loop), "loop");
    check(uv_tcp_init(&loop, &server), "tcp");
    check(uv_tcp_open(&server, echo_listen(report)), "open");
    check(uv_listen((uv_stream_t *)&server, 4096, on_connection), "listen");
    if (load != ECHO_ALONE) {
        echo_go_to_pool(); /* its threads start now */
        check(uv_queue_work(&loop, &job.work, work, worked), "work");
        echo_go_back();
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    if (left != 0)
        bench_die("%d connections are left", left);
    uv_loop_close(&loop);
}
