/* SPDX-License-Identifier: MIT */
/*
 * A large array in memory that the program and its worker processes share: the
 * workers change it in place, and nothing is copied. Each adds up what it has
 * changed, and these sums become one.
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
take_roots(cf_call *call, size_t begin, size_t end, void *sum, void *data)
{
    uint32_t *numbers = data;
    uint64_t roots = 0;
    (void)call;
    for (size_t i = begin; i < end; i++)
        roots += numbers[i] = square_root(numbers[i]);
    *(uint64_t *)sum += roots;
    return 0;
}

static void
add(void *sum, void *next, void *data)
{
    (void)data;
    *(uint64_t *)sum += *(const uint64_t *)next;
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
        err = cf_parallel_reduce(pool,
                                 0,
                                 COUNT,
                                 0,
                                 take_roots,
                                 add,
                                 &(const uint64_t){0},
                                 sizeof(sum),
                                 numbers,
                                 &sum);
    }
    if (err == CF_OK) {
        printf("sum of %d roots: %" PRIu64 "\n", COUNT, sum);
    } else {
        fprintf(stderr, "shared: %s\n", cf_strerror(err));
    }
    cf_shared_free(pool, numbers);
    cf_executor_destroy(pool);
    return err != CF_OK;
}
