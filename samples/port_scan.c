/* SPDX-License-Identifier: MIT */
/*
 * Which TCP ports of a host accept connections: a thousand attempts, some at
 * once, each with a time limit, and all of them with another one.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/stream.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: port_scan [--jobs N] [--wait MS] [--limit S] HOST [FIRST-LAST]\n"
    "Prints the TCP ports of HOST that accept connections; all from 1 to 1000\n"
    "if they are not given.\n"
    "\n"
    "  --jobs N    so many attempts at once, 1 to 1000; 100 if it is not "
    "given\n"
    "  --wait MS   each may take so long, 1 to 60000; 500\n"
    "  --limit S   all may take so long, 1 to 3600; 60\n"
    "  --help      prints this\n";

enum { PORTS = 65536, WRONG_USAGE = 2 };

struct scan {
    const char *host;
    long first, last, jobs, wait_ms, limit_s;
    bool open[PORTS];
    long tried;
};

struct attempt {
    struct scan *scan;
    long port;
};

static int
try_port(cf_call *call, const void *arg, size_t arg_size)
{
    const struct attempt *attempt = arg;
    struct scan *scan = attempt->scan;
    char address[CF_ADDRESS_MAX];
    cf_stream *s;
    (void)arg_size;
    (void)snprintf(
        address, sizeof address, "tcp:%s:%ld", scan->host, attempt->port);
    cf_err err =
        cf_stream_connect(call, address, NULL, CF_MS(scan->wait_ms), &s);
    if (!err) {
        scan->open[attempt->port] = true;
        cf_stream_close(s);
    }
    /* To be refused is an answer, too; not to know the host is none. */
    bool lacks = err == CF_ESYS &&
                 (errno == ENOENT || errno == EMFILE || errno == ENFILE);
    const char *why = lacks ? strerror(errno) : cf_strerror(err);
    if (lacks || (err && err != CF_ESYS && err != CF_ETIMEDOUT))
        return cf_fail(call, (int)err, "%s: %s", address, why);
    scan->tried++;
    return 0;
}

/* Submits an attempt for each port, and waits for all. */
static cf_err
try_all(struct scan *scan, cf_group *group)
{
    for (long port = scan->first; port <= scan->last; port++) {
        struct attempt attempt = {scan, port};
        cf_err err =
            cf_group_submit(group, try_port, &attempt, sizeof attempt, NULL);
        if (err)
            return err;
    }
    return cf_group_wait(group, CF_FOREVER);
}

/* The main task. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct scan *scan = (struct scan *)arg;
    cf_group *group;
    cf_scope *scope;
    (void)arg_size;
    cf_err err =
        cf_group_create(cf_call_executor(call),
                        &CF_GROUP_OPTIONS(.max_running = (size_t)scan->jobs),
                        &group);
    if (err)
        return cf_fail(call, (int)err, "%s", cf_strerror(err));
    err = cf_scope_begin(call, CF_SECONDS(scan->limit_s), &scope);
    if (!err) {
        err = try_all(scan, group);
        if (cf_scope_end(scope) == CF_ETIMEDOUT)
            err = CF_ETIMEDOUT;
    }
    int rc =
        err ? cf_fail(call,
                      (int)err,
                      "%s",
                      cf_group_error(group) ? cf_group_error(group)->message
                                            : cf_strerror(err))
            : 0;
    cf_group_destroy(group);
    return rc;
}

/* false, after a sentence: text is no number from 1 to most. */
static bool
parse_number(const char *name, const char *text, long most, long *out)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end != text && !*end && number >= 1 && number <= most) {
        *out = number;
        return true;
    }
    fprintf(stderr, "port_scan: %s %s: not 1 to %ld\n", name, text, most);
    return false;
}

/* false, after a sentence: text is no such range. */
static bool
parse_ports(const char *given, struct scan *scan)
{
    const char *text = given;
    char *end;
    scan->first = strtol(text, &end, 10);
    if (end != text && *end == '-') {
        text = end + 1;
        scan->last = strtol(text, &end, 10);
        if (end != text && !*end && scan->first >= 1 &&
            scan->first <= scan->last && scan->last < PORTS)
            return true;
    }
    fprintf(stderr, "port_scan: %s: not FIRST-LAST from 1 to 65535\n", given);
    return false;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct scan *scan, int *status)
{
    static const struct option options[] = {
        {"jobs", required_argument, NULL, 0},
        {"wait", required_argument, NULL, 1},
        {"limit", required_argument, NULL, 2},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    static const char *const names[] = {"--jobs", "--wait", "--limit"};
    static const long most[] = {1000, 60000, 3600};
    long *const values[] = {&scan->jobs, &scan->wait_ms, &scan->limit_s};
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (c == '?' || !parse_number(names[c], optarg, most[c], values[c]))
            return false;
    }
    if (argc - optind < 1 || argc - optind > 2) {
        fputs("port_scan: give a host\nTry: port_scan --help\n", stderr);
        return false;
    }
    scan->host = argv[optind];
    return argc - optind == 1 || parse_ports(argv[optind + 1], scan);
}

int
main(int argc, char **argv)
{
    static struct scan scan = {
        .first = 1, .last = 1000, .jobs = 100, .wait_ms = 500, .limit_s = 60};
    cf_future *f = NULL;
    int status;
    if (!parse(argc, argv, &scan, &status))
        return status;
    cf_err err = cf_event_loop_run(NULL, run, &scan, 0, &f);
    if (f) /* the task is done, perhaps because of Ctrl-C */
        err = cf_future_result(f, CF_FOREVER, NULL);
    for (long port = scan.first; port <= scan.last; port++)
        if (scan.open[port])
            printf("%ld\n", port);
    fprintf(stderr,
            "%ld of %ld ports tried\n",
            scan.tried,
            scan.last - scan.first + 1);
    const char *message = f ? cf_future_message(f) : cf_strerror(err);
    if (err)
        fprintf(stderr, "port_scan: %s\n", message);
    cf_future_unref(f);
    return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
