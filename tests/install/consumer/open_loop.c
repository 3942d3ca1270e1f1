/* SPDX-License-Identifier: MIT */
/* Uses nothing of the event loop's header: whether there is a loop depends on
 * what is linked. */
#include <cfutures/cfutures.h>

#include <stdio.h>

static int
multiply(cf_call *call, const void *arg, size_t arg_size)
{
    const int *factors = arg;
    (void)arg_size;
    int product = factors[0] * factors[1];
    return cf_return(call, &product, sizeof(product));
}

int
main(void)
{
    const int factors[2] = {6, 7};
    cf_executor *loop = NULL;
    cf_future *f = NULL;
    cf_bytes product;

    cf_err err = cf_executor_open("loop", &loop);
    if (err) {
        printf("%s\n", cf_err_name(err));
        return 0;
    }
    if (cf_submit(loop, multiply, factors, sizeof(factors), &f) != CF_OK ||
        cf_future_result(f, CF_FOREVER, &product) != CF_OK)
        return 1;
    printf("6 * 7 = %d\n", *(const int *)product.data);
    cf_future_unref(f);
    cf_executor_destroy(loop);
    return 0;
}
