/* SPDX-License-Identifier: MIT */
/* A file is compressed: one cf_map() over its blocks, in their order. */
#ifndef PGZIP_COMPRESS_H
#define PGZIP_COMPRESS_H

#include <cfutures/cfutures.h>

#include <stdio.h>
#include <sys/types.h>

struct work {
    cf_executor *ex;
    int ctrl_c;
    int level;
    bool progress;
};

/* A file to be compressed. */
struct source {
    const char *path; /* for messages */
    const char *name; /* for the header, without folders; NULL: none */
    int fd;
    off_t size; /* 0: not known */
    uint32_t time;
};

/* Writes a whole gzip file to out. CF_OK; CF_EINTERRUPTED: Ctrl-C; else an
 * error, after a sentence on standard error. */
cf_err
compress_file(const struct work *work, const struct source *from, FILE *out);

#endif
