/* SPDX-License-Identifier: MIT */
#include "block.h"

#include <string.h>
#include <zlib.h>

enum { RAW = -15, MEMORY = 8, FLUSH_BYTES = 16 };

/* 0, or the task has failed. */
static int
deflate_block(cf_call *call, z_stream *z, const struct block *block)
{
    const size_t head = sizeof(struct compressed);
    const size_t room = deflateBound(z, block->size) + FLUSH_BYTES;
    struct compressed *out = cf_return_buffer(call, head + room);
    if (!out)
        return cf_fail(call, CF_ENOMEM, "no memory for a block");
    z->next_in = (unsigned char *)block->data;
    z->avail_in = block->size;
    z->next_out = out->bytes;
    z->avail_out = (uInt)room;
    if (deflateSetDictionary(z, block->dictionary, block->dictionary_size) ||
        deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in || !z->avail_out)
        return cf_fail(call, 1, "deflate: %s", z->msg ? z->msg : "failed");
    out->size = block->size;
    out->crc = (uint32_t)crc32(0, block->data, block->size);
    return (int)cf_return_resize(call, head + room - z->avail_out);
}

int
compress_block(cf_call *call, const void *arg, size_t arg_size)
{
    const struct block *block = arg;
    z_stream z;
    (void)arg_size;
    memset(&z, 0, sizeof z);
    if (deflateInit2(
            &z, block->level, Z_DEFLATED, RAW, MEMORY, Z_DEFAULT_STRATEGY))
        return cf_fail(call, CF_ENOMEM, "no memory for deflate");
    int rc = deflate_block(call, &z, block);
    (void)deflateEnd(&z);
    return rc;
}
