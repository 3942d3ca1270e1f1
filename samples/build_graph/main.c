/* SPDX-License-Identifier: MIT */
/*
 * build_graph: builds targets that need each other, as many at once as there
 * are workers. Each is a task that waits for those it needs (cf_submit_when()):
 * if one fails, those that need it are skipped, and say why; the rest goes on.
 */
#include "build.h"

#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    size_t built, failed, skipped;
};

static void
print_help(void)
{
    fputs("usage: build_graph [options] [file [target]...]\n"
          "\n"
          "Builds the targets of a file, or those named and what they need.\n"
          "Without a file, and for -, standard input is read:\n"
          "\n"
          "    lexer:\n"
          "        run cc -c lexer.c\n"
          "    parser: lexer\n"
          "        wait 20ms\n"
          "        fail no grammar\n"
          "    always report: parser\n"
          "        run echo done\n"
          "\n"
          "A target that begins with always is built also if one that it\n"
          "needs has failed.\n"
          "\n"
          "  -e, --executor SPEC  threads (one per CPU; the default),\n"
          "                       threads:N, processes, processes:N, inline\n"
          "  -h, --help           print this text\n"
          "\n"
          "Prints a line for each target when it ends. Exit status: 0; 1 if\n"
          "a target has failed or been skipped, or the file is wrong; 2 if\n"
          "the command line is wrong; 130 after Ctrl-C.\n",
          stdout);
}

/* --- the graph ------------------------------------------------------------ */

/* A future for each target, in the order of the plan. */
struct graph {
    cf_executor *ex;
    cf_future **futures;
    size_t count;
};

static cf_err
submit(struct graph *graph, struct target *target, cf_future **inputs)
{
    size_t count = 0;
    for (const struct need *need = target->needs; need; need = need->next)
        inputs[count++] = graph->futures[need->target->place];
    cf_task task = CF_TASK(.fn = build,
                           .arg = target,
                           .name = target->name,
                           .flags = target->always ? CF_WHEN_ANYWAY : 0,
                           .user_data = target);
    target->place = graph->count;
    cf_err err = cf_submit_when(
        graph->ex, &task, inputs, count, &graph->futures[graph->count]);
    graph->count += !err;
    return err;
}

static cf_err
submit_all(struct graph *graph, const struct plan *plan)
{
    size_t most = 1;
    cf_err err = CF_OK;
    for (const struct target *t = plan->first; t; t = t->next)
        most = t->need_count > most ? t->need_count : most;
    cf_future **inputs = calloc(most, sizeof(cf_future *));
    graph->futures = calloc(plan->count + 1, sizeof(cf_future *));
    if (!inputs || !graph->futures)
        err = CF_ENOMEM;
    for (struct target *t = plan->first; t && !err; t = t->next)
        err = submit(graph, t, inputs);
    free(inputs);
    return err;
}

/* --- the report ----------------------------------------------------------- */

static void
report(cf_future *f, struct totals *totals)
{
    const struct target *target = cf_future_user_data(f);
    cf_bytes result;
    int64_t took;
    if (cf_future_result(f, 0, &result) == CF_OK) {
        memcpy(&took, result.data, sizeof took);
        printf("built    %s, %.1f ms\n", target->name, (double)took / 1e6);
        totals->built++;
    } else if (strncmp(cf_future_message(f), "not run", 7) == 0) {
        printf("skipped  %s: %s\n", target->name, cf_future_message(f));
        totals->skipped++;
    } else {
        printf("FAILED   %s: %s\n", target->name, cf_future_message(f));
        totals->failed++;
    }
    (void)fflush(stdout);
}

/* Until all have ended, or Ctrl-C. */
static cf_err
report_all(const struct graph *graph, int ctrl_c, struct totals *totals)
{
    cf_as_completed *it;
    cf_future *f;
    cf_err err = cf_as_completed_create(graph->futures, graph->count, &it);
    if (err)
        return err;
    while (!(err = ctrl_c_or_next(ctrl_c, it, &f)))
        report(f, totals);
    cf_as_completed_destroy(it);
    return err == CF_EDONE ? CF_OK : err;
}

static int
build_all(const struct plan *plan, cf_executor *ex, int ctrl_c)
{
    struct graph graph = {.ex = ex};
    struct totals totals = {0};
    cf_err err = submit_all(&graph, plan);
    if (!err)
        err = report_all(&graph, ctrl_c, &totals);
    for (size_t i = graph.count; i > 0 && err; i--) /* the last ones first */
        (void)cf_future_interrupt(graph.futures[i - 1]);
    if (err && err != CF_EINTERRUPTED)
        fprintf(stderr, "build_graph: %s\n", cf_strerror(err));
    printf("%zu built, %zu failed, %zu skipped, %zu left\n",
           totals.built,
           totals.failed,
           totals.skipped,
           plan->count - totals.built - totals.failed - totals.skipped);
    for (size_t i = 0; i < graph.count; i++)
        cf_future_unref(graph.futures[i]);
    free(graph.futures);
    if (err == CF_EINTERRUPTED)
        return STOPPED;
    return err || totals.built < plan->count ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Comes after the plan is read: a worker process has what was there then. */
static int
run(const char *spec, const struct plan *plan)
{
    cf_executor *ex;
    int ctrl_c = ctrl_c_open("build_graph");
    if (ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("build_graph", spec, &ex);
    if (status)
        return status;
    status = build_all(plan, ex, ctrl_c);
    cf_executor_destroy(ex);
    return status;
}

int
main(int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *spec = "threads";
    struct plan plan;
    int option;
    while ((option = getopt_long(argc, argv, "e:h", names, NULL)) != -1) {
        if (option == 'e') {
            spec = optarg;
        } else if (option == 'h') {
            print_help();
            return EXIT_SUCCESS;
        } else {
            fputs("Try 'build_graph --help'.\n", stderr);
            return WRONG_USAGE;
        }
    }
    const size_t left = (size_t)(argc - optind);
    plan_read(&plan, left ? argv[optind] : "-");
    if (!plan.errors)
        plan_order(&plan, argv + optind + 1, left > 1 ? left - 1 : 0);
    int status = plan.errors ? EXIT_FAILURE : run(spec, &plan);
    plan_fini(&plan);
    return status;
}
