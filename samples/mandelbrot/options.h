/* SPDX-License-Identifier: MIT */
/* The command line of mandelbrot. */
#ifndef MANDELBROT_OPTIONS_H
#define MANDELBROT_OPTIONS_H

#include <stdbool.h>

struct options {
    const char *executor;
    const char *output;
    long width, height; /* pixels */
    long iterations;
    double x, y; /* the middle of the picture */
    double span; /* how wide it is */
    bool gray, help;
};

/* false, after a sentence on standard error: it is wrong. */
bool options_parse(struct options *options, int argc, char **argv);

void options_help(void);

#endif
