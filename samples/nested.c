/* SPDX-License-Identifier: MIT */
/*
 * Tasks that submit tasks to their own pool and wait for them. One worker is
 * enough: such waits cannot deadlock, it runs what it waits for itself.
 */
#include <cfutures/cfutures.h>

#include <stdio.h>

enum { LIMIT = 1000000, SMALL = 20000 };

typedef struct range {
    unsigned first, end;
} range;

/* The most steps of n/2 or 3n+1 that any n in the range takes down to 1. */
static unsigned
most_steps_here(const range *r)
{
    unsigned most = 0;
    for (unsigned start = r->first; start < r->end; start++) {
        unsigned steps = 0;
        for (uint64_t n = start; n != 1; steps++)
            n = n % 2 == 0 ? n / 2 : 3 * n + 1;
        most = steps > most ? steps : most;
    }
    return most;
}

/* A small range is searched here, a large one by two more tasks. */
static int
most_steps(cf_call *call, const void *arg, size_t arg_size)
{
    const range *r = arg;
    unsigned most = r->end - r->first > SMALL ? 0 : most_steps_here(r);
    if (r->end - r->first <= SMALL)
        return cf_return(call, &most, sizeof(most));
    unsigned half = (r->first + r->end) / 2;
    const range halves[2] = {{r->first, half}, {half, r->end}};
    cf_executor *pool = cf_call_executor(call);
    cf_future *parts[2];
    cf_err err = cf_submit_many(pool, most_steps, halves, arg_size, 2, parts);
    if (err != CF_OK)
        return cf_fail(call, (int)err, "submit: %s", cf_strerror(err));
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        cf_bytes part;
        err = cf_future_result(parts[i], CF_FOREVER, &part);
        if (err != CF_OK)
            rc = cf_fail(call, (int)err, "%s", cf_future_message(parts[i]));
        else if (*(const unsigned *)part.data > most)
            most = *(const unsigned *)part.data;
        cf_future_unref(parts[i]);
    }
    return rc != 0 ? rc : (int)cf_return(call, &most, sizeof(most));
}

int
main(void)
{
    const range all = {1, LIMIT};
    cf_executor *pool = NULL;
    cf_future *future = NULL;
    cf_bytes result;
    cf_err err =
        cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 1), &pool);
    if (err == CF_OK)
        err = cf_submit(pool, most_steps, &all, sizeof(all), &future);
    if (err == CF_OK)
        err = cf_future_result(future, CF_FOREVER, &result);
    if (err == CF_OK)
        printf("at most %u steps\n", *(const unsigned *)result.data);
    else
        fprintf(stderr,
                "nested: %s\n",
                future ? cf_future_message(future) : cf_strerror(err));
    cf_future_unref(future);
    cf_executor_destroy(pool);
    return err != CF_OK;
}
