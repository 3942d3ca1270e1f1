/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef THUMBNAILS_OPTIONS_H
#define THUMBNAILS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *executor, *output;
    long size;       /* pixels */
    long memory_mib; /* for a picture */
    int64_t timeout_ns;
    bool replace, help;
};

/* false, after a sentence on standard error: it is wrong. Else optind is that
 * of the first path. */
bool options_parse(struct options *o, int argc, char **argv);

void options_help(void);

#endif
