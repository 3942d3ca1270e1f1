/* SPDX-License-Identifier: MIT */
/*
 * Many scripted clients for a chat server: in each room everybody says some
 * lines, and everybody checks that each line of each member arrives once and in
 * order.
 */
#include "../common/command_line.h"
#include "../common/run_task.h"

#include <cfutures/cfutures.h>
#include <cfutures/stream.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "Usage: chat_load [--clients N] [--rooms N] [--lines N] [--timeout S]\n"
    "                 ADDRESS\n"
    "Lets many clients chat on the server at ADDRESS (tcp:127.0.0.1:7000), "
    "and\n"
    "checks that each line arrives at everyone in the room, once and in "
    "order.\n"
    "\n"
    "  --clients N  1 to 20000; 1000 if it is not given\n"
    "  --rooms N    they are dealt out to so many rooms; 20\n"
    "  --lines N    each says so many, 1 to 1000; 10\n"
    "  --timeout S  for all of it, 1 to 3600 seconds; 60\n"
    "  --help       prints this\n";

enum { AT_ONCE = 64 }; /* connections that are being made */

struct load {
    const char *address;
    long clients, rooms, lines, timeout_s;
    long joined; /* clients that are in their rooms */
    cf_event *all_joined;
    cf_semaphore *connecting;
    uint64_t arrived;
    uint32_t *delays_us; /* of each line that has arrived */
};

struct guest {
    struct load *load;
    long index;
    cf_stream *stream;
    char said[2048]; /* the last line of the server, without its end */
    long *heard;     /* of each client, how many lines */
    long missing;
};

static int64_t
now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Says what the client was doing, and what came instead. */
static int
give_up(cf_call *call, const struct guest *g, const char *doing, cf_err err)
{
    return cf_fail(call,
                   (int)err,
                   "client %ld: %s: %s",
                   g->index,
                   doing,
                   g->said[0] == '!' ? g->said : cf_strerror(err));
}

static cf_err
say(struct guest *g, const char *text)
{
    return cf_stream_write(g->stream, text, strlen(text), CF_FOREVER, NULL);
}

/* The next line. CF_ETASK: it is a complaint. */
static cf_err
hear(struct guest *g)
{
    cf_bytes line;
    cf_err err =
        cf_stream_read_line(g->stream, sizeof g->said - 1, CF_FOREVER, &line);
    if (err)
        return err;
    memcpy(g->said, line.data, line.size);
    g->said[line.size] = 0;
    g->said[strcspn(g->said, "\r\n")] = 0;
    if (strcmp(g->said, "PING") == 0)
        return say(g, "/pong\n");
    return g->said[0] == '!' ? CF_ETASK : CF_OK;
}

static cf_err
hear_until(struct guest *g, const char *wanted)
{
    for (;;) {
        cf_err err = hear(g);
        if (err || strcmp(g->said, wanted) == 0)
            return err;
    }
}

/* Connects, says its name and enters its room. When the last client has done
 * so, all may talk. */
static cf_err
join(cf_call *call, struct guest *g)
{
    char text[64];
    struct load *load = g->load;
    cf_err err = cf_semaphore_acquire(load->connecting, CF_FOREVER);
    if (err)
        return err;
    err = cf_stream_connect(call, load->address, NULL, CF_FOREVER, &g->stream);
    (void)cf_semaphore_release(load->connecting, 1);
    if (err)
        return err;
    long room = g->index % load->rooms;
    (void)snprintf(text, sizeof text, "c%ld\n/join room%ld\n", g->index, room);
    err = say(g, text);
    if (err)
        return err;
    (void)snprintf(text, sizeof text, "* c%ld is in room%ld", g->index, room);
    err = hear_until(g, text);
    if (!err && ++load->joined == load->clients)
        (void)cf_event_set(load->all_joined);
    return err ? err : cf_event_wait(load->all_joined, CF_FOREVER);
}

/* Reads a number and what has to follow it. false: that is not there. */
static bool
read_number(const char **text, const char *behind, int64_t *out)
{
    char *end;
    *out = strtoll(*text, &end, 10);
    size_t size = strlen(behind);
    if (end == *text || strncmp(end, behind, size) != 0)
        return false;
    *text = end + size;
    return true;
}

/* false: that is not what comes next of its sender. */
static bool
check(struct guest *g)
{
    struct load *load = g->load;
    const char *text = g->said;
    int64_t sender, number, sent_us;
    if (text[0] == '*') /* others have come */
        return true;
    if (strncmp(text, "<c", 2) != 0)
        return false;
    text += 2;
    if (!read_number(&text, "> ", &sender) ||
        !read_number(&text, " ", &number) || !read_number(&text, "", &sent_us))
        return false;
    if (sender < 0 || sender >= load->clients ||
        sender % load->rooms != g->index % load->rooms ||
        number != g->heard[sender / load->rooms]++)
        return false;
    load->delays_us[load->arrived++] = (uint32_t)(now_us() - sent_us);
    g->missing--;
    return true;
}

/* How many clients are in the same room. */
static long
roommates(const struct guest *g)
{
    const struct load *load = g->load;
    long first = g->index % load->rooms;
    return (load->clients - first + load->rooms - 1) / load->rooms;
}

/* Says its lines, and hears those of all. */
static int
chat(cf_call *call, struct guest *g)
{
    char text[64];
    cf_err err = join(call, g);
    if (err)
        return give_up(call, g, "joins", err);
    for (long i = 0; i < g->load->lines; i++) {
        (void)snprintf(text, sizeof text, "%ld %" PRId64 "\n", i, now_us());
        err = say(g, text);
        if (err)
            return give_up(call, g, "says a line", err);
    }
    g->missing = roommates(g) * g->load->lines;
    long all = g->missing;
    while (g->missing > 0) {
        err = hear(g);
        if (err) {
            (void)snprintf(text,
                           sizeof text,
                           "waits for %ld of %ld lines",
                           g->missing,
                           all);
            return give_up(call, g, text, err);
        }
        if (strcmp(g->said, "PING") != 0 && !check(g))
            return cf_fail(
                call, 1, "client %ld: did not expect: %s", g->index, g->said);
    }
    return 0;
}

static int
client(cf_call *call, const void *arg, size_t arg_size)
{
    struct guest g = *(const struct guest *)arg;
    (void)arg_size;
    g.heard = calloc((size_t)roommates(&g), sizeof *g.heard);
    if (!g.heard)
        return give_up(call, &g, "begins", CF_ENOMEM);
    int rc = chat(call, &g);
    cf_stream_close(g.stream);
    free(g.heard);
    return rc;
}

/* The main task: all clients, as a group: the first failure ends them all. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct load *load;
    cf_group *group;
    memcpy(&load, arg, arg_size);
    cf_err err = cf_group_create(cf_call_executor(call), NULL, &group);
    if (err)
        return cf_fail(call, (int)err, "%s", cf_strerror(err));
    for (long i = 0; i < load->clients && !err; i++) {
        struct guest g = {.load = load, .index = i};
        err = cf_group_submit(group, client, &g, sizeof g, NULL);
    }
    if (!err)
        err = cf_group_wait(group, CF_SECONDS(load->timeout_s));
    int rc = 0;
    const cf_error *error = cf_group_error(group);
    if (error)
        rc = cf_fail(call, error->code, "%s", error->message);
    else if (err)
        rc = cf_fail(call, (int)err, "%s", cf_strerror(err));
    cf_group_destroy(group);
    return rc;
}

static int
compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Of the sorted delays, in milliseconds. */
static double
percentile_ms(const struct load *load, uint64_t percent)
{
    uint64_t index = (load->arrived - 1) * percent / 100;
    return load->delays_us[index] / 1e3;
}

static void
report(struct load *load, int64_t begin_us)
{
    double seconds = (double)(now_us() - begin_us) / 1e6;
    size_t count = load->arrived;
    qsort(load->delays_us, count, sizeof *load->delays_us, compare);
    printf("%ld clients in %ld rooms: %zu lines arrived, each once and in "
           "order\n",
           load->clients,
           load->rooms,
           count);
    printf(
        "%.2f s; %.0f lines/s; after the last client had joined, a line took "
        "%.1f ms (median), %.1f ms (p99)\n",
        seconds,
        (double)count / seconds,
        percentile_ms(load, 50),
        percentile_ms(load, 99));
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct load *load, int *status)
{
    static const struct option options[] = {
        {"clients", required_argument, NULL, 0},
        {"rooms", required_argument, NULL, 1},
        {"lines", required_argument, NULL, 2},
        {"timeout", required_argument, NULL, 3},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    static const long most[] = {20000, 20000, 1000, 3600};
    long *const values[] = {
        &load->clients, &load->rooms, &load->lines, &load->timeout_s};
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char name[16];
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (c == '?') {
            fputs("Try: chat_load --help\n", stderr);
            return false;
        }
        (void)snprintf(name, sizeof name, "--%s", options[c].name);
        if (!parse_number("chat_load", name, optarg, 1, most[c], values[c]))
            return false;
    }
    if (optind == argc - 1) {
        load->address = argv[optind];
        return true;
    }
    fputs("chat_load: give one address\nTry: chat_load --help\n", stderr);
    return false;
}

static cf_err
prepare(struct load *load)
{
    if (load->rooms > load->clients)
        load->rooms = load->clients;
    size_t most = (size_t)(load->clients / load->rooms + 1);
    load->delays_us = calloc((size_t)(load->clients * load->lines) * most,
                             sizeof *load->delays_us);
    cf_err err = load->delays_us ? CF_OK : CF_ENOMEM;
    if (!err)
        err = cf_event_create(&load->all_joined);
    if (!err)
        err = cf_semaphore_create(AT_ONCE, &load->connecting);
    return err;
}

int
main(int argc, char **argv)
{
    struct load load = {
        .clients = 1000, .rooms = 20, .lines = 10, .timeout_s = 60};
    struct load *pointer = &load;
    int status;
    if (!parse(argc, argv, &load, &status))
        return status;
    allow_descriptors();
    int64_t begin_us = now_us();
    cf_err err = prepare(&load);
    if (err)
        fprintf(stderr, "chat_load: %s\n", cf_strerror(err));
    bool good = !err && run_task("chat_load", run, &pointer, sizeof pointer);
    if (good)
        report(&load, begin_us);
    cf_event_destroy(load.all_joined);
    cf_semaphore_destroy(load.connecting);
    free(load.delays_us);
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
