/* SPDX-License-Identifier: MIT */
/* The client of loop_echo, and its server's process: see client.h. */
#include "loop_echo/client.h"

#include "common/bench.h"
#include "common/child.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct connection {
    int fd;
    unsigned char request[ECHO_SIZE];
    size_t answered; /* bytes */
    uint64_t asked_at;
};

/* --- the server's process ------------------------------------------------- */

int
echo_listen(int report)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        bench_die("no socket: %s", strerror(errno));
    dprintf(report, "%d\n", ntohs(address.sin_port));
    return fd;
}

void
echo_allow_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static pid_t
start_server(int connections, enum echo_load load, int *port)
{
    char text[16] = "";
    int ends[2];

    if (pipe(ends) != 0)
        bench_die("pipe: %s", strerror(errno));
    pid_t pid = child_fork();
    if (pid == 0) {
        close(ends[0]);
        echo_serve(ends[1], connections, load);
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], text, sizeof text - 1) <= 0)
        exit(child_status(pid)); /* it has said why */
    close(ends[0]);
    *port = (int)strtol(text, NULL, 10);
    return pid;
}

/* --- the client ----------------------------------------------------------- */

static void
ask(struct client *client, struct connection *c)
{
    uint64_t number = client->requests++;

    for (size_t i = 0; i < ECHO_SIZE; i += sizeof number)
        memcpy(c->request + i, &number, sizeof number);
    c->answered = 0;
    c->asked_at = bench_now_ns();
    if (write(c->fd, c->request, ECHO_SIZE) != ECHO_SIZE)
        bench_die("write: %s", strerror(errno));
}

/* true: the answer is whole. */
static bool
hear(struct connection *c)
{
    unsigned char answer[ECHO_SIZE];
    ssize_t got = read(c->fd, answer, ECHO_SIZE - c->answered);

    if (got <= 0)
        bench_die("the server has closed a connection");
    if (memcmp(answer, c->request + c->answered, (size_t)got) != 0)
        bench_die("a wrong answer");
    c->answered += (size_t)got;
    return c->answered == ECHO_SIZE;
}

static void
dial(struct client *client, struct connection *c, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        epoll_ctl(client->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        bench_die("connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void
client_converse(struct client *client, size_t requests)
{
    struct epoll_event events[EVENTS];
    size_t asked = 0, answered = 0;

    for (int i = 0; i < client->count && asked < requests; i++, asked++)
        ask(client, &client->connections[i]);
    while (answered < requests) {
        int count = epoll_wait(client->epoll, events, EVENTS, -1);

        if (count < 0 && errno != EINTR)
            bench_die("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;

            if (!hear(c))
                continue;
            if (client->took)
                client->took[answered] = (double)(bench_now_ns() - c->asked_at);
            answered++;
            if (asked < requests) {
                ask(client, c);
                asked++;
            }
        }
    }
}

void
client_open(struct client *client, int connections, enum echo_load load)
{
    int port;

    *client = (struct client){.count = connections};
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    client->connections =
        bench_alloc((size_t)connections, sizeof *client->connections);
    client->server = start_server(connections, load, &port);
    for (int i = 0; i < connections; i++)
        dial(client, &client->connections[i], port);
}

void
client_close(struct client *client)
{
    for (int i = 0; i < client->count; i++)
        close(client->connections[i].fd);
    child_wait(client->server);
    close(client->epoll);
    free(client->connections);
}
