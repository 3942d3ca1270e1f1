/* SPDX-License-Identifier: MIT */
/*
 * A chat server: each client is a task, on one thread. Talk to it with
 * chat_client, or with nc.
 */
#include "../common/command_line.h"
#include "client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: chat_server [--listen ADDRESS] [--queue LINES] [--ping SECONDS]\n"
    "Serves a chat until Ctrl-C.\n"
    "\n"
    "  --listen ADDRESS  tcp:HOST:PORT or unix:PATH; tcp:127.0.0.1:7000 if it\n"
    "                    is not given; with port 0 any that is free\n"
    "  --queue LINES     what waits for a client that reads slowly, 1 to\n"
    "                    100000; 1024 if it is not given. Further lines are\n"
    "                    dropped, and the client is told\n"
    "  --ping SECONDS    a client that is silent for so long is asked whether\n"
    "                    it is there, 1 to 86400; 60 if it is not given\n"
    "  --help            prints this\n";

/* false: the program is to end with *status. */
static bool
parse(int argc,
      char **argv,
      struct service *service,
      struct server *server,
      int *status)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"queue", required_argument, NULL, 'q'},
        {"ping", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    long queue = 1024, ping = 60;
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (c == 'l') {
            service->address = optarg;
        } else if (c == '?') {
            fputs("Try: chat_server --help\n", stderr);
            return false;
        } else if (!parse_number("chat_server",
                                 c == 'q' ? "--queue" : "--ping",
                                 optarg,
                                 1,
                                 c == 'q' ? 100000 : 86400,
                                 c == 'q' ? &queue : &ping)) {
            return false;
        }
    }
    server->queue = (size_t)queue;
    server->ping_ns = CF_SECONDS(ping);
    if (optind == argc)
        return true;
    fprintf(stderr, "chat_server: what is %s?\n", argv[optind]);
    return false;
}

static void
report(const struct server *server)
{
    printf("%" PRIu64 " clients, %" PRIu64 " lines to %" PRIu64
           " readers, %" PRIu64 " dropped\n",
           server->clients,
           server->house.said,
           server->house.sent_to,
           server->dropped);
}

int
main(int argc, char **argv)
{
    struct server server = {.clients = 0};
    struct service service = {.program = "chat_server",
                              .address = "tcp:127.0.0.1:7000",
                              .server = &server,
                              .fn = client_serve};
    int status;
    if (!parse(argc, argv, &service, &server, &status))
        return status;
    allow_descriptors();
    if (!serve(&service))
        return EXIT_FAILURE;
    report(&server);
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
