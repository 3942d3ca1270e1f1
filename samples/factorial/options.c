/* SPDX-License-Identifier: MIT */
/*
 * Parses the command line by hand and not with getopt_long(), which would
 * take the number -5 for an option; here it is bad input like any other.
 */
#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is left of the command line. */
typedef struct arguments {
    char **next; /* ends with NULL, as argv does */
    bool no_more_options;
} arguments;

void
options_help(void)
{
    fputs("usage: factorial [options] [number | first-last | file]...\n"
          "\n"
          "Computes exact factorials in parallel and prints one line for each:"
          "\nthe number, a space, and what --print asks for.\n"
          "\n"
          "  -e, --executor SPEC  threads (one per CPU; the default),\n"
          "                       threads:N, processes, processes:N, or\n"
          "                       inline (no parallelism)\n"
          "  -f, --file FILE      read numbers from FILE; - is standard input\n"
          "  -o, --order ORDER    submitted (the default): as in the input;\n"
          "                       completed: as they become ready\n"
          "  -p, --print WHAT     value (the default), digits (how many), or\n"
          "                       checksum (FNV-1a, 64 bits, of the value's\n"
          "                       bytes, the most significant first)\n"
          "  -h, --help           print this text\n"
          "\n"
          "Numbers go from 0 to 10000000. In a file there may be several in\n"
          "a line, and # starts a comment. An argument that is no number but\n"
          "the name of a file is read as one. Without arguments, standard\n"
          "input is read.\n"
          "\n"
          "The report on standard error ends with the sum of all checksums\n"
          "modulo 2^64, which does not depend on the order.\n"
          "\n"
          "Exit status: 0; 1 if input was bad or a result is missing; 2 if\n"
          "the command line is wrong.\n",
          stdout);
}

static bool
usage_error(const char *option, const char *value, const char *what)
{
    fprintf(stderr,
            "factorial: %s%s%s%s: %s\n",
            option,
            value != NULL ? ": '" : "",
            value != NULL ? value : "",
            value != NULL ? "'" : "",
            what);
    fputs("Try 'factorial --help'.\n", stderr);
    return false;
}

static void
add_source(options *opts, const char *text, bool is_file)
{
    opts->sources[opts->source_count++] = (source){text, is_file};
}

static bool
set_option(options *opts, char name, const char *value)
{
    static const char *const prints[] = {"value", "digits", "checksum"};
    switch (name) {
    case 'e':
        opts->executor = value;
        return true;
    case 'f':
        add_source(opts, value, true);
        return true;
    case 'o':
        opts->as_completed = strcmp(value, "completed") == 0;
        if (opts->as_completed || strcmp(value, "submitted") == 0)
            return true;
        return usage_error("--order", value, "not submitted or completed");
    default:
        for (unsigned i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
            if (strcmp(value, prints[i]) == 0) {
                opts->print = (print_mode)i;
                return true;
            }
        }
        return usage_error("--print", value, "not value, digits or checksum");
    }
}

/* One argument that starts with '-': --name value, --name=value, -n value or
 * -nvalue. */
static bool
parse_option(options *opts, arguments *args, const char *arg)
{
    static const char *const names[] = {
        "--executor", "--file", "--order", "--print"};
    const char *value = NULL;
    char name = '\0';
    if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0) {
        opts->help = true;
        return true;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);
        if (arg[1] == names[i][2])
            value = arg + 2;
        else if (strncmp(arg, names[i], length) == 0 &&
                 (arg[length] == '=' || arg[length] == '\0'))
            value = arg + length;
        else
            continue;
        name = names[i][2];
        break;
    }
    if (name == '\0')
        return usage_error(arg, NULL, "no such option");
    if (*value == '\0') {
        value = *args->next;
        if (value == NULL)
            return usage_error(arg, NULL, "needs a value");
        args->next++;
    } else if (*value == '=' && arg[1] == '-') {
        value++;
    }
    return set_option(opts, name, value);
}

/* A number wins over a file of that name; what is neither is bad input. */
static bool
names_a_file(const char *arg)
{
    bool number = isdigit((unsigned char)arg[arg[0] == '-']) != 0;
    return strcmp(arg, "-") == 0 || (!number && access(arg, F_OK) == 0);
}

bool
options_parse(options *opts, int argc, char **argv)
{
    arguments args = {argv + (argc > 0), false};
    *opts = (options){.executor = "threads", .print = PRINT_VALUE};
    opts->sources = calloc((size_t)argc + 1, sizeof(opts->sources[0]));
    if (opts->sources == NULL)
        return usage_error("start", NULL, "no memory");
    while (*args.next != NULL) {
        const char *arg = *args.next++;
        bool option = !args.no_more_options && arg[0] == '-' &&
                      arg[1] != '\0' && !isdigit((unsigned char)arg[1]);
        if (!option)
            add_source(opts, arg, names_a_file(arg));
        else if (strcmp(arg, "--") == 0)
            args.no_more_options = true;
        else if (!parse_option(opts, &args, arg))
            return false;
    }
    if (opts->source_count == 0)
        add_source(opts, "-", true);
    return true;
}

void
options_fini(options *opts)
{
    free(opts->sources);
    *opts = (options){0};
}
