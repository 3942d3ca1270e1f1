/* SPDX-License-Identifier: MIT */
/*
 * A client of an echo server: one thread, many connections, on each one request
 * under way.
 */
#ifndef BENCH_LOOP_ECHO_CLIENT_H
#define BENCH_LOOP_ECHO_CLIENT_H

#include "loop_echo/echo.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct connection;

struct client {
    pid_t server;
    int epoll;
    int count; /* of connections */
    struct connection *connections;
    uint64_t requests;
    double *took; /* if not NULL: gets the nanoseconds of each request */
};

/* Lets this process and its servers have so many connections. */
void echo_allow_descriptors(void);

/* Starts a server, and connects. Dies if that fails. */
void client_open(struct client *client, int connections, enum echo_load load);

/* Dies unless the server ends with status 0. */
void client_close(struct client *client);

/* So many requests and their answers, spread over all connections. */
void client_converse(struct client *client, size_t requests);

#endif
