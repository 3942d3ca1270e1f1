/* SPDX-License-Identifier: MIT */
/* PNG files, by libpng. */
#include "codec.h"

#include <png.h>

static png_uint_32
format_of(size_t channels)
{
    return channels == 4   ? PNG_FORMAT_RGBA
           : channels == 3 ? PNG_FORMAT_RGB
                           : PNG_FORMAT_GRAY;
}

/* The header has been read. */
static int
decode(cf_call *call, png_image *png, size_t limit, struct image *image)
{
    image->width = image->file_width = png->width;
    image->height = image->file_height = png->height;
    image->channels = png->format & PNG_FORMAT_FLAG_ALPHA   ? 4
                      : png->format & PNG_FORMAT_FLAG_COLOR ? 3
                                                            : 1;
    png->format = format_of(image->channels);
    int rc = image_alloc(call, image, limit);
    if (rc)
        return rc;
    if (!png_image_finish_read(png, NULL, image->pixels, 0, NULL))
        return cf_fail(call, 1, "PNG: %s", png->message);
    return 0;
}

int
decode_png(cf_call *call,
           const struct file_bytes *file,
           size_t size,
           size_t limit,
           struct image *image)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    (void)size; /* every pixel is read */
    if (!png_image_begin_read_from_memory(&png, file->data, file->size))
        return cf_fail(call, 1, "PNG: %s", png.message);
    int rc = decode(call, &png, limit, image);
    png_image_free(&png);
    return rc;
}

int
encode_png(cf_call *call, const struct image *image)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = format_of(image->channels)};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    void *out = cf_return_buffer(call, size);
    if (!out)
        return cf_fail(call, CF_ENOMEM, "out of memory");
    if (!png_image_write_to_memory(&png, out, &size, 0, image->pixels, 0, NULL))
        return cf_fail(call, 1, "PNG: %s", png.message);
    return (int)cf_return_resize(call, size);
}
