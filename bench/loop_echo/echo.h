/* SPDX-License-Identifier: MIT */
/* The seam of loop_echo: a server in a process of its own. */
#ifndef BENCH_LOOP_ECHO_ECHO_H
#define BENCH_LOOP_ECHO_ECHO_H

#include <stdbool.h>

enum { ECHO_SIZE = 64 }; /* bytes of a request, and of its answer */

/* What a server does besides: it awaits tasks of a thread pool, one after the
 * other, each of which takes a second. */
enum echo_load {
    ECHO_ALONE,    /* it awaits nothing */
    ECHO_BLOCKED,  /* the tasks sleep */
    ECHO_COMPUTING /* the tasks compute */
};

/*
 * Listens on a port of 127.0.0.1, writes its number as a text line to the
 * descriptor report, accepts so many connections, and sends back what comes
 * until all have ended. May exit instead, with 0. load: ECHO_ALONE, unless
 * echo_can_await.
 */
void echo_serve(int report, int connections, enum echo_load load);

/* The subject can await tasks of a thread pool. */
extern const bool echo_can_await;

/* For servers that work on descriptors: a socket that listens, non-blocking,
 * and whose port has been reported. */
int echo_listen(int report);

/* A task of the pool. */
void echo_work(enum echo_load load);

/* The pool has a CPU of its own, with this number. Threads that the calling
 * thread starts between these two calls run there. */
int echo_pool_cpu(void);
void echo_go_to_pool(void);
void echo_go_back(void);

#endif
