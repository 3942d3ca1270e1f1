/* SPDX-License-Identifier: MIT */
/*
 * One tile of the picture, computed by a typed task. Argument and result have
 * no pointers, so that a tile can be computed in a thread or in another
 * process.
 */
#ifndef MANDELBROT_TILE_H
#define MANDELBROT_TILE_H

#include <cfutures/typed.h>

enum { TILE = 64 }; /* pixels, in each direction */

struct tile {
    double x, y; /* its first pixel */
    double step; /* from one pixel to the next */
    uint32_t iterations;
    uint32_t column, row; /* of its first pixel, in the picture */
};

struct tile_pixels {
    uint32_t column, row;
    uint32_t counts[TILE][TILE]; /* iterations until a pixel has left */
};

/* Computes a tile. */
int draw(cf_call *call, const struct tile *tile, struct tile_pixels *pixels);

CF_TASK_TYPED(draw, struct tile, struct tile_pixels);

#endif
