/* SPDX-License-Identifier: MIT */
/*
 * A file that is there as a whole or not at all: it has a temporary name until
 * it is complete.
 */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
    const char *program; /* for what goes to standard error */
    const char *path;    /* NULL: standard output */
    char *temporary;     /* its name until then */
    bool keep;           /* a file that has got the name meanwhile stays. The
                            user sets it, after output_open() */
    FILE *file;          /* to write to */
};

/* path "-" is standard output. false, after a sentence: it cannot be made. */
bool output_open(struct output *output, const char *program, const char *path);

/* Gives the file its name. false, after a sentence: it could not be written, or
 * may not have the name, and is gone. */
bool output_finish(struct output *output);

/* Removes what has been written so far. */
void output_abandon(struct output *output);

#endif
