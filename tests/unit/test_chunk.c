/* SPDX-License-Identifier: MIT */
/* What is read of a chunk's results when a worker process has written over
 * them: a failure of the item, and nothing outside of them. */
#include "lib/many/chunk.h"

#include "lib/executor/call.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 3, ROUNDS = 20000 };

/* Item 1 fails, the others return twice their value. */
static int
task_twice(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    memcpy(&n, arg, sizeof n);
    (void)arg_size;
    if (n == 1)
        return cf_fail(call, 5, "one is not liked");
    n *= 2;
    return cf_return(call, &n, sizeof n);
}

/* Runs a chunk; the result is on the heap, the caller's. */
static cf_bytes
run_chunk(void)
{
    _Alignas(16) unsigned char arg[CF__CHUNK_ITEMS + ITEMS * sizeof(int)];
    struct cf__chunk_head head = {task_twice, 7, ITEMS, sizeof(int), NULL};
    memcpy(arg, &head, sizeof head);
    for (int i = 0; i < ITEMS; i++)
        memcpy(arg + CF__CHUNK_ITEMS + (size_t)i * sizeof i, &i, sizeof i);
    struct cf_call call = {.worker = -1};
    cf__call_begin(&call, NULL, 0);
    cr_assert(cf__chunk_run(&call, arg, sizeof arg) == 0);
    return (cf_bytes){call.heap, call.result_size};
}

Test(chunk, what_was_packed_is_read)
{
    cf_bytes packed = run_chunk(), out;
    cf_error error;
    cr_assert(cf__chunk_id(packed) == 7);
    cr_assert(cf__chunk_item(packed, 2, &out, &error) == CF_OK);
    cr_assert(out.size == sizeof(int) && *(const int *)out.data == 4);
    cr_assert(cf__chunk_item(packed, 1, &out, &error) == CF_ETASK);
    cr_assert(error.code == 5 && !strcmp(error.message, "one is not liked"));
    cr_assert(!strcmp(strrchr(error.file, '/') + 1, "test_chunk.c"));
    free((void *)packed.data);
}

/* Runs under the address sanitizer too: it sees what is read outside. */
Test(chunk, random_bytes_give_failures_or_bytes_inside)
{
    unsigned seed = 1;
    cf_bytes good = run_chunk();
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = (unsigned)rand_r(&seed) % (good.size + 1);
        unsigned char *bytes = malloc(size ? size : 1);
        memcpy(bytes, good.data, size);
        for (int k = 0; k < 4 && size; k++)
            bytes[(unsigned)rand_r(&seed) % size] =
                (unsigned char)rand_r(&seed);
        cf_bytes packed = {bytes, size}, out;
        (void)cf__chunk_id(packed);
        for (size_t i = 0; i < ITEMS; i++) {
            cf_error error;
            cf_err err = cf__chunk_item(packed, i, &out, &error);
            if (err == CF_OK) {
                const unsigned char *data = out.data;
                cr_assert(data >= bytes && data + out.size <= bytes + size);
                continue;
            }
            cr_assert(err == CF_ETASK || err == CF_ECANCELED);
            cr_assert(strlen(error.message) < 4096);
            cr_assert(!error.file || strlen(error.file) < 4096);
        }
        free(bytes);
    }
    free((void *)good.data);
}
