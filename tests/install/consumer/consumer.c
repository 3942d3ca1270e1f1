/* SPDX-License-Identifier: MIT */
/* The least that needs headers, library and threads to fit together. */
#include <cfutures/cfutures.h>

#include <stdio.h>
#include <string.h>

static int
multiply(cf_call *call, const void *arg, size_t arg_size)
{
    int factors[2];
    if (arg_size != sizeof(factors))
        return cf_fail(call, 1, "%zu bytes instead of two numbers", arg_size);
    memcpy(factors, arg, sizeof(factors));
    int product = factors[0] * factors[1];
    return cf_return(call, &product, sizeof(product));
}

int
main(void)
{
    const int factors[2] = {6, 7};
    cf_executor *pool = NULL;
    cf_future *f = NULL;
    cf_bytes product;

    if (strcmp(cf_version(), CF_VERSION_STRING) != 0)
        return 1;
    if (cf_thread_pool_create(NULL, &pool) != CF_OK)
        return 2;
    if (cf_submit(pool, multiply, factors, sizeof(factors), &f) != CF_OK)
        return 3;
    if (cf_future_result(f, CF_FOREVER, &product) != CF_OK)
        return 4;
    printf("6 * 7 = %d\n", *(const int *)product.data);
    cf_future_unref(f);
    cf_executor_destroy(pool);
    return 0;
}
