/* SPDX-License-Identifier: MIT */
/*
 * This program is linked so that its stacks are executable: GCC links programs
 * so that take the address of a nested function. Then the stack of a task is
 * executable, too.
 */
#include <cfutures/cfutures.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The memory in which a local variable is can be executed; false, too, if the
 * system does not say so. */
static bool
is_executable(void)
{
    char line[512], access[8];
    unsigned long from, to, here = (unsigned long)(uintptr_t)line;
    bool found = false;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, "%lx-%lx %7s", &from, &to, access) == 3 &&
                from <= here && here < to && strchr(access, 'x');
    if (file)
        fclose(file);
    return found;
}

static int
task_looks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return is_executable() ? 0 : 1;
}

int
main(void)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    cf_future *f = NULL;
    if (!is_executable())
        return 77; /* the system has none */
    options.max_workers = 1;
    if (cf_process_pool_create(&options, &ex) != CF_OK ||
        cf_submit(ex, task_looks, NULL, 0, &f) != CF_OK)
        return 1;
    cf_err err = cf_future_wait(f, CF_FOREVER);
    if (!err)
        err = cf_future_result(f, 0, NULL);
    if (err)
        fprintf(stderr, "the task: %s\n", cf_future_message(f));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    return err ? 1 : 0;
}
