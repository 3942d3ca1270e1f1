/* SPDX-License-Identifier: MIT */
/*
 * The addresses. All are read before the first page is fetched, so that the
 * table knows how many there are. What is no address is told on standard error;
 * the rest is kept.
 */
#ifndef ASYNC_HTTP_INPUT_H
#define ASYNC_HTTP_INPUT_H

#include "options.h"

typedef struct input {
    char **urls;
    size_t count;
    size_t capacity;
    uint64_t errors;
} input;

/* false: no memory. Either way, input_fini() follows. */
bool input_read(input *in, const options *opts);

void input_fini(input *in);

#endif
