/* SPDX-License-Identifier: MIT */
/* The picture: made of tiles, written as PPM or PGM. */
#ifndef MANDELBROT_PICTURE_H
#define MANDELBROT_PICTURE_H

#include "options.h"
#include "tile.h"

#include <stdio.h>

struct picture {
    size_t width, height, channels; /* 1: gray, 3: colours */
    uint32_t iterations;
    unsigned char *bytes;
};

/* false: no memory. */
bool picture_init(struct picture *picture, const struct options *options);
void picture_fini(struct picture *picture);

void picture_put(struct picture *picture, const struct tile_pixels *pixels);

/* A failure is noted in the stream. */
void picture_write(const struct picture *picture, FILE *file);

#endif
