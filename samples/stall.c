/* SPDX-License-Identifier: MIT */
/*
 * What happens to the clients of a server while one of its tasks computes:
 * nothing, if the task lets a pool compute and waits for the future.
 *
 * The server is an event loop that answers pings. The clients are the tasks of
 * another event loop; each notes how long its answers take. Meanwhile the
 * server does the same work in different ways.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/listener.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "Usage: stall [--quick]\n"
    "Shows how long the 50 clients of a server wait for answers while the "
    "server\n"
    "computes: in its own thread, in a thread pool, in another process, and "
    "in\n"
    "another process that crashes.\n"
    "\n"
    "  --quick  half a second for each instead of two\n"
    "  --help   prints this\n";

enum { CLIENTS = 50, MOST_PINGS = 100000, WRONG_USAGE = 2 };
#define PAUSE CF_MS(5) /* of a client, between two pings */

static int64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CF_SECONDS(1) + now.tv_nsec;
}

/* --- the work ------------------------------------------------------------- */

struct work {
    int64_t duration_ns;
    bool crashes;
};

/* Computes for that long, in whatever thread or process this is. */
static int
compute(cf_call *call, const void *arg, size_t arg_size)
{
    const struct work *work = arg;
    unsigned long steps = 0;
    (void)arg_size;
    for (int64_t end = now_ns() + work->duration_ns; now_ns() < end; steps++)
        continue;
    if (work->crashes)
        (void)raise(SIGSEGV);
    return cf_return(call, &steps, sizeof steps) != CF_OK;
}

/* --- the server ----------------------------------------------------------- */

/* Answers one client until it ends. */
static int
answer(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stream *client;
    char ping;
    size_t got;
    (void)call;
    memcpy(&client, arg, arg_size);
    while (cf_stream_read(client, &ping, 1, CF_FOREVER, &got) == CF_OK)
        if (cf_stream_write(client, &ping, 1, CF_FOREVER, NULL))
            break;
    cf_stream_close(client);
    return 0;
}

/* Listens, tells its address, and accepts until it is told to stop. */
static int
serve(cf_call *call, const void *arg, size_t arg_size)
{
    cf_channel *address_out;
    char address[CF_ADDRESS_MAX];
    cf_listener *listener;
    cf_stream *client;
    memcpy(&address_out, arg, arg_size);
    cf_err err = cf_listener_create(call, "tcp:127.0.0.1:0", NULL, &listener);
    if (err)
        return cf_fail(call, (int)err, "listen: %s", cf_strerror(err));
    err = cf_listener_address(listener, address, sizeof address);
    if (!err)
        err = cf_channel_send(address_out, address, CF_FOREVER);
    while (!err && !(err = cf_listener_accept(listener, CF_FOREVER, &client)))
        err = cf_submit(
            cf_call_executor(call), answer, &client, sizeof client, NULL);
    cf_listener_close(listener);
    return err == CF_EINTERRUPTED ? 0 : (int)err;
}

/* A task of the server that needs the work done. */
struct errand {
    cf_executor *pool; /* NULL: it does the work itself */
    struct work work;
    int64_t delay_ns; /* before it begins */
};

static int
run_errand(cf_call *call, const void *arg, size_t arg_size)
{
    const struct errand *errand = arg;
    cf_future *f;
    (void)arg_size;
    if (cf_sleep(call, errand->delay_ns))
        return cf_fail(call, 1, "told to stop");
    if (!errand->pool)
        return compute(call, &errand->work, sizeof errand->work);
    cf_err err = cf_submit(
        errand->pool, compute, &errand->work, sizeof errand->work, &f);
    if (err)
        return cf_fail(call, (int)err, "submit: %s", cf_strerror(err));
    err = cf_future_result(f, CF_FOREVER, NULL);
    int rc = err ? cf_fail(call, (int)err, "%s", cf_future_message(f)) : 0;
    cf_future_unref(f);
    return rc;
}

/* --- the clients ---------------------------------------------------------- */

/* What the clients of one run share; they are on one thread. */
struct pings {
    char address[CF_ADDRESS_MAX];
    int64_t end_ns;
    size_t count;
    int64_t took_ns[MOST_PINGS];
};

static int
ping(cf_call *call, const void *arg, size_t arg_size)
{
    struct pings *pings;
    cf_stream *server;
    char byte = 'p';
    size_t got;
    memcpy(&pings, arg, arg_size);
    cf_err err =
        cf_stream_connect(call, pings->address, NULL, CF_SECONDS(10), &server);
    if (err)
        return cf_fail(call, (int)err, "connect: %s", cf_strerror(err));
    while (!err && now_ns() < pings->end_ns && pings->count < MOST_PINGS) {
        int64_t begin_ns = now_ns();
        err = cf_stream_write(server, &byte, 1, CF_FOREVER, NULL);
        if (!err)
            err = cf_stream_read(server, &byte, 1, CF_SECONDS(10), &got);
        if (!err)
            pings->took_ns[pings->count++] = now_ns() - begin_ns;
        if (!err)
            err = cf_sleep(call, PAUSE);
    }
    cf_stream_close(server);
    return err ? cf_fail(call, (int)err, "ping: %s", cf_strerror(err)) : 0;
}

static int
compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double
percentile_ms(const struct pings *pings, size_t percent)
{
    size_t index = (pings->count - 1) * percent / 100;
    return (double)pings->took_ns[index] / 1e6;
}

/* --- runs ----------------------------------------------------------------- */

struct stage {
    cf_executor *server, *clients;
    struct pings *pings;
    int64_t duration_ns; /* of each run; the work takes a quarter of it */
};

/* Lets the clients ping for a while, during which the errand is run, and prints
 * a line of the table. */
static cf_err
run_once(struct stage *stage, const char *name, const struct errand *errand)
{
    struct pings *pings = stage->pings;
    cf_future *work = NULL;
    cf_group *group;
    pings->count = 0;
    pings->end_ns = now_ns() + stage->duration_ns;
    cf_err err = cf_group_create(stage->clients, NULL, &group);
    if (err)
        return err;
    for (int i = 0; i < CLIENTS && !err; i++)
        err = cf_group_submit(group, ping, &pings, sizeof pings, NULL);
    if (!err && errand)
        err =
            cf_submit(stage->server, run_errand, errand, sizeof *errand, &work);
    if (!err)
        err = cf_group_wait(group, CF_FOREVER);
    if (err && cf_group_error(group))
        fprintf(stderr, "stall: %s\n", cf_group_error(group)->message);
    cf_group_destroy(group);
    if (err || pings->count == 0)
        return err ? err : CF_ETASK;
    qsort(pings->took_ns, pings->count, sizeof *pings->took_ns, compare);
    printf("%-22s %8zu %8.2f %8.2f %8.2f  %s\n",
           name,
           pings->count,
           percentile_ms(pings, 50),
           percentile_ms(pings, 99),
           percentile_ms(pings, 100),
           !work                                      ? "-"
           : cf_future_result(work, CF_FOREVER, NULL) ? cf_future_message(work)
                                                      : "done");
    cf_future_unref(work);
    return CF_OK;
}

static cf_err
run_all(struct stage *stage, cf_executor *threads, cf_executor *processes)
{
    const struct work work = {.duration_ns = stage->duration_ns / 4};
    const int64_t delay = stage->duration_ns / 4;
    struct work crash = work;
    crash.crashes = true;
    const struct {
        const char *name;
        struct errand errand;
    } ways[] = {{"in the server's thread", {NULL, work, delay}},
                {"in a thread pool", {threads, work, delay}},
                {"in another process", {processes, work, delay}},
                {"... that crashes", {processes, crash, delay}}};
    printf("%d clients            pings   median      p99      max  work\n"
           "                                 (ms)     (ms)     (ms)\n",
           CLIENTS);
    cf_err err = run_once(stage, "no work", NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways && !err; i++)
        err = run_once(stage, ways[i].name, &ways[i].errand);
    return err;
}

/* Starts the server, and ends it after all runs. */
static cf_err
stage_and_run(struct stage *stage, cf_executor *threads, cf_executor *processes)
{
    cf_channel *address;
    cf_future *server;
    cf_err err = cf_channel_create(sizeof stage->pings->address, 1, &address);
    if (err)
        return err;
    err = cf_submit(stage->server, serve, &address, sizeof address, &server);
    if (!err) {
        err =
            cf_channel_receive(address, CF_SECONDS(10), stage->pings->address);
        if (!err)
            err = run_all(stage, threads, processes);
        (void)cf_future_interrupt(server);
        (void)cf_future_wait(server, CF_FOREVER);
        cf_future_unref(server);
    }
    cf_channel_destroy(address);
    return err;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct stage *stage, int *status)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *status = WRONG_USAGE;
    stage->duration_ns = CF_SECONDS(2);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
        }
        if (c != 'q')
            return false;
        stage->duration_ns = CF_MS(500);
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "stall: what is %s?\n", argv[optind]);
    return false;
}

int
main(int argc, char **argv)
{
    struct stage stage = {.pings = NULL};
    cf_executor *threads = NULL, *processes = NULL;
    int status;
    if (!parse(argc, argv, &stage, &status))
        return status;
    stage.pings = malloc(sizeof *stage.pings);
    cf_err err = stage.pings ? CF_OK : CF_ENOMEM;
    if (!err)
        err = cf_executor_open("processes:1", &processes);
    if (!err)
        err = cf_executor_open("threads:1", &threads);
    if (!err)
        err = cf_event_loop_create(NULL, &stage.server);
    if (!err)
        err = cf_event_loop_create(NULL, &stage.clients);
    if (!err)
        err = stage_and_run(&stage, threads, processes);
    if (err)
        fprintf(stderr, "stall: %s\n", cf_strerror(err));
    cf_executor_destroy(stage.clients);
    cf_executor_destroy(stage.server);
    cf_executor_destroy(threads);
    cf_executor_destroy(processes);
    free(stage.pings);
    return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
