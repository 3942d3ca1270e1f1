/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <stdlib.h>

int
image_alloc(cf_call *call, struct image *image, size_t limit)
{
    size_t line = image->width * image->channels; /* each below 2^32 */
    if (image->height > limit / line) {
        return cf_fail(call,
                       CF_ETOOBIG,
                       "%zux%zu pixels need more memory than it may have",
                       image->width,
                       image->height);
    }
    image->pixels = malloc(line * image->height);
    return image->pixels ? 0 : cf_fail(call, CF_ENOMEM, "out of memory");
}

/* Where pixel i of to pixels begins, among from pixels. */
static double
edge(size_t i, size_t from, size_t to)
{
    return (double)i * (double)from / (double)to;
}

/* How much of pixel i is between begin and end. */
static double
share(size_t i, double begin, double end)
{
    const double left = (double)i < begin ? begin : (double)i;
    const double right = (double)i + 1 < end ? (double)i + 1 : end;
    return right - left;
}

/* A color counts as much as it is opaque. */
static void
add_pixel(
    const struct image *from, size_t x, size_t y, double part, double *sum)
{
    const unsigned char *pixel =
        from->pixels + (y * from->width + x) * from->channels;
    if (from->channels == 4) {
        part *= pixel[3];
        sum[3] += part;
    }
    for (size_t i = 0; i < from->channels && i < 3; i++)
        sum[i] += part * pixel[i];
}

static void
shrink_pixel(const struct image *from, struct image *to, size_t x, size_t y)
{
    double left = edge(x, from->width, to->width);
    double right = edge(x + 1, from->width, to->width);
    double top = edge(y, from->height, to->height);
    double bottom = edge(y + 1, from->height, to->height);
    double sum[4] = {0};
    for (size_t j = (size_t)top; j < from->height && (double)j < bottom; j++) {
        const double line = share(j, top, bottom);
        for (size_t i = (size_t)left; i < from->width && (double)i < right; i++)
            add_pixel(from, i, j, share(i, left, right) * line, sum);
    }
    double area = (right - left) * (bottom - top);
    double weight = to->channels == 4 ? sum[3] : area;
    unsigned char *pixel = to->pixels + (y * to->width + x) * to->channels;
    for (size_t i = 0; i < to->channels && i < 3; i++)
        pixel[i] = (unsigned char)(weight > 0 ? sum[i] / weight + 0.5 : 0);
    if (to->channels == 4)
        pixel[3] = (unsigned char)(sum[3] / area + 0.5);
}

static size_t
scale(size_t side, size_t longest, size_t size)
{
    if (longest <= size)
        return side;
    size_t scaled = (2 * side * size + longest) / (2 * longest);
    return scaled ? scaled : 1;
}

int
image_shrink(cf_call *call,
             const struct image *from,
             size_t size,
             struct image *to)
{
    const size_t width = from->file_width, height = from->file_height;
    const size_t longest = width > height ? width : height;
    *to = (struct image){.width = scale(width, longest, size),
                         .height = scale(height, longest, size),
                         .channels = from->channels};
    int rc = image_alloc(call, to, SIZE_MAX);
    for (size_t y = 0; !rc && y < to->height; y++) {
        if (cf_call_canceled(call)) {
            free(to->pixels);
            return cf_fail(call, CF_ECANCELED, "told to stop");
        }
        for (size_t x = 0; x < to->width; x++)
            shrink_pixel(from, to, x, y);
    }
    return rc;
}
