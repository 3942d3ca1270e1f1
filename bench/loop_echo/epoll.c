/* SPDX-License-Identifier: MIT */
/* loop_echo with epoll alone: a floor. */
#include "loop_echo/echo.h"

#include "common/bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024 };

static void
watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("epoll_ctl: %s", strerror(errno));
}

static void
accept_all(int epoll, int listener)
{
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, fd);
    }
}

/* false: the connection has ended. */
static bool
echo(int fd)
{
    char buf[4096];
    ssize_t count = read(fd, buf, sizeof buf);

    if (count < 0)
        bench_die("read: %s", strerror(errno));
    if (count > 0 && write(fd, buf, (size_t)count) != count)
        bench_die("write: %s", strerror(errno));
    return count > 0;
}

const bool echo_can_await = false;

void
echo_serve(int report, int connections, enum echo_load load)
{
    static struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), left = connections;
    int listener = echo_listen(report);

    (void)load;
    watch(epoll, listener);
    while (left > 0) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                accept_all(epoll, listener);
            } else if (!echo(fd)) {
                close(fd);
                left--;
            }
        }
    }
}
