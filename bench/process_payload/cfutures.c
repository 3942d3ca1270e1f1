/* SPDX-License-Identifier: MIT */
/*
 * This library. Copied: the payload is the task's argument, and its result is
 * cf_return()ed. In place: the payload is made in memory of cf_shared_alloc(),
 * its address is the argument, and the result is made in cf_return_buffer().
 */
#include "process_payload/payload.h"

#include "common/executor.h"

#include <stdlib.h>
#include <string.h>

typedef struct slot {
    uint64_t *input;
    cf_future *future;
} slot;

static cf_executor *pool;
static payload_mode mode;
static size_t payload_size;
static slot *slots;
static int slot_count;

static int
echo(cf_call *call, const void *arg, size_t arg_size)
{
    return cf_return(call, arg, arg_size);
}

static int
copy_shared(cf_call *call, const void *arg, size_t arg_size)
{
    const cf_bytes *input = arg;
    void *result = cf_return_buffer(call, input->size);

    (void)arg_size;
    if (result == NULL)
        return cf_fail(call, CF_ENOMEM, "no memory for the result");
    memcpy(result, input->data, input->size);
    return 0;
}

void
payload_open(int workers)
{
    pool = bench_open_executor(workers);
}

void
payload_close(void)
{
    cf_executor_destroy(pool);
}

bool
payload_begin(payload_mode new_mode, size_t size, int count)
{
    mode = new_mode;
    payload_size = size;
    slot_count = count;
    slots = bench_alloc((size_t)count, sizeof(*slots));
    for (int i = 0; i < count; i++) {
        if (mode == PAYLOAD_PLACE)
            slots[i].input = cf_shared_alloc(pool, size);
        else
            slots[i].input = bench_alloc(1, size);
        if (slots[i].input == NULL)
            bench_die("no shared memory of %zu bytes", size);
    }
    return true;
}

void
payload_end(void)
{
    for (int i = 0; i < slot_count; i++) {
        if (mode == PAYLOAD_PLACE)
            cf_shared_free(pool, slots[i].input);
        else
            free(slots[i].input);
    }
    free(slots);
}

uint64_t *
payload_input(int index)
{
    return slots[index].input;
}

void
payload_submit(int index)
{
    slot *s = &slots[index];
    cf_bytes place = {s->input, payload_size};

    if (mode == PAYLOAD_PLACE)
        bench_check(
            cf_submit(pool, copy_shared, &place, sizeof(place), &s->future),
            "cf_submit");
    else
        bench_check(cf_submit(pool, echo, s->input, payload_size, &s->future),
                    "cf_submit");
}

const uint64_t *
payload_result(int index)
{
    cf_bytes result;

    bench_check(cf_future_result(slots[index].future, CF_FOREVER, &result),
                "cf_future_result");
    if (result.size != payload_size)
        bench_die("a result of %zu bytes, not %zu", result.size, payload_size);
    return result.data;
}

void
payload_release(int index)
{
    cf_future_unref(slots[index].future);
}
