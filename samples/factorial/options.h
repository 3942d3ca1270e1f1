/* SPDX-License-Identifier: MIT */
/*
 * The command line.
 */
#ifndef FACTORIAL_OPTIONS_H
#define FACTORIAL_OPTIONS_H

#include "work.h"

#include <stdbool.h>

/* One place that numbers come from, in the order of the command line. */
typedef struct source {
    const char *text; /* the argument, or the file's name */
    bool is_file;
} source;

typedef struct options {
    const char *executor; /* for cf_executor_open() */
    bool as_completed;    /* print in order of completion */
    print_mode print;
    source *sources;
    size_t source_count;
    bool help;
} options;

enum { EXIT_USAGE = 2 };

/**
 * Reads the command line; false: it is wrong, and was told on standard error.
 * Either way, options_fini() follows.
 */
bool options_parse(options *opts, int argc, char **argv);

void options_fini(options *opts);

/* Prints the text of --help to standard output. */
void options_help(void);

#endif
