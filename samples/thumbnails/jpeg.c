/* SPDX-License-Identifier: MIT */
/* JPEG files, by libjpeg-turbo. */
#include "codec.h"

#include <turbojpeg.h>

enum { QUALITY = 85 };

static int
fail(cf_call *call, tjhandle jpeg)
{
    return cf_fail(call, 1, "JPEG: %s", tjGetErrorStr2(jpeg));
}

/* Sets the size of what is decoded: half, a quarter or an eighth of each side,
 * if that is still enough, costs less. */
static void
choose_size(struct image *image, size_t size)
{
    const size_t longest = image->file_width > image->file_height
                               ? image->file_width
                               : image->file_height;
    size_t part = 1;
    while (part < 8 && longest / (2 * part) >= size)
        part *= 2;
    image->width = (image->file_width + part - 1) / part;
    image->height = (image->file_height + part - 1) / part;
}

static int
decode(cf_call *call,
       tjhandle jpeg,
       const struct file_bytes *file,
       size_t size,
       size_t limit,
       struct image *image)
{
    int width, height, subsampling, colors;
    if (tjDecompressHeader3(jpeg,
                            file->data,
                            file->size,
                            &width,
                            &height,
                            &subsampling,
                            &colors))
        return fail(call, jpeg);
    if (width < 1 || height < 1) /* tables only */
        return cf_fail(call, 1, "JPEG: no picture");
    image->file_width = (size_t)width;
    image->file_height = (size_t)height;
    image->channels = colors == TJCS_GRAY ? 1 : 3;
    choose_size(image, size);
    int rc = image_alloc(call, image, limit);
    if (rc)
        return rc;
    if (tjDecompress2(jpeg,
                      file->data,
                      file->size,
                      image->pixels,
                      (int)image->width,
                      0,
                      (int)image->height,
                      image->channels == 1 ? TJPF_GRAY : TJPF_RGB,
                      TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS))
        return fail(call, jpeg);
    return 0;
}

int
decode_jpeg(cf_call *call,
            const struct file_bytes *file,
            size_t size,
            size_t limit,
            struct image *image)
{
    tjhandle jpeg = tjInitDecompress();
    if (!jpeg)
        return cf_fail(call, CF_ENOMEM, "out of memory");
    int rc = decode(call, jpeg, file, size, limit, image);
    (void)tjDestroy(jpeg);
    return rc;
}

int
encode_jpeg(cf_call *call, const struct image *image)
{
    const bool gray = image->channels == 1;
    const int subsampling = gray ? TJSAMP_GRAY : TJSAMP_420;
    const int width = (int)image->width, height = (int)image->height;
    unsigned long size = tjBufSize(width, height, subsampling);
    unsigned char *out = cf_return_buffer(call, size);
    tjhandle jpeg = tjInitCompress();
    if (!out || !jpeg) {
        (void)tjDestroy(jpeg);
        return cf_fail(call, CF_ENOMEM, "out of memory");
    }
    int rc = tjCompress2(jpeg,
                         image->pixels,
                         width,
                         0,
                         height,
                         gray ? TJPF_GRAY : TJPF_RGB,
                         &out,
                         &size,
                         subsampling,
                         QUALITY,
                         TJFLAG_NOREALLOC);
    rc = rc ? fail(call, jpeg) : (int)cf_return_resize(call, size);
    (void)tjDestroy(jpeg);
    return rc;
}
