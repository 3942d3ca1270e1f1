/* SPDX-License-Identifier: MIT */
#include "run_task.h"

#include <cfutures/event_loop.h>

#include <stdio.h>

bool
run_task(const char *program, cf_task_fn *fn, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    cf_err err = cf_event_loop_run(NULL, fn, arg, arg_size, &f);
    if (f) /* the task is done, perhaps because of Ctrl-C */
        err = cf_future_result(f, CF_FOREVER, NULL);
    const char *message = f ? cf_future_message(f) : cf_strerror(err);
    if (err)
        fprintf(stderr, "%s: %s\n", program, message);
    cf_future_unref(f);
    return err == CF_OK;
}
