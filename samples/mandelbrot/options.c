/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/command_line.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE_MAX_PIXELS = 32768, ITERATIONS_MAX = 1000000 };

void
options_help(void)
{
    fputs("usage: mandelbrot [options]\n"
          "\n"
          "Draws the Mandelbrot set in parallel, into a PPM file (colours) or "
          "a\nPGM file (gray).\n"
          "\n"
          "  -e, --executor SPEC   threads (one per CPU; the default),\n"
          "                        threads:N, processes, processes:N, inline\n"
          "  -o, --output FILE     - is standard output, the default\n"
          "  -s, --size WxH        pixels (800x600)\n"
          "  -c, --center X,Y      the middle of the picture (-0.75,0)\n"
          "  -w, --span NUMBER     how wide it is (3)\n"
          "  -i, --iterations N    at most so many for each pixel (500)\n"
          "  -g, --gray            a PGM file\n"
          "  -h, --help            print this text\n"
          "\n"
          "Exit status: 0; 1 if the file could not be written or a task\n"
          "failed; 2 if the command line is wrong; 130 after Ctrl-C. Then\n"
          "there is no file.\n",
          stdout);
}

static bool
wrong(const char *option, const char *value, const char *what)
{
    fprintf(stderr, "mandelbrot: %s: '%s': %s\n", option, value, what);
    return false;
}

/* Reads a number, and what must stand behind it. */
static bool
read_double(const char **at, char behind, double *out)
{
    char *end;
    *out = strtod(*at, &end);
    if (end == *at || *end != behind || !isfinite(*out))
        return false;
    *at = end + (behind != '\0');
    return true;
}

static bool
set_size(struct options *o, const char *value)
{
    int end = 0;
    if (sscanf(value, "%ldx%ld%n", &o->width, &o->height, &end) != 2 ||
        value[end] || o->width < 1 || o->height < 1 ||
        o->width > SIZE_MAX_PIXELS || o->height > SIZE_MAX_PIXELS)
        return wrong("--size", value, "not WxH, each from 1 to 32768");
    return true;
}

static bool
set_option(struct options *o, int option, const char *value)
{
    const char *at = value;
    switch (option) {
    case 'e':
        o->executor = value;
        return true;
    case 'o':
        o->output = value;
        return true;
    case 's':
        return set_size(o, value);
    case 'c':
        return (read_double(&at, ',', &o->x) && read_double(&at, '\0', &o->y))
                   ? true
                   : wrong("--center", value, "not X,Y");
    case 'w':
        return read_double(&at, '\0', &o->span) && o->span > 0
                   ? true
                   : wrong("--span", value, "not a number above 0");
    case 'i':
        return parse_number("mandelbrot",
                            "--iterations",
                            value,
                            1,
                            ITERATIONS_MAX,
                            &o->iterations);
    case 'g':
        o->gray = true;
        return true;
    case 'h':
        o->help = true;
        return true;
    default: /* getopt_long() has said why */
        return false;
    }
}

bool
options_parse(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"output", required_argument, NULL, 'o'},
        {"size", required_argument, NULL, 's'},
        {"center", required_argument, NULL, 'c'},
        {"span", required_argument, NULL, 'w'},
        {"iterations", required_argument, NULL, 'i'},
        {"gray", no_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;
    *o = (struct options){.executor = "threads",
                          .output = "-",
                          .width = 800,
                          .height = 600,
                          .iterations = 500,
                          .x = -0.75,
                          .span = 3};
    while ((option = getopt_long(argc, argv, "e:o:s:c:w:i:gh", names, NULL)) !=
           -1)
        if (!set_option(o, option, optarg))
            return false;
    if (optind < argc)
        return wrong("argument", argv[optind], "there are none");
    return true;
}
