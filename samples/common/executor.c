/* SPDX-License-Identifier: MIT */
#include "executor.h"

#include "command_line.h"

#include <stdio.h>
#include <stdlib.h>

int
open_executor(const char *program, const char *spec, cf_executor **executor)
{
    cf_err err = cf_executor_open(spec, executor);
    if (err == CF_EINVAL) {
        fprintf(stderr,
                "%s: --executor: '%s' is none of: %s\nTry '%s --help'.\n",
                program,
                spec,
                cf_executor_specs(),
                program);
        return WRONG_USAGE;
    }
    if (err)
        fprintf(stderr, "%s: %s: %s\n", program, spec, cf_strerror(err));
    return err ? EXIT_FAILURE : 0;
}
