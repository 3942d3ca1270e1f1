/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <stdlib.h>

bool
picture_init(struct picture *picture, const struct options *options)
{
    *picture = (struct picture){.width = (size_t)options->width,
                                .height = (size_t)options->height,
                                .channels = options->gray ? 1 : 3,
                                .iterations = (uint32_t)options->iterations};
    picture->bytes =
        calloc(picture->width * picture->height, picture->channels);
    return picture->bytes != NULL;
}

void
picture_fini(struct picture *picture)
{
    free(picture->bytes);
}

/* A number from 0 to 255 that goes up and down as n grows. */
static unsigned char
wave(uint32_t n, uint32_t speed)
{
    uint32_t at = n * speed % 510;
    return (unsigned char)(at < 256 ? at : 510 - at);
}

/* Black is what has never left; gray counts up from 1. */
static void
paint(const struct picture *picture, uint32_t n, unsigned char *pixel)
{
    bool inside = n == picture->iterations;
    if (picture->channels == 1) {
        pixel[0] = inside ? 0 : (unsigned char)(1 + (n - 1) % 255);
    } else {
        pixel[0] = inside ? 0 : wave(n, 9);
        pixel[1] = inside ? 0 : wave(n, 5);
        pixel[2] = inside ? 0 : wave(n + 16, 13);
    }
}

void
picture_put(struct picture *picture, const struct tile_pixels *pixels)
{
    for (size_t row = 0; row < TILE; row++) {
        size_t y = pixels->row + row;
        for (size_t column = 0; column < TILE; column++) {
            size_t x = pixels->column + column;
            if (x < picture->width && y < picture->height)
                paint(picture,
                      pixels->counts[row][column],
                      picture->bytes +
                          (y * picture->width + x) * picture->channels);
        }
    }
}

void
picture_write(const struct picture *picture, FILE *file)
{
    fprintf(file,
            "P%d\n%zu %zu\n255\n",
            picture->channels == 1 ? 5 : 6,
            picture->width,
            picture->height);
    (void)fwrite(picture->bytes,
                 picture->channels,
                 picture->width * picture->height,
                 file);
}
