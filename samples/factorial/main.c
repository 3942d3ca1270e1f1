/* SPDX-License-Identifier: MIT */
/*
 * factorial: exact factorials of a batch of numbers, in parallel. From the
 * command line to the exit status; the rest is in batch.c and work.c.
 */
#include "batch.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static cf_executor *
open_executor(const char *spec, int *status)
{
    cf_executor *ex = NULL;
    cf_err err = cf_executor_open(spec, &ex);
    if (err == CF_EINVAL) {
        fprintf(stderr,
                "factorial: --executor: '%s' is none of: %s\n"
                "Try 'factorial --help'.\n",
                spec,
                cf_executor_specs());
        *status = EXIT_USAGE;
    } else if (err != CF_OK) {
        fprintf(stderr, "factorial: %s: %s\n", spec, cf_strerror(err));
        *status = EXIT_FAILURE;
    }
    return ex;
}

static void
read_input(const options *opts, input *in)
{
    for (size_t i = 0; i < opts->source_count; i++) {
        const source *from = &opts->sources[i];
        if (from->is_file)
            input_add_file(in, from->text);
        else
            input_add_argument(in, from->text);
    }
}

static int
run(const options *opts)
{
    int status = EXIT_SUCCESS;
    cf_executor *ex = open_executor(opts->executor, &status);
    if (ex == NULL)
        return status;
    input in = {0};
    batch_totals totals;
    read_input(opts, &in);
    if (!batch_run(ex, opts, &in, &totals) || in.errors > 0)
        status = EXIT_FAILURE;
    report_print(&totals, &in, ex);
    input_fini(&in);
    cf_executor_destroy(ex);
    return status;
}

int
main(int argc, char **argv)
{
    options opts;
    int status = EXIT_USAGE;
    if (options_parse(&opts, argc, argv)) {
        status = EXIT_SUCCESS;
        if (opts.help)
            options_help();
        else
            status = run(&opts);
    }
    options_fini(&opts);
    return status;
}
