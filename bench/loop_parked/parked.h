/* SPDX-License-Identifier: MIT */
/* What a subject of loop_parked provides. */
#ifndef BENCH_LOOP_PARKED_PARKED_H
#define BENCH_LOOP_PARKED_PARKED_H

#include <stddef.h>

/* Starts n tasks on one thread, which wait; calls body(data) in another thread
 * when all wait, and then wakes and ends them. Dies unless all ran. */
void parked_run(size_t n, void (*body)(void *data), void *data);

#endif
