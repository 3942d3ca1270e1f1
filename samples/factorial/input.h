/* SPDX-License-Identifier: MIT */
/*
 * The batch: numbers and ranges such as 10-20, separated by white space, with
 * comments from # to the end of the line. All of it is read before anything
 * is computed, so that the progress bar knows how much there is; ranges stay
 * ranges, so that a line like 0-10000000 costs eight bytes.
 */
#ifndef FACTORIAL_INPUT_H
#define FACTORIAL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_MAX = 10000000 };

typedef struct input_range {
    uint32_t first;
    uint32_t last;
} input_range;

typedef struct input {
    input_range *ranges;
    size_t count;
    size_t capacity;
    uint64_t numbers; /* in all ranges together */
    uint32_t largest; /* 0 without numbers */
    uint64_t errors;  /* each told on standard error */
} input;

/* Zeroed is the start. */
typedef struct input_cursor {
    size_t range;
    uint32_t offset;
} input_cursor;

/* Adds the numbers of a command-line argument. */
void input_add_argument(input *in, const char *text);

/* Adds the numbers of a file; "-" is standard input. */
void input_add_file(input *in, const char *path);

/* Steps to the next number; false: there is none. */
bool input_next(const input *in, input_cursor *at, uint32_t *n);

/* The index-th number, from 0; index is below in->numbers. */
uint32_t input_number(const input *in, uint64_t index);

void input_fini(input *in);

#endif
