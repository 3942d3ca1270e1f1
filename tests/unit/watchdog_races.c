/* SPDX-License-Identifier: MIT */
/*
 * The watchdog of an event loop looks at tasks that are just ending: each holds
 * the loop until the watchdog looks at it, and then ends, and its future and
 * its attributes are freed at once. Loops come and go. A sanitizer sees what
 * goes wrong, and each line that the watchdog writes is whole and names a task
 * of here.
 *
 * watchdog_races [ROUNDS]
 */
#include "event_loop/loop.h"

#include <cfutures/cfutures.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 10, TASKS = 30, LINE_SIZE = 1024 };
#define MS INT64_C(1000000)

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            printf("%d: not true: %s\n", __LINE__, #condition);                \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* The reader's, until it has been joined. */
static int reports, strange;

static bool
is_report(const char *line)
{
    return strncmp(line, "cfutures: cfloop_", 17) == 0 &&
           (strstr(line, ": task \"job\" (") ||
            strstr(line, ": a callback or initializer")) &&
           strstr(line, " ms)\n");
}

/* Reads what is written to standard error until that is closed. */
static void *
read_reports(void *arg)
{
    char line[LINE_SIZE];
    FILE *from = arg;
    while (fgets(line, sizeof line, from)) {
        reports++;
        if (!is_report(line)) {
            strange++;
            printf("%s", line);
            fflush(stdout);
        }
    }
    return NULL;
}

/* Ends while the watchdog looks, or if it does not. */
static int
hold(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__evloop *loop = cf__evloop_of(cf_call_executor(call));
    int64_t end = cf__now_ns() + *(const int64_t *)arg;
    (void)arg_size;
    while (!cf_load_relaxed(&loop->watchdog.looking) && cf__now_ns() < end)
        continue;
    return 0;
}

static void
run_loop(int round)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cf_executor *ex;
    options.stall_ns = MS;
    CHECK(cf_event_loop_create(&options, &ex) == CF_OK);
    for (int i = 0; i < TASKS; i++) {
        cf_task task = CF_TASK_INIT;
        int64_t most_ns = (i + round) % 4 ? 8 * MS : 0;
        task.fn = hold;
        task.arg = &most_ns;
        task.arg_size = sizeof most_ns;
        task.name = "job";
        CHECK(cf_submit_task(ex, &task, NULL) == CF_OK);
    }
    cf_executor_destroy(ex);
}

int
main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
    int ends[2], former = dup(STDERR_FILENO);
    pthread_t reader;
    CHECK(former >= 0 && pipe(ends) == 0);
    FILE *from = fdopen(ends[0], "r");
    CHECK(from && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    CHECK(pthread_create(&reader, NULL, read_reports, from) == 0);
    for (int round = 0; round < rounds; round++)
        run_loop(round);
    CHECK(dup2(former, STDERR_FILENO) == STDERR_FILENO); /* the last end */
    close(former);
    pthread_join(reader, NULL);
    fclose(from);
    printf("%d reports\n", reports);
    CHECK(strange == 0);
    CHECK(reports > 0);
    return 0;
}
