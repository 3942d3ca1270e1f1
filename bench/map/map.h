/* SPDX-License-Identifier: MIT */
/*
 * The seam between the map workload and its subjects: out[i] = f(in[i]) over
 * an array, f being a function of another translation unit.
 */
#ifndef BENCH_MAP_MAP_H
#define BENCH_MAP_MAP_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef double map_fn(double x);

/* About 2 ns and about 16 to 20 ns an item, load and store included. */
double map_light(double x);
double map_heavy(double x);

void map_open(int workers);
void map_close(void);

/* Both functions by name, not by pointer: a call like any user's. */
void map_all_light(const double *in, double *out, size_t n);
void map_all_heavy(const double *in, double *out, size_t n);

/* The subject's own further metrics over the same items. */
void map_more(const double *in, double *out, size_t n, int rounds);

#ifdef __cplusplus
}
#endif

#endif
