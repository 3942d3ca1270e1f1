/* SPDX-License-Identifier: MIT */
/*
 * The task: compresses one block. Nothing in it is a pointer, so that it can be
 * done in a thread or in another process.
 */
#ifndef PGZIP_BLOCK_H
#define PGZIP_BLOCK_H

#include <cfutures/cfutures.h>

enum { BLOCK = 128 * 1024, DICTIONARY = 32 * 1024 };

/* The argument. What comes before a block in the file is its dictionary: so
 * what repeats across blocks is found, as in one stream. */
struct block {
    int level;
    uint32_t size, dictionary_size; /* bytes */
    unsigned char dictionary[DICTIONARY], data[BLOCK];
};

/* The result, and behind it so many compressed bytes as are left of it: a part
 * of a deflate stream that ends at a whole byte. */
struct compressed {
    uint32_t crc, size; /* of the data */
    unsigned char bytes[];
};

/* A cf_task_fn. */
int compress_block(cf_call *call, const void *arg, size_t arg_size);

#endif
