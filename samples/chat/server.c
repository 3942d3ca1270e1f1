/* SPDX-License-Identifier: MIT */
/*
 * A chat server: each client is a task, on one thread. Talk to it with
 * chat_client, or with nc.
 */
#include "../common/command_line.h"
#include "client.h"

#include <cfutures/event_loop.h>
#include <cfutures/listener.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct job {
    struct server *server;
    const char *address;
};

/* Accepts until the task is told to stop. */
static cf_err
accept_all(cf_listener *listener, cf_group *group, struct server *server)
{
    for (;;) {
        struct guest guest = {.server = server};
        cf_err err = cf_listener_accept(listener, CF_FOREVER, &guest.stream);
        if (err == CF_EINTERRUPTED)
            return CF_OK;
        if (err == CF_ESYS || err == CF_ENOMEM) { /* too many clients */
            perror("chat_server: accept");
            continue;
        }
        if (err)
            return err;
        if (cf_group_submit(group, client_serve, &guest, sizeof guest, NULL))
            cf_stream_close(guest.stream);
    }
}

/* Listens, and serves until told to stop. */
static cf_err
serve(cf_call *call, const struct job *job, cf_group *group)
{
    char address[CF_ADDRESS_MAX];
    cf_listener *listener;
    cf_err err = cf_listener_create(call, job->address, NULL, &listener);
    if (err)
        return err;
    err = cf_listener_address(listener, address, sizeof address);
    if (!err) {
        printf("listening on %s\n", address);
        (void)fflush(stdout);
        err = accept_all(listener, group, job->server);
    }
    cf_listener_close(listener);
    return err;
}

/* The main task: Ctrl-C tells it to stop. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    const struct job *job = arg;
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    cf_group *group;
    (void)arg_size;
    options.on_error = CF_ON_ERROR_KEEP_GOING;
    cf_err err = cf_group_create(cf_call_executor(call), &options, &group);
    if (!err) {
        err = serve(call, job, group);
        cf_group_destroy(group); /* tells the clients, and waits for them */
    }
    return err ? cf_fail(call,
                         (int)err,
                         "%s: %s",
                         job->address,
                         err == CF_ESYS ? strerror(errno) : cf_strerror(err))
               : 0;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct job *job, int *status)
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
            job->address = optarg;
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
    job->server->queue = (size_t)queue;
    job->server->ping_ns = CF_SECONDS(ping);
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
    struct job job = {&server, "tcp:127.0.0.1:7000"};
    cf_future *f = NULL;
    int status;
    if (!parse(argc, argv, &job, &status))
        return status;
    allow_descriptors();
    cf_err err = cf_event_loop_run(NULL, run, &job, sizeof job, &f);
    if (f) /* the task is done, perhaps because of Ctrl-C */
        err = cf_future_result(f, CF_FOREVER, NULL);
    const char *message = f ? cf_future_message(f) : cf_strerror(err);
    if (err)
        fprintf(stderr, "chat_server: %s\n", message);
    else
        report(&server);
    cf_future_unref(f);
    return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
