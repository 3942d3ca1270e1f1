/* SPDX-License-Identifier: MIT */
/* Calls that block, in a thread of their own: see aside.h. No locks. */
#include "lib/executor/aside.h"

#include "lib/base/helper_thread.h"
#include "lib/executor/executor.h"
#include "lib/executor/wait_one.h"

#include <cfutures/future.h>

#include <errno.h>

/* On the coroutine's stack. */
struct aside {
    void (*fn)(void *data);
    void *data;
    cf_future *done; /* the thread's handle */
    const struct cf__origin *origin;
};

static void *
run(void *arg)
{
    const struct aside *aside = arg;
    cf_future *done = aside->done;
    cf__helper_thread_enter(aside->origin, "cf_aside");
    aside->fn(aside->data);
    /* From here on the coroutine's stack may be gone. An empty result needs no
     * memory. */
    (void)cf_future_set_result(done, NULL, 0);
    cf_future_unref(done);
    return NULL;
}

bool
cf__run_aside(void (*fn)(void *data), void *data)
{
    const struct cf__worker *worker = cf__thread.worker;
    struct aside aside = {fn, data, NULL, NULL};
    const int former_errno = errno;
    if (!worker || !worker->suspend || cf__thread.forking ||
        cf_future_create(&aside.done))
        return false;
    aside.origin = &worker->executor->origin;
    cf_future *done = cf_future_ref(aside.done);
    if (cf__helper_thread_start(aside.origin, NULL, run, &aside)) {
        cf_future_unref(done);
        cf_future_unref(done);
        errno = former_errno;
        return false;
    }
    (void)cf__future_wait_firmly(done);
    cf_future_unref(done);
    return true;
}
