/* SPDX-License-Identifier: MIT */
/*
 * The command line.
 */
#ifndef ASYNC_HTTP_OPTIONS_H
#define ASYNC_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_USAGE = 2, JOBS_MOST = 10000, RETRIES_MOST = 20 };

/* Where addresses come from, in the order of the command line. */
typedef struct source {
    const char *text; /* the argument, or the file's name */
    bool is_file;
} source;

typedef struct options {
    bool threads; /* instead of an event loop */
    int jobs;     /* so many pages at once */
    int retries;
    int64_t timeout_ns; /* of a try */
    source *sources;
    size_t source_count;
    bool help;
} options;

/**
 * Reads the command line; false: it is wrong, and was told on standard error.
 * Either way, options_fini() follows.
 */
bool options_parse(options *opts, int argc, char **argv);

void options_fini(options *opts);

/* Prints the text of --help to standard output. */
void options_help(void);

#endif
