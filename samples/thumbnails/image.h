/* SPDX-License-Identifier: MIT */
/* Pixels. */
#ifndef THUMBNAILS_IMAGE_H
#define THUMBNAILS_IMAGE_H

#include <cfutures/cfutures.h>

struct image {
    size_t width, height;           /* pixels; not 0 */
    size_t file_width, file_height; /* a decoder may have left some out */
    size_t channels;                /* 1: gray, 3: RGB, 4: RGB and alpha */
    unsigned char *pixels;          /* line by line, without gaps */
};

/* Makes room for the pixels: width, height and channels are set. 0; or what
 * cf_fail() returns, if these are more than limit bytes. free() them. */
int image_alloc(cf_call *call, struct image *image, size_t limit);

/* Makes a smaller image of another: no side is longer than size, and the shape
 * is that of the file. A pixel is the mean of those that it covers. 0, or as
 * image_alloc(). */
int image_shrink(cf_call *call,
                 const struct image *from,
                 size_t size,
                 struct image *to);

#endif
