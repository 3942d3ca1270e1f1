/* SPDX-License-Identifier: MIT */
/*
 * Follows many files at once: a tail(1) for each, and their lines merged in the
 * order in which they come.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/subprocess.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tail_many [--lines N] [--once] FILE...\n"
    "Prints the last lines of each FILE, and then those that are added, until\n"
    "Ctrl-C. Each line begins with the name of its file.\n"
    "\n"
    "  --lines N  so many of each at first, 0 to 999999; 10\n"
    "  --once     does not wait for further lines\n"
    "  --help     prints this\n";

enum { WRONG_USAGE = 2, LINE_LIMIT = 1 << 20 };

struct job {
    const char *lines;
    bool once;
    char **files;
    int count;
};

struct file {
    const struct job *job;
    const char *name;
};

/* Prints the lines of one tail. */
static cf_err
print_lines(const char *name, cf_stream *out)
{
    cf_bytes line;
    cf_err err;
    while (!(err = cf_stream_read_line(out, LINE_LIMIT, CF_FOREVER, &line))) {
        const char *text = line.data;
        bool whole = text[line.size - 1] == '\n'; /* the last one may not be */
        printf("%s: %.*s%s", name, (int)line.size, text, whole ? "" : "\n");
        if (fflush(stdout))
            return CF_ESYS;
    }
    return err == CF_EDONE ? CF_OK : err;
}

/* The task of one file. */
static int
follow(cf_call *call, const void *arg, size_t arg_size)
{
    const struct file *file = arg;
    const char *argv[] = {
        "tail", "-n", file->job->lines, "-F", "--", file->name, NULL};
    /* In a session of its own: Ctrl-C is for this program. */
    cf_subprocess_options options = CF_SUBPROCESS_OPTIONS(.argv = argv,
                                                          .in = CF_STDIO_NULL,
                                                          .out = CF_STDIO_PIPE,
                                                          .own_session = true);
    cf_subprocess_exit end = {0, 0};
    cf_subprocess *tail;
    (void)arg_size;
    if (file->job->once)
        argv[3] = "-q"; /* it is alone: nothing to leave out */
    cf_err err = cf_subprocess_start(call, &options, &tail);
    if (!err) {
        err = print_lines(file->name, cf_subprocess_pipe(tail, 1));
        if (!err)
            err = cf_subprocess_wait(tail, CF_FOREVER, &end);
        cf_subprocess_destroy(tail);
    }
    if (err == CF_EINTERRUPTED)
        return 0;
    const char *message = err == CF_ESYS ? strerror(errno) : cf_strerror(err);
    if (err)
        return cf_fail(call, (int)err, "%s: %s", file->name, message);
    return end.code || end.signal
               ? cf_fail(call, 1, "%s: tail failed", file->name)
               : 0;
}

/* The main task: Ctrl-C tells it to stop. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    const struct job *job = arg;
    cf_group *group;
    (void)arg_size;
    cf_err err =
        cf_group_create(cf_call_executor(call),
                        &CF_GROUP_OPTIONS(.on_error = CF_ON_ERROR_KEEP_GOING),
                        &group);
    if (err)
        return cf_fail(call, (int)err, "%s", cf_strerror(err));
    for (int i = 0; i < job->count && !err; i++) {
        struct file file = {job, job->files[i]};
        err = cf_group_submit(group, follow, &file, sizeof file, NULL);
    }
    if (!err)
        err = cf_group_wait(group, CF_FOREVER);
    const cf_error *error = cf_group_error(group);
    int rc = 0;
    if (error)
        rc = cf_fail(call, error->code, "%s", error->message);
    else if (err && err != CF_EINTERRUPTED)
        rc = cf_fail(call, (int)err, "%s", cf_strerror(err));
    cf_group_destroy(group);
    return rc;
}

/* false: the program is to end with *status. */
static bool
parse(int argc, char **argv, struct job *job, int *status)
{
    static const struct option options[] = {
        {"lines", required_argument, NULL, 'n'},
        {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    *status = WRONG_USAGE;
    for (int c; (c = getopt_long(argc, argv, "n:", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (c == '?')
            return false;
        if (c == 'o')
            job->once = true;
        else
            job->lines = optarg;
    }
    size_t digits = strspn(job->lines, "0123456789");
    if (digits == 0 || digits > 6 || job->lines[digits]) {
        fprintf(stderr, "tail_many: --lines %s: not 0 to 999999\n", job->lines);
        return false;
    }
    job->files = argv + optind;
    job->count = argc - optind;
    if (job->count > 0)
        return true;
    fputs("tail_many: give a file\nTry: tail_many --help\n", stderr);
    return false;
}

int
main(int argc, char **argv)
{
    struct job job = {.lines = "10"};
    cf_future *f = NULL;
    int status;
    if (!parse(argc, argv, &job, &status))
        return status;
    cf_err err = cf_event_loop_run(NULL, run, &job, sizeof job, &f);
    if (f) /* the task is done, perhaps because of Ctrl-C */
        err = cf_future_result(f, CF_FOREVER, NULL);
    const char *message = f ? cf_future_message(f) : cf_strerror(err);
    if (err)
        fprintf(stderr, "tail_many: %s\n", message);
    cf_future_unref(f);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
