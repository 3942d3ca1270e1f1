/* SPDX-License-Identifier: MIT */
/*
 * The task: fetches what a URL has into a file. Its argument has the text of
 * both and no pointer, so it runs in an event loop, in a thread, or in another
 * process.
 */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include "../common/transfer.h"

#include <cfutures/cfutures.h>

struct download {
    struct transfer_limits limits;
    size_t url_size; /* with its NUL; the path follows */
    char text[];
};

struct downloaded {
    struct transfer transfer;
    uint64_t bytes;
};

/* The argument for a file that is there, to be written from its beginning, and
 * *size, its size. The caller frees it. NULL: no memory. */
struct download *download_create(const struct transfer_limits *limits,
                                 const char *url,
                                 const char *path,
                                 size_t *size);

/* A cf_task_fn, with a struct downloaded as its result. It fails only if the
 * file cannot be written. */
int download_file(cf_call *call, const void *arg, size_t arg_size);

#endif
