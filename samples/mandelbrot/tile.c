/* SPDX-License-Identifier: MIT */
#include "tile.h"

/* How many iterations until c = x + iy has left; most: it has not. */
static uint32_t
count(double x, double y, uint32_t most)
{
    double re = 0, im = 0;
    uint32_t n = 0;
    while (n < most && re * re + im * im <= 4) {
        double next = re * re - im * im + x;
        im = 2 * re * im + y;
        re = next;
        n++;
    }
    return n;
}

int
draw(cf_call *call, const struct tile *tile, struct tile_pixels *pixels)
{
    pixels->column = tile->column;
    pixels->row = tile->row;
    for (int row = 0; row < TILE; row++) {
        if (cf_call_canceled(call))
            return cf_fail(call, 1, "told to stop");
        for (int column = 0; column < TILE; column++)
            pixels->counts[row][column] = count(tile->x + column * tile->step,
                                                tile->y - row * tile->step,
                                                tile->iterations);
    }
    return 0;
}
