/* SPDX-License-Identifier: MIT */
/* A plugin that uses the library: see plugin.h. */
#include "tests/plugin/plugin.h"

#include <cfutures/cfutures.h>

static cf_executor *open_pool;

static int
nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static bool
work(void)
{
    enum { COUNT = 1000 }; /* more blocks than a thread keeps at once */
    static cf_future *fs[COUNT];
    cf_executor *ex;
    if (cf_thread_pool_create(NULL, &ex) ||
        cf_submit_many(ex, nothing, NULL, 0, COUNT, fs))
        return false;
    for (int i = 0; i < COUNT; i++) {
        if (cf_future_wait(fs[i], CF_FOREVER))
            return false;
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
    return true;
}

static bool
begin(cf_task_fn *fn, const void *arg)
{
    return cf_thread_pool_create(NULL, &open_pool) == CF_OK &&
           cf_submit(open_pool, fn, arg, 0, NULL) == CF_OK;
}

static bool
promise(void)
{
    cf_future *f;
    if (cf_future_create(&f) || cf_future_set_result(f, "x", 1))
        return false;
    cf_future_unref(f);
    return true;
}

static bool
refused(void)
{
    cf_future *f;
    return cf_submit(open_pool, nothing, NULL, 0, &f) == CF_EFORKED && work();
}

__attribute__((visibility("default"))) extern const struct plugin the_plugin;
const struct plugin the_plugin = {work, begin, promise, refused};
