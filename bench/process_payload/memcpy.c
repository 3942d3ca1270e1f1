/* SPDX-License-Identifier: MIT */
/*
 * No process at all: one memcpy() on one core, between the same buffers again
 * and again. What the memory itself gives.
 */
#include "process_payload/payload.h"

#include "common/bench.h"

#include <stdlib.h>
#include <string.h>

static uint64_t **inputs, **outputs;
static size_t payload_size;
static int slot_count;

void
payload_open(int workers)
{
    (void)workers;
}

void
payload_close(void)
{
}

bool
payload_begin(payload_mode mode, size_t size, int slots)
{
    (void)mode;
    payload_size = size;
    slot_count = slots;
    inputs = bench_alloc((size_t)slots, sizeof(*inputs));
    outputs = bench_alloc((size_t)slots, sizeof(*outputs));
    for (int i = 0; i < slots; i++) {
        inputs[i] = bench_alloc(1, size);
        outputs[i] = bench_alloc(1, size);
    }
    return true;
}

void
payload_end(void)
{
    for (int i = 0; i < slot_count; i++) {
        free(inputs[i]);
        free(outputs[i]);
    }
    free(inputs);
    free(outputs);
}

uint64_t *
payload_input(int slot)
{
    return inputs[slot];
}

void
payload_submit(int slot)
{
    memcpy(outputs[slot], inputs[slot], payload_size);
}

const uint64_t *
payload_result(int slot)
{
    return outputs[slot];
}

void
payload_release(int slot)
{
    (void)slot;
}
