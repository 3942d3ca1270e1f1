/* SPDX-License-Identifier: MIT */
/*
 * An echo server, and what a request costs it: CPU time of its process. The
 * client is this process. It has 1, 100 and 1000 connections, each with one
 * request under way.
 */
#include "loop_echo/echo.h"

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
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct connection {
    int fd;
    unsigned char request[ECHO_SIZE];
    size_t answered; /* bytes */
};

struct client {
    int epoll;
    int count; /* of connections */
    struct connection *connections;
    uint64_t requests;
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

static void
allow_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static pid_t
start_server(int connections, int *port)
{
    char text[16] = "";
    int ends[2];

    if (pipe(ends) != 0)
        bench_die("pipe: %s", strerror(errno));
    pid_t pid = child_fork();
    if (pid == 0) {
        close(ends[0]);
        echo_serve(ends[1], connections);
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], text, sizeof text - 1) <= 0)
        exit(child_status(pid)); /* it has said why */
    close(ends[0]);
    *port = (int)strtol(text, NULL, 10);
    return pid;
}

static double
cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec now;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &now) != 0)
        bench_die("no CPU time of the server");
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

/* --- the client ----------------------------------------------------------- */

static void
ask(struct client *client, struct connection *c)
{
    uint64_t number = client->requests++;

    for (size_t i = 0; i < ECHO_SIZE; i += sizeof number)
        memcpy(c->request + i, &number, sizeof number);
    c->answered = 0;
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

/* So many requests and their answers, spread over all connections. */
static void
converse(struct client *client, size_t requests)
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
            answered++;
            if (asked < requests) {
                ask(client, c);
                asked++;
            }
        }
    }
}

static void
measure(const bench_options *o, int connections)
{
    struct client client = {.count = connections};
    double *rounds = bench_alloc((size_t)o->rounds, sizeof *rounds);
    char name[32];
    int port;
    /* One connection takes a turn of both processes for each. */
    size_t requests = connections == 1 ? o->n / 4 + 1 : o->n;

    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    client.connections =
        bench_alloc((size_t)connections, sizeof *client.connections);
    pid_t pid = start_server(connections, &port);
    for (int i = 0; i < connections; i++)
        dial(&client, &client.connections[i], port);
    converse(&client, requests / 2 + (size_t)connections); /* warms up */
    for (int i = 0; i < o->rounds; i++) {
        double start = cpu_ns(pid);

        converse(&client, requests);
        rounds[i] = (cpu_ns(pid) - start) / (double)requests;
    }
    for (int i = 0; i < connections; i++)
        close(client.connections[i].fd);
    child_wait(pid);
    close(client.epoll);
    snprintf(name, sizeof name, "cpu_ns_%d", connections);
    bench_metric(name, bench_median(rounds, (size_t)o->rounds));
    free(client.connections);
    free(rounds);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 60000);

    allow_descriptors();
    measure(&options, 1);
    measure(&options, 100);
    measure(&options, 1000);
    return 0;
}
