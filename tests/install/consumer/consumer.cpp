/* SPDX-License-Identifier: MIT */
/* The headers and the library from C++: names, casts, a lambda as a task. */
#include <cfutures/cfutures.h>

#include <cstdio>
#include <cstring>

int
main()
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 1;
    cf_executor *pool = nullptr;
    if (cf_thread_pool_create(&options, &pool) != CF_OK)
        return 1;

    cf_task task = CF_TASK_INIT;
    const int factors[2] = {6, 7};
    task.arg = factors;
    task.arg_size = sizeof(factors);
    task.fn = [](cf_call *call, const void *arg, std::size_t size) -> int {
        int copy[2];
        if (size != sizeof(copy))
            return cf_fail(call, 1, "%zu bytes", size);
        std::memcpy(copy, arg, sizeof(copy));
        const int product = copy[0] * copy[1];
        return cf_return(call, &product, sizeof(product));
    };
    cf_future *f = nullptr;
    cf_bytes product;
    if (cf_submit_task(pool, &task, &f) != CF_OK ||
        cf_future_result(f, CF_FOREVER, &product) != CF_OK)
        return 2;
    std::printf("6 * 7 = %d\n", *static_cast<const int *>(product.data));
    cf_future_unref(f);
    cf_executor_destroy(pool);
    return 0;
}
