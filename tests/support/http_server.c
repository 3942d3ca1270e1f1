/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* accept4(). NOLINT: the C library's name */
#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, PIECE = 65536 };

struct connection {
    int fd;
    char request[REQUEST_MAX];
    size_t request_size;
    char head[256]; /* of the answer */
    size_t head_size, head_sent;
    char text[16]; /* the body, if it has three bytes */
    size_t body_size, body_sent;
    bool answering;
    bool in_crowd;
    int64_t due_ms; /* when to answer; 0: now */
    struct connection *next, *prev;
};

struct http_server {
    int listener, epoll, stop, port;
    pthread_t thread;
    struct connection *connections;
    int busy;              /* so many requests to /busy */
    int crowd, crowd_most; /* requests to /crowd that wait, and have waited */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    int request_count, connection_count;
};

static void
check(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    _exit(1);
}

static int64_t
now_ms(void)
{
    struct timespec t;
    check(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock");
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
count(http_server *s, int *counter)
{
    pthread_mutex_lock(&s->lock);
    ++*counter;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void
watch(http_server *s, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    check(epoll_ctl(s->epoll, operation, fd, &event) == 0, "epoll_ctl");
}

/* It is answered, or gone. */
static void
leave_crowd(http_server *s, struct connection *c)
{
    s->crowd -= c->in_crowd;
    c->in_crowd = false;
}

static void
drop(http_server *s, struct connection *c, bool reset)
{
    struct linger now = {1, 0};
    leave_crowd(s, c);
    if (reset)
        check(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0,
              "linger");
    /* A process that has just been forked may have the socket open, too. */
    watch(s, EPOLL_CTL_DEL, c->fd, 0, NULL);
    close(c->fd);
    if (c->next)
        c->next->prev = c->prev;
    if (c->prev)
        c->prev->next = c->next;
    else
        s->connections = c->next;
    free(c);
}

/* --- answers -------------------------------------------------------------- */

static void
answer(struct connection *c, int status, size_t said, size_t body_size)
{
    int size = snprintf(c->head,
                        sizeof c->head,
                        "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n\r\n",
                        status,
                        status == 200 ? "OK" : "Not OK",
                        said);
    c->head_size = (size_t)size;
    c->head_sent = c->body_sent = 0;
    snprintf(c->text, sizeof c->text, "ok\n");
    c->body_size = body_size;
    c->answering = true;
}

static void
redirect(struct connection *c, long n)
{
    char where[32] = "/ok";
    if (n > 1)
        snprintf(where, sizeof where, "/redirect/%ld", n - 1);
    else if (n < 0)
        snprintf(where, sizeof where, "/around");
    answer(c, 302, 0, 0);
    int size = snprintf(c->head,
                        sizeof c->head,
                        "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
                        "Content-Length: 0\r\n\r\n",
                        where);
    c->head_size = (size_t)size;
}

static void
join_crowd(http_server *s, struct connection *c, long ms)
{
    answer(c, 200, 3, 3);
    c->due_ms = now_ms() + ms;
    c->in_crowd = true;
    if (s->crowd == 0)
        s->crowd_most = 0;
    if (++s->crowd > s->crowd_most)
        s->crowd_most = s->crowd;
}

/* false: the connection is gone. */
static bool
respond(http_server *s, struct connection *c)
{
    char path[64] = "";
    (void)sscanf(c->request, "%*s %63s", path);
    long n = 0;
    char *number = strrchr(path, '/');
    if (number)
        n = strtol(number + 1, NULL, 10);
    c->due_ms = 0;
    if (strcmp(path, "/ok") == 0) {
        answer(c, 200, 3, 3);
    } else if (strncmp(path, "/size/", 6) == 0) {
        answer(c, 200, (size_t)n, (size_t)n);
    } else if (strncmp(path, "/slow/", 6) == 0) {
        answer(c, 200, 3, 3);
        c->due_ms = now_ms() + n;
    } else if (strncmp(path, "/busy/", 6) == 0) {
        answer(c, s->busy++ < n ? 503 : 200, 3, 3);
    } else if (strncmp(path, "/crowd/", 7) == 0) {
        join_crowd(s, c, n);
    } else if (strncmp(path, "/redirect/", 10) == 0) {
        redirect(c, n);
    } else if (strcmp(path, "/around") == 0) {
        redirect(c, -1);
    } else if (strcmp(path, "/half") == 0) {
        answer(c, 200, 100, 10);
    } else if (strcmp(path, "/reset") == 0) {
        drop(s, c, true);
        count(s, &s->request_count);
        return false;
    } else if (strcmp(path, "/hang") != 0) {
        answer(c, 404, 3, 3);
    }
    count(s, &s->request_count);
    return true;
}

/* Sends what goes; false: the connection is gone. */
static bool
send_on(http_server *s, struct connection *c)
{
    static char piece[PIECE];
    if (piece[0] == 0)
        memset(piece, 'x', sizeof piece);
    while (c->head_sent < c->head_size || c->body_sent < c->body_size) {
        const char *data = c->head + c->head_sent;
        size_t *sent = &c->head_sent, size = c->head_size - c->head_sent;
        if (size == 0) {
            sent = &c->body_sent;
            size = c->body_size - c->body_sent;
            data = c->body_size == 3 ? c->text + c->body_sent : piece;
            size = size < PIECE ? size : PIECE;
        }
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            watch(s, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c);
            return true;
        }
        if (n < 0) {
            drop(s, c, false);
            return false;
        }
        *sent += (size_t)n;
    }
    c->answering = false;
    watch(s, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
    return true;
}

/* --- events --------------------------------------------------------------- */

static void
receive(http_server *s, struct connection *c)
{
    size_t room = sizeof c->request - 1 - c->request_size;
    ssize_t n = recv(c->fd, c->request + c->request_size, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(s, c, false);
        return;
    }
    c->request_size += (size_t)n;
    c->request[c->request_size] = '\0';
    char *end = strstr(c->request, "\r\n\r\n");
    if (!end)
        return;
    if (respond(s, c)) {
        c->request_size = 0; /* nothing follows: curl does not pipeline */
        if (c->answering && !c->due_ms)
            (void)send_on(s, c);
    }
}

static void
accept_one(http_server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return; /* the client has gone away */
    int on = 1; /* an answer is two pieces, which need not wait */
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
          "TCP_NODELAY");
    struct connection *c = calloc(1, sizeof *c);
    check(c != NULL, "calloc");
    c->fd = fd;
    c->next = s->connections;
    if (c->next)
        c->next->prev = c; /* NOLINT: drop() takes out what it frees */
    s->connections = c;
    watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, c);
    count(s, &s->connection_count);
}

/* Answers what is due; returns how long the rest may wait. */
static int
expire(http_server *s)
{
    int64_t now = now_ms(), wait = -1;
    for (struct connection *c = s->connections, *next; c; c = next) {
        next = c->next;
        if (!c->answering || !c->due_ms)
            continue;
        if (c->due_ms <= now) {
            c->due_ms = 0;
            if (c->in_crowd)
                snprintf(c->text, sizeof c->text, "%2d\n", s->crowd_most);
            leave_crowd(s, c);
            (void)send_on(s, c);
        } else if (wait < 0 || c->due_ms - now < wait) {
            wait = c->due_ms - now;
        }
    }
    return (int)wait;
}

static void *
serve(void *arg)
{
    http_server *s = arg;
    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(s->epoll, &event, 1, expire(s));
        check(n >= 0 || errno == EINTR, "epoll_wait");
        if (n <= 0)
            continue;
        struct connection *c = event.data.ptr;
        if (event.data.ptr == &s->stop)
            return NULL;
        if (event.data.ptr == &s->listener)
            accept_one(s);
        else if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            receive(s, c);
        else if (c->answering && !c->due_ms)
            (void)send_on(s, c);
    }
}

/* --- the server ----------------------------------------------------------- */

http_server *
http_server_start(int port)
{
    http_server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    check(s != NULL, "calloc");
    check(pthread_mutex_init(&s->lock, NULL) == 0, "mutex");
    check(pthread_cond_init(&s->changed, NULL) == 0, "cond");
    s->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(s->listener >= 0, "socket");
    check(bind(s->listener, (struct sockaddr *)&address, size) == 0, "bind");
    check(listen(s->listener, 4096) == 0, "listen");
    check(getsockname(s->listener, (struct sockaddr *)&address, &size) == 0,
          "getsockname");
    s->port = ntohs(address.sin_port);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->stop = eventfd(0, EFD_CLOEXEC);
    check(s->epoll >= 0 && s->stop >= 0, "epoll");
    watch(s, EPOLL_CTL_ADD, s->listener, EPOLLIN, &s->listener);
    watch(s, EPOLL_CTL_ADD, s->stop, EPOLLIN, &s->stop);
    check(pthread_create(&s->thread, NULL, serve, s) == 0, "thread");
    return s;
}

int
http_server_port(const http_server *s)
{
    return s->port;
}

static int
read_count(http_server *s, const int *counter)
{
    pthread_mutex_lock(&s->lock);
    int n = *counter;
    pthread_mutex_unlock(&s->lock);
    return n;
}

int
http_server_requests(http_server *s)
{
    return read_count(s, &s->request_count);
}

int
http_server_connections(http_server *s)
{
    return read_count(s, &s->connection_count);
}

void
http_server_await(http_server *s, int requests)
{
    pthread_mutex_lock(&s->lock);
    while (s->request_count < requests)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void
http_server_stop(http_server *s)
{
    uint64_t one = 1;
    check(write(s->stop, &one, sizeof one) == sizeof one, "write");
    check(pthread_join(s->thread, NULL) == 0, "join");
    while (s->connections)
        drop(s, s->connections, false); /* NOLINT: it takes it out */
    close(s->listener);
    close(s->epoll);
    close(s->stop);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
