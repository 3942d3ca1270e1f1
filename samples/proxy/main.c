/* SPDX-License-Identifier: MIT */
/*
 * A reverse proxy for TCP and Unix sockets: connections are dealt to the
 * servers behind it in turn.
 */
#include "../common/command_line.h"
#include "../common/serve.h"
#include "backend.h"

#include <cfutures/io.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: proxy [--listen ADDRESS] [--connect MS] [--check MS] [--idle S]\n"
    "             BACKEND...\n"
    "Passes connections on to the BACKENDs in turn, until Ctrl-C. Addresses "
    "are\n"
    "tcp:HOST:PORT and unix:PATH. SIGUSR1 prints what each of them has done.\n"
    "\n"
    "  --listen ADDRESS  tcp:127.0.0.1:7001 if it is not given; with port 0 "
    "any\n"
    "                    that is free\n"
    "  --connect MS      a backend may take so long to accept, 1 to 60000; "
    "1000\n"
    "  --check MS        each is asked so often whether it is up, 1 to "
    "3600000;\n"
    "                    5000\n"
    "  --idle S          a connection without a byte for so long is closed, 1\n"
    "                    to 86400; 300\n"
    "  --help            prints this\n";

struct proxy {
    struct backends backends;
    int64_t idle_ns;
};

/* The task of one connection. */
static int
pass_on(cf_call *call, const void *arg, size_t arg_size)
{
    const struct guest *guest = arg;
    struct proxy *proxy = guest->server;
    struct backend *backend;
    cf_stream *server;
    (void)arg_size;
    if (!backends_connect(call, &proxy->backends, &backend, &server)) {
        backend->served++;
        backend->open++;
        (void)copy_both(
            call, guest->stream, server, proxy->idle_ns, &backend->copied);
        backend->open--;
        cf_stream_close(server);
    }
    cf_stream_close(guest->stream);
    return 0;
}

static int
report_at_signals(cf_call *call, const void *arg, size_t arg_size)
{
    static const int signals[] = {SIGUSR1};
    struct backends *all;
    int signo;
    memcpy(&all, arg, arg_size);
    while (cf_signal_wait(call, signals, 1, CF_FOREVER, &signo) == CF_OK)
        backends_report(all);
    return 0;
}

/* The tasks that are there from the begin. */
static cf_err
begin(cf_group *group, void *server)
{
    struct backends *all = &((struct proxy *)server)->backends;
    cf_err err = cf_group_submit(group, backends_check, &all, sizeof all, NULL);
    return err ? err
               : cf_group_submit(
                     group, report_at_signals, &all, sizeof all, NULL);
}

/* false: the program is to end with *status. */
static bool
parse(int argc,
      char **argv,
      struct service *service,
      struct proxy *proxy,
      int *status)
{
    static const struct option options[] = {
        {"connect", required_argument, NULL, 0},
        {"check", required_argument, NULL, 1},
        {"idle", required_argument, NULL, 2},
        {"listen", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    static const char *const names[] = {"--connect", "--check", "--idle"};
    static const long most[] = {60000, 3600000, 86400};
    long values[] = {1000, 5000, 300};
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (c == 'l')
            service->address = optarg;
        else if (c == '?' ||
                 !parse_number(
                     "proxy", names[c], optarg, 1, most[c], &values[c]))
            return false;
    }
    proxy->backends.connect_ns = CF_MS(values[0]);
    proxy->backends.check_ns = CF_MS(values[1]);
    proxy->idle_ns = CF_SECONDS(values[2]);
    if (optind < argc)
        return true;
    fputs("proxy: give a backend\nTry: proxy --help\n", stderr);
    return false;
}

/* The backends are what is left of the command line. false: no memory. */
static bool
list_backends(struct backends *all, int argc, char **argv)
{
    all->count = (size_t)(argc - optind);
    all->list = calloc(all->count, sizeof *all->list);
    if (!all->list)
        return false;
    for (size_t i = 0; i < all->count; i++)
        all->list[i].address = argv[optind + (int)i];
    return true;
}

int
main(int argc, char **argv)
{
    struct proxy proxy = {.idle_ns = 0};
    struct service service = {.program = "proxy",
                              .address = "tcp:127.0.0.1:7001",
                              .server = &proxy,
                              .fn = pass_on,
                              .begin = begin};
    int status;
    if (!parse(argc, argv, &service, &proxy, &status))
        return status;
    allow_descriptors();
    if (!list_backends(&proxy.backends, argc, argv)) {
        fputs("proxy: no memory\n", stderr);
        return EXIT_FAILURE;
    }
    bool served = serve(&service);
    if (served)
        backends_report(&proxy.backends);
    free(proxy.backends.list);
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
