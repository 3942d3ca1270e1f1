/* SPDX-License-Identifier: MIT */
/*
 * Tasks that block every worker until the gate opens, so that everything
 * submitted meanwhile stays pending.
 */
#ifndef BENCH_COMMON_GATE_H
#define BENCH_COMMON_GATE_H

#include <stdint.h>

/* The argument of a blocking task; bench_task() answers it with gate_task(). */
#define GATE_ARG UINT64_MAX

typedef struct gate gate;

uint64_t gate_task(void);

/* Blocks as many workers as the subject allows; returns when all are. */
gate *gate_shut(int workers);

/* Lets them go; the tasks end on their own. */
void gate_open(gate *g);

/* Collects the blocking tasks, after gate_open(). */
void gate_destroy(gate *g);

#endif
