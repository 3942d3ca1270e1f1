/* SPDX-License-Identifier: MIT */
/*
 * Completions in an event loop: cf_as_completed_fd() is one more descriptor
 * for epoll. And a callback, which runs in the workers.
 */
#include <cfutures/cfutures.h>

#include <err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>

enum { SLICES = 8, STEPS = 1000000 };

/* One slice of the area under 4 / (1 + x * x), which is pi. */
static int
area(cf_call *call, const void *arg, size_t arg_size)
{
    double sum = 0, width = 1.0 / SLICES / STEPS, x = *(const double *)arg;
    for (int i = 0; i < STEPS; i++, x += width)
        sum += width * 4 / (1 + x * x);
    return cf_return(call, &sum, arg_size);
}

static void
count_done(cf_future *future, void *counter)
{
    (void)future;
    atomic_fetch_add((atomic_int *)counter, 1);
}

static void
must(cf_err err, const char *what)
{
    if (err != CF_OK)
        errx(1, "%s: %s", what, cf_strerror(err));
}

/* Takes what is there. False: no result will follow. */
static bool
take_ready(cf_as_completed *it, double *pi)
{
    cf_err err;
    cf_future *slice; /* lent until the next call */
    while ((err = cf_as_completed_next(it, 0, &slice)) == CF_OK) {
        cf_bytes result;
        if (cf_future_result(slice, 0, &result) != CF_OK)
            errx(1, "slice: %s", cf_future_message(slice));
        *pi += *(const double *)result.data;
    }
    return err != CF_EDONE; /* but CF_ETIMEDOUT: not yet */
}

int
main(void)
{
    double pi = 0;
    atomic_int done = 0;
    cf_executor *pool;
    cf_as_completed *it;
    must(cf_thread_pool_create(NULL, &pool), "pool");
    must(cf_as_completed_create(NULL, 0, &it), "iterator");
    for (double x = 0; x < 1; x += 1.0 / SLICES) {
        cf_future *slice;
        must(cf_submit(pool, area, &x, sizeof(x), &slice), "submit");
        must(cf_future_on_done(slice, count_done, &done), "callback");
        must(cf_as_completed_add(it, slice), "add");
        cf_future_unref(slice); /* the iterator has its own handle */
    }
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC); /* your sockets go in, too */
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, cf_as_completed_fd(it), &event) != 0)
        must(CF_ESYS, "epoll");
    while (take_ready(it, &pi)) /* a signal only makes it look once more */
        epoll_wait(epoll, &event, 1, -1);
    cf_as_completed_destroy(it);
    cf_executor_destroy(pool); /* now the last callback has returned */
    printf("pi is about %.6f; %d callbacks\n", pi, done);
    return 0;
}
