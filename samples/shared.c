/* SPDX-License-Identifier: MIT */
/*
 * A large array in memory that the program and its worker processes share: the
 * workers change it in place, and nothing is copied.
 */
#include <cfutures/cfutures.h>

#include <inttypes.h>
#include <stdio.h>

enum { COUNT = 16 << 20 }; /* 64 MiB of numbers */

/* The largest number whose square is not above n. */
static uint32_t
square_root(uint32_t n)
{
    uint32_t root = 0;
    for (uint32_t bit = UINT32_C(1) << 15; bit != 0; bit >>= 1) {
        uint32_t more = root | bit;
        if (more * more <= n)
            root = more;
    }
    return root;
}

/* data has the same address everywhere, as all of cf_shared_alloc() has. */
static int
take_roots(cf_call *call, size_t begin, size_t end, void *data)
{
    uint32_t *numbers = data;
    (void)call;
    for (size_t i = begin; i < end; i++)
        numbers[i] = square_root(numbers[i]);
    return 0;
}

int
main(void)
{
    cf_executor *pool = NULL;
    uint32_t *numbers = NULL;
    uint64_t sum = 0;
    cf_err err = cf_process_pool_create(NULL, &pool);
    if (err == CF_OK) {
        numbers = cf_shared_alloc(pool, COUNT * sizeof(*numbers));
        err = numbers != NULL ? CF_OK : CF_ENOMEM;
    }
    if (err == CF_OK) {
        for (uint32_t i = 0; i < COUNT; i++)
            numbers[i] = i;
        err = cf_parallel_for(pool, 0, COUNT, 0, take_roots, numbers, NULL);
    }
    if (err == CF_OK) {
        for (size_t i = 0; i < COUNT; i++)
            sum += numbers[i];
        printf("sum of %d roots: %" PRIu64 "\n", COUNT, sum);
    } else {
        fprintf(stderr, "shared: %s\n", cf_strerror(err));
    }
    cf_shared_free(pool, numbers);
    cf_executor_destroy(pool);
    return err != CF_OK;
}
