/* SPDX-License-Identifier: MIT */
/*
 * A program that is built with AddressSanitizer: it is told of a result that is
 * used after the last handle of its future has gone, and of nothing else.
 */
#define _GNU_SOURCE
#include <cfutures/cfutures.h>

#include <stdlib.h>

#include "tests/observers/child.h"

enum { TASKS = 5000 };

static int
task_echo(cf_call *call, const void *arg, size_t arg_size)
{
    return (int)cf_return(call, arg, arg_size);
}

/* Uses results of all sizes, as long as they are there. */
static int
use_well(cf_executor *ex)
{
    unsigned char bytes[64];
    memset(bytes, 7, sizeof bytes);
    for (size_t i = 0; i < TASKS; i++) {
        cf_future *f;
        cf_bytes out;
        size_t size = i % sizeof bytes;
        if (cf_submit(ex, task_echo, bytes, size, &f) ||
            cf_future_result(f, CF_FOREVER, &out) || out.size != size ||
            memcmp(out.data, bytes, size) != 0)
            return 1;
        cf_future_unref(f);
    }
    return 0;
}

static int
use_late(cf_executor *ex)
{
    cf_future *f;
    cf_bytes out;
    if (cf_submit(ex, task_echo, "late", 5, &f) ||
        cf_future_result(f, CF_FOREVER, &out))
        return 1;
    cf_executor_destroy(ex);
    cf_future_unref(f);
    return ((const volatile char *)out.data)[0];
}

int
main(int argc, char **argv)
{
    const char *nothing[] = {NULL};
    const char *poison[] = {"use-after-poison", "use_late", NULL};
    cf_executor *ex;
    if (argc < 2)
        return !ends("well", true, nothing) || !ends("late", false, poison);
    if (cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 2), &ex))
        return 1;
    if (strcmp(argv[1], "late") == 0)
        return use_late(ex);
    int rc = use_well(ex);
    cf_executor_destroy(ex);
    return rc;
}
