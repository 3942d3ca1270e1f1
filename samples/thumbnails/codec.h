/* SPDX-License-Identifier: MIT */
/*
 * The kinds of files: a decoder and an encoder for each. Both return 0, or what
 * cf_fail() returns.
 */
#ifndef THUMBNAILS_CODEC_H
#define THUMBNAILS_CODEC_H

#include "image.h"

struct file_bytes {
    const unsigned char *data;
    size_t size;
};

/* Decodes a file of limit bytes of pixels at most. No side need be longer than
 * size: a decoder that is faster so may leave pixels out. free() the pixels,
 * also after a failure. */
typedef int decode_fn(cf_call *call,
                      const struct file_bytes *file,
                      size_t size,
                      size_t limit,
                      struct image *image);

/* The file's bytes are the call's result. */
typedef int encode_fn(cf_call *call, const struct image *image);

decode_fn decode_jpeg, decode_png;
encode_fn encode_jpeg, encode_png;

#endif
