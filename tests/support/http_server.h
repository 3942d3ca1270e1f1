/* SPDX-License-Identifier: MIT */
/*
 * A web server on 127.0.0.1 for tests, in a thread of its own. Its pages:
 *
 *   /ok          "ok\n"
 *   /size/N      N bytes
 *   /slow/MS     "ok\n" after so many milliseconds
 *   /busy/N      503 for the first N requests to it, then "ok\n"
 *   /crowd/MS    after so many milliseconds, how many requests to /crowd have
 *                waited at once since there was none, as in " 4\n"
 *   /redirect/N  redirects to /redirect/N-1, and so on to /ok
 *   /around      redirects to itself
 *   /half        says 100 bytes, sends 10, and then nothing
 *   /hang        no answer
 *   /reset       the connection is reset
 *   all others   404
 *
 * Connections stay open for further requests.
 */
#ifndef CF_TESTS_HTTP_SERVER_H
#define CF_TESTS_HTTP_SERVER_H

typedef struct http_server http_server;

/* Ends the program if it cannot. port 0: any. */
http_server *http_server_start(int port);

int http_server_port(const http_server *s);

/* Waits until so many requests have come, those for /hang included. */
void http_server_await(http_server *s, int requests);

int http_server_requests(http_server *s);

/* How many connections have come. */
int http_server_connections(http_server *s);

/* Closes all connections, and the port. */
void http_server_stop(http_server *s);

#endif
