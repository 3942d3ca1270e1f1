/* SPDX-License-Identifier: MIT */
/* The task: makes the thumbnail of one file. */
#ifndef THUMBNAILS_THUMBNAIL_H
#define THUMBNAILS_THUMBNAIL_H

#include <cfutures/cfutures.h>

/* The argument. The path was there before the executor: so a worker process has
 * it, too. */
struct request {
    const char *path;
    size_t size;   /* pixels of the longer side, at most */
    size_t memory; /* bytes, at most, for the file and for its pixels */
};

/* A cf_task_fn. The result is a file: JPEG of JPEG, PNG of PNG. */
int make_thumbnail(cf_call *call, const void *arg, size_t arg_size);

#endif
