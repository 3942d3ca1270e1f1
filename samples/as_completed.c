/* SPDX-License-Identifier: MIT */
/*
 * Results as they get ready, with never more than a few tasks under way: how
 * to work through input of any length.
 */
#include <cfutures/cfutures.h>

#include <stdio.h>

enum { TASKS = 10, AT_ONCE = 4, STEP = 20000 };

/* Repeats the argument, because results come out in any order. */
typedef struct count_result {
    unsigned limit, primes;
} count_result;

static int
count_primes(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    count_result result = {.limit = *(const unsigned *)arg, .primes = 0};
    for (unsigned n = 2; n < result.limit; n++) {
        unsigned divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        result.primes += divisor * divisor > n;
    }
    return cf_return(call, &result, sizeof(result));
}

/* Submits one task and leaves its future to the iterator. */
static cf_err
submit_count(cf_executor *pool, cf_as_completed *it, unsigned limit)
{
    cf_future *future = NULL;
    cf_err err = cf_submit(pool, count_primes, &limit, sizeof(limit), &future);
    if (err == CF_OK)
        err = cf_as_completed_add(it, future);
    cf_future_unref(future); /* the iterator has a handle of its own */
    return err;
}

static cf_err
count_all(cf_executor *pool, cf_as_completed *it)
{
    cf_err err = CF_OK;
    unsigned left = TASKS; /* to be submitted, the longest first */
    while (left > TASKS - AT_ONCE && err == CF_OK)
        err = submit_count(pool, it, left-- * STEP);
    while (err == CF_OK) {
        cf_future *done; /* lent until the next call */
        cf_bytes bytes;
        err = cf_as_completed_next(it, CF_FOREVER, &done);
        if (err != CF_OK)
            break;
        err = cf_future_result(done, 0, &bytes);
        if (err != CF_OK) {
            fprintf(stderr, "as_completed: %s\n", cf_future_message(done));
            break;
        }
        const count_result *result = bytes.data;
        printf("%u primes below %u\n", result->primes, result->limit);
        if (left > 0)
            err = submit_count(pool, it, left-- * STEP);
    }
    return err == CF_EDONE ? CF_OK : err; /* CF_EDONE: all are out */
}

int
main(void)
{
    cf_executor *pool = NULL;
    cf_as_completed *it = NULL;
    cf_err err = cf_thread_pool_create(NULL, &pool);
    if (err == CF_OK)
        err = cf_as_completed_create(NULL, 0, &it);
    if (err == CF_OK)
        err = count_all(pool, it);
    cf_as_completed_destroy(it);
    cf_executor_destroy(pool);
    if (err != CF_OK)
        fprintf(stderr, "as_completed: %s\n", cf_strerror(err));
    return err != CF_OK;
}
