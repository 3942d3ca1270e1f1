/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/duration.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t second_ns = 1000000000;

void
options_help(void)
{
    fputs(
        "Usage: async_http [options] [URL]...\n"
        "\n"
        "Fetches web pages, many at once, and says how each went.\n"
        "\n"
        "  -f, --file FILE      read URLs from FILE, one in a line; - is\n"
        "                       standard input. Lines that begin with # are\n"
        "                       comments\n"
        "  -j, --jobs N         so many pages at once, 1 to 10000 (50)\n"
        "  -t, --timeout TIME   for each try: 500ms, 2s, 1m (10s)\n"
        "  -r, --retries N      try again N times, 0 to 20, after a time-out,\n"
        "                       a broken connection, or a status from 500 (0)\n"
        "  -e, --executor NAME  loop: all in one thread (the default);\n"
        "                       threads: one for each job\n"
        "  -h, --help           print this text\n"
        "\n"
        "Without URLs and files, standard input is read. Standard output has\n"
        "a line for each page, in the order of their ends; standard error a\n"
        "table meanwhile, if it is a terminal, and a summary at the end.\n"
        "Ctrl-C gives up what is left.\n"
        "\n"
        "Exit status: 0; 1 if a page failed or input was bad; 2 if the\n"
        "command line is wrong; 130 after Ctrl-C.\n",
        stdout);
}

static bool
wrong(const char *option, const char *value, const char *what)
{
    fprintf(stderr, "async_http: %s %s: %s\n", option, value, what);
    fputs("Try: async_http --help\n", stderr);
    return false;
}

static bool
parse_number(const char *text, int least, int most, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end || errno || n < least || n > most)
        return false;
    *out = (int)n;
    return true;
}

static bool
set_executor(options *opts, const char *name)
{
    opts->threads = strcmp(name, "threads") == 0;
    return opts->threads || strcmp(name, "loop") == 0 ||
           wrong("--executor", name, "not loop or threads");
}

static bool
set_option(options *opts, int name, const char *value)
{
    switch (name) {
    case 'e':
        return set_executor(opts, value);
    case 'f':
        opts->sources[opts->source_count++] = (source){value, true};
        return true;
    case 'j':
        return parse_number(value, 1, JOBS_MOST, &opts->jobs) ||
               wrong("--jobs", value, "not 1 to 10000");
    case 'r':
        return parse_number(value, 0, RETRIES_MOST, &opts->retries) ||
               wrong("--retries", value, "not 0 to 20");
    case 't':
        return parse_duration(value, &opts->timeout_ns) ||
               wrong("--timeout", value, "not 1ms to 1440m");
    case 'h':
        opts->help = true;
        return true;
    default: /* getopt has said what is wrong */
        fputs("Try: async_http --help\n", stderr);
        return false;
    }
}

bool
options_parse(options *opts, int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"file", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"retries", required_argument, NULL, 'r'},
        {"timeout", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    *opts = (options){.jobs = 50, .timeout_ns = 10 * second_ns};
    opts->sources = calloc((size_t)argc + 1, sizeof *opts->sources);
    if (!opts->sources) {
        fputs("async_http: no memory\n", stderr);
        return false;
    }
    /* -: an argument comes as option 1, in its place among the files. */
    for (int c;
         (c = getopt_long(argc, argv, "-e:f:j:r:t:h", names, NULL)) != -1;) {
        if (c == 1)
            opts->sources[opts->source_count++] = (source){optarg, false};
        else if (!set_option(opts, c, optarg))
            return false;
    }
    while (optind < argc) /* after -- */
        opts->sources[opts->source_count++] = (source){argv[optind++], false};
    if (!opts->source_count)
        opts->sources[opts->source_count++] = (source){"-", true};
    return true;
}

void
options_fini(options *opts)
{
    free(opts->sources);
    *opts = (options){0};
}
