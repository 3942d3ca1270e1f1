/* SPDX-License-Identifier: MIT */
#include "block.h"

#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

enum { RAW = -15, MEMORY = 8, FLUSH_BYTES = 16 };

/* --- the thread's stream -------------------------------------------------- */

/* A thread keeps its stream for the next block: memory that is freed goes back
 * to the system, and would be fetched page by page for each block. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int no_key; /* an error number */

static void
end_stream(void *stream)
{
    (void)deflateEnd(stream);
    free(stream);
}

static void
make_key(void)
{
    no_key = pthread_key_create(&key, end_stream);
}

static z_stream *
make_stream(int level)
{
    z_stream *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    if (deflateInit2(z, level, Z_DEFLATED, RAW, MEMORY, Z_DEFAULT_STRATEGY)) {
        free(z);
        return NULL;
    }
    if (pthread_setspecific(key, z)) {
        end_stream(z);
        return NULL;
    }
    return z;
}

/* At its beginning. NULL: no memory. */
static z_stream *
get_stream(int level)
{
    if (pthread_once(&once, make_key) || no_key)
        return NULL;
    z_stream *z = pthread_getspecific(key);
    if (!z)
        return make_stream(level);
    if (deflateReset(z) || deflateParams(z, level, Z_DEFAULT_STRATEGY))
        return NULL;
    return z;
}

/* --- the task ------------------------------------------------------------- */

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
    z_stream *z = get_stream(block->level);
    (void)arg_size;
    if (!z)
        return cf_fail(call, CF_ENOMEM, "no memory for deflate");
    return deflate_block(call, z, block);
}
