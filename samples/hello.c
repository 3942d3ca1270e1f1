/* SPDX-License-Identifier: MIT */
/* The smallest complete program: tasks in, results and one failure out. */
#include <cfutures/cfutures.h>

#include <stdio.h>

static int
square(cf_call *call, const void *arg, size_t arg_size)
{
    int n = *(const int *)arg; /* the pool's own copy */
    (void)arg_size;
    if (n == 3)
        return cf_fail(call, n, "%d is not my number", n);
    n *= n;
    return cf_return(call, &n, sizeof(n)); /* CF_OK, 0, is success */
}

int
main(void)
{
    cf_executor *pool;
    cf_future *squares[5];
    cf_err err =
        cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 4), &pool);
    for (int i = 0; i < 5 && err == CF_OK; i++)
        err = cf_submit(pool, square, &i, sizeof(i), &squares[i]);
    if (err != CF_OK) {
        fprintf(stderr, "hello: %s\n", cf_strerror(err));
        return 1;
    }
    for (int i = 0; i < 5; i++) {
        cf_bytes result;
        if (cf_future_result(squares[i], CF_FOREVER, &result) == CF_OK)
            printf("%d squared is %d\n", i, *(const int *)result.data);
        else
            printf("%d failed: %s\n", i, cf_future_message(squares[i]));
        cf_future_unref(squares[i]);
    }
    cf_executor_destroy(pool);
    return 0;
}
