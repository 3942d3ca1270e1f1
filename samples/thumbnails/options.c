/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/command_line.h"
#include "../common/duration.h"

#include <cfutures/cfutures.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { SIZE_MOST = 4096, MEMORY_MOST = 1 << 20 };

void
options_help(void)
{
    fputs("usage: thumbnails [options] path...\n"
          "\n"
          "Makes thumbnails of JPEG and PNG files, in parallel: of each file,\n"
          "and of all below each folder. They have the names of the files.\n"
          "\n"
          "  -o, --output DIR     the folder for them (thumbnails)\n"
          "  -s, --size N         pixels of the longer side (256)\n"
          "  -f, --force          replace files that are there\n"
          "  -e, --executor SPEC  processes (one per CPU; the default),\n"
          "                       processes:N, threads, threads:N, inline\n"
          "  -m, --memory MIB     for a picture, at most (1024)\n"
          "  -t, --timeout TIME   for a picture, as 500ms, 1.5s, 2m (1m)\n"
          "  -h, --help           print this text\n"
          "\n"
          "A file of which there can be none is reported, and the rest is "
          "done.\nIn worker processes that is also one whose decoder crashes, "
          "takes too\nlong or too much memory. In threads a crash ends the "
          "program, and a\ndecoder that takes too long is waited for.\n"
          "Exit status: 0; 1 if there was such a file; 2 if the command line\n"
          "is wrong; 130 after Ctrl-C: no thumbnail is left half written.\n",
          stdout);
}

static bool
wrong(const char *what)
{
    fprintf(stderr, "thumbnails: %s\n", what);
    return false;
}

static bool
set_option(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'e':
        o->executor = value;
        return true;
    case 'f':
        o->replace = true;
        return true;
    case 'h':
        o->help = true;
        return true;
    case 'm':
        return parse_number(
            "thumbnails", "--memory", value, 1, MEMORY_MOST, &o->memory_mib);
    case 'o':
        o->output = value;
        return *value ? true : wrong("--output: no name");
    case 's':
        return parse_number(
            "thumbnails", "--size", value, 1, SIZE_MOST, &o->size);
    case 't':
        return parse_duration(value, &o->timeout_ns)
                   ? true
                   : wrong("--timeout: not a time, such as 1.5s");
    default: /* getopt_long() has said why */
        return false;
    }
}

bool
options_parse(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"memory", required_argument, NULL, 'm'},
        {"output", required_argument, NULL, 'o'},
        {"size", required_argument, NULL, 's'},
        {"timeout", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0}};
    const bool has_processes = strstr(cf_executor_specs(), "processes");
    int option;
    *o = (struct options){.executor = has_processes ? "processes" : "threads",
                          .output = "thumbnails",
                          .size = 256,
                          .memory_mib = 1024,
                          .timeout_ns = CF_SECONDS(60)};
    while ((option = getopt_long(argc, argv, "e:fhm:o:s:t:", names, NULL)) !=
           -1)
        if (!set_option(o, option, optarg))
            return false;
    return o->help || optind < argc ? true : wrong("give a file or a folder");
}
