/* SPDX-License-Identifier: MIT */
/* What each subject of the workload reduce does. */
#ifndef BENCH_REDUCE_H
#define BENCH_REDUCE_H

#include "map/map.h"

#ifdef __cplusplus
extern "C" {
#endif

void reduce_open(int workers);
void reduce_close(void);

/* The sum of map_light(in[i]), and of map_heavy(in[i]), on all workers. */
double reduce_light(const double *in, size_t n);
double reduce_heavy(const double *in, size_t n);

/* The same light sum in another way of the subject. NULL: it has none. */
typedef double reduce_fn(const double *in, size_t n);
extern reduce_fn *const reduce_fixed;

#ifdef __cplusplus
}
#endif

#endif
