/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef FETCH_OPTIONS_H
#define FETCH_OPTIONS_H

#include "../common/transfer.h"

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *executor, *folder;
    const char **inputs; /* files of URLs */
    size_t input_count;
    char **urls; /* the arguments, up to a NULL */
    struct transfer_limits limits;
    long jobs, per_host;
    bool force, help;
};

/* 0; or an exit status, after a sentence on standard error. Either way
 * options_fini() follows. */
int options_parse(struct options *o, int argc, char **argv);

void options_fini(struct options *o);

/* Prints the text of --help to standard output. */
void options_help(void);

#endif
