/* SPDX-License-Identifier: MIT */
/*
 * A reverse proxy for TCP and Unix sockets: connections are dealt to the
 * servers behind it in turn.
 */
#include "../common/command_line.h"
#include "backend.h"

#include <cfutures/event_loop.h>
#include <cfutures/io.h>
#include <cfutures/listener.h>

#include <errno.h>
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
    const char *address;
    int64_t idle_ns;
};

struct guest {
    struct proxy *proxy;
    cf_stream *client;
};

/* The task of one connection. */
static int
pass_on(cf_call *call, const void *arg, size_t arg_size)
{
    const struct guest *guest = arg;
    struct proxy *proxy = guest->proxy;
    struct backend *backend;
    cf_stream *server;
    (void)arg_size;
    if (!backends_connect(call, &proxy->backends, &backend, &server)) {
        backend->served++;
        backend->open++;
        (void)copy_both(
            call, guest->client, server, proxy->idle_ns, &backend->copied);
        backend->open--;
        cf_stream_close(server);
    }
    cf_stream_close(guest->client);
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

/* Accepts until the task is told to stop. */
static cf_err
accept_all(struct proxy *proxy, cf_listener *listener, cf_group *group)
{
    for (;;) {
        struct guest guest = {.proxy = proxy};
        cf_err err = cf_listener_accept(listener, CF_FOREVER, &guest.client);
        if (err == CF_EINTERRUPTED)
            return CF_OK;
        if (err == CF_ESYS || err == CF_ENOMEM) { /* too many clients */
            perror("proxy: accept");
            continue;
        }
        if (err)
            return err;
        if (cf_group_submit(group, pass_on, &guest, sizeof guest, NULL))
            cf_stream_close(guest.client);
    }
}

static cf_err
serve(cf_call *call, struct proxy *proxy, cf_group *group)
{
    struct backends *all = &proxy->backends;
    char address[CF_ADDRESS_MAX];
    cf_listener *listener;
    cf_err err = cf_listener_create(call, proxy->address, NULL, &listener);
    if (err)
        return err;
    err = cf_listener_address(listener, address, sizeof address);
    if (!err)
        err = cf_group_submit(group, backends_check, &all, sizeof all, NULL);
    if (!err)
        err = cf_group_submit(group, report_at_signals, &all, sizeof all, NULL);
    if (!err) {
        printf("listening on %s\n", address);
        (void)fflush(stdout);
        err = accept_all(proxy, listener, group);
    }
    cf_listener_close(listener);
    return err;
}

/* The main task: Ctrl-C tells it to stop. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    struct proxy *proxy;
    cf_group *group;
    memcpy(&proxy, arg, arg_size);
    options.on_error = CF_ON_ERROR_KEEP_GOING;
    cf_err err = cf_group_create(cf_call_executor(call), &options, &group);
    if (!err) {
        err = serve(call, proxy, group);
        cf_group_destroy(group); /* ends what is open */
    }
    return err ? cf_fail(call,
                         (int)err,
                         "%s: %s",
                         proxy->address,
                         err == CF_ESYS ? strerror(errno) : cf_strerror(err))
               : 0;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct proxy *proxy, int *status)
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
            proxy->address = optarg;
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

/* The backends are what is left of the command line. */
static cf_err
list_backends(struct backends *all, int argc, char **argv)
{
    all->count = (size_t)(argc - optind);
    all->list = calloc(all->count, sizeof *all->list);
    if (!all->list)
        return CF_ENOMEM;
    for (size_t i = 0; i < all->count; i++)
        all->list[i].address = argv[optind + (int)i];
    return CF_OK;
}

int
main(int argc, char **argv)
{
    struct proxy proxy = {.address = "tcp:127.0.0.1:7001"};
    struct proxy *pointer = &proxy;
    cf_future *f = NULL;
    int status;
    if (!parse(argc, argv, &proxy, &status))
        return status;
    allow_descriptors();
    cf_err err = list_backends(&proxy.backends, argc, argv);
    if (!err)
        err = cf_event_loop_run(NULL, run, &pointer, sizeof pointer, &f);
    if (f) /* the task is done, perhaps because of Ctrl-C */
        err = cf_future_result(f, CF_FOREVER, NULL);
    const char *message = f ? cf_future_message(f) : cf_strerror(err);
    if (err)
        fprintf(stderr, "proxy: %s\n", message);
    else
        backends_report(&proxy.backends);
    cf_future_unref(f);
    free(proxy.backends.list);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
