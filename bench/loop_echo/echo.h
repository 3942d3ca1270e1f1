/* SPDX-License-Identifier: MIT */
/* The seam of loop_echo: a server in a process of its own. */
#ifndef BENCH_LOOP_ECHO_ECHO_H
#define BENCH_LOOP_ECHO_ECHO_H

enum { ECHO_SIZE = 64 }; /* bytes of a request, and of its answer */

/*
 * Listens on a port of 127.0.0.1, writes its number as a text line to the
 * descriptor report, accepts so many connections, and sends back what comes
 * until all have ended. May exit instead, with 0.
 */
void echo_serve(int report, int connections);

/* For servers that work on descriptors: a socket that listens, non-blocking,
 * and whose port has been reported. */
int echo_listen(int report);

#endif
