/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/command_line.h"
#include "../common/duration.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

void
options_help(void)
{
    fputs(
        "usage: fetch [options] [URL]...\n"
        "\n"
        "Fetches files from the web. Each has the name in which its URL ends.\n"
        "\n"
        "  -i, --input FILE      read URLs from FILE, one in a line; - is\n"
        "                        standard input. Lines that begin with # are\n"
        "                        comments\n"
        "  -o, --output FOLDER   where files go (.)\n"
        "  -f, --force           replace files that are there\n"
        "  -n, --per-host N      at most so many at once from a host, 1 to "
        "100\n"
        "                        (4)\n"
        "  -j, --jobs N          so many at once in an event loop, 1 to 10000\n"
        "                        (50); elsewhere the workers decide\n"
        "  -t, --timeout TIME    for each try: 500ms, 2s, 1m (1m)\n"
        "  -r, --retries N       try again N times, 0 to 20, after a "
        "time-out,\n"
        "                        a broken connection, or a status from 500 "
        "(2)\n"
        "  -e, --executor SPEC   loop (all in one thread; the default),\n"
        "                        threads:N, processes:N, inline\n"
        "  -h, --help            print this text\n"
        "\n"
        "Standard output has a line for each file, in the order of their "
        "ends.\n"
        "Exit status: 0; 1 if a file did not come or a URL is none; 2 if the\n"
        "command line is wrong; 130 after Ctrl-C, which the inline executor\n"
        "sees between two files. A file is there as a whole or not at all.\n",
        stdout);
}

static bool
set_option(struct options *o, int name, const char *value)
{
    long retries;
    switch (name) {
    case 'e':
        o->executor = value;
        return true;
    case 'f':
        o->force = true;
        return true;
    case 'i':
        o->inputs[o->input_count++] = value;
        return true;
    case 'h':
        o->help = true;
        return true;
    case 'j':
        return parse_number("fetch", "--jobs", value, 1, 10000, &o->jobs);
    case 'n':
        return parse_number("fetch", "--per-host", value, 1, 100, &o->per_host);
    case 'o':
        o->folder = value;
        return true;
    case 'r':
        if (!parse_number("fetch", "--retries", value, 0, 20, &retries))
            return false;
        o->limits.retries = (int)retries;
        return true;
    case 't':
        if (parse_duration(value, &o->limits.timeout_ns))
            return true;
        fprintf(stderr, "fetch: --timeout %s: not 1ms to 1440m\n", value);
        return false;
    default: /* getopt has said what is wrong */
        return false;
    }
}

int
options_parse(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"input", required_argument, NULL, 'i'},
        {"jobs", required_argument, NULL, 'j'},
        {"output", required_argument, NULL, 'o'},
        {"per-host", required_argument, NULL, 'n'},
        {"retries", required_argument, NULL, 'r'},
        {"timeout", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0}};
    *o = (struct options){.executor = "loop",
                          .folder = ".",
                          .limits = {CF_SECONDS(60), 2},
                          .jobs = 50,
                          .per_host = 4};
    o->inputs = calloc((size_t)argc + 1, sizeof *o->inputs);
    if (!o->inputs) {
        fputs("fetch: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    for (int c; (c = getopt_long(
                     argc, argv, "e:fhi:j:n:o:r:t:", names, NULL)) != -1;) {
        if (!set_option(o, c, optarg)) {
            fputs("Try 'fetch --help'.\n", stderr);
            return WRONG_USAGE;
        }
    }
    o->urls = argv + optind;
    if (!*o->urls && !o->input_count)
        o->inputs[o->input_count++] = "-";
    return 0;
}

void
options_fini(struct options *o)
{
    free(o->inputs);
}
