/* SPDX-License-Identifier: MIT */
/*
 * pgzip: gzip in parallel. What it writes is one gzip file, as gzip would: its
 * blocks are compressed at once, each with what comes before it as dictionary.
 */
#define _GNU_SOURCE
#include "compress.h"

#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    const char *executor;
    long level;
    bool force, to_stdout, help;
};

static void
print_help(void)
{
    fputs(
        "usage: pgzip [options] [file]...\n"
        "\n"
        "Compresses each file to FILE.gz, in parallel, and keeps it. Without "
        "files,\nand for -, standard input to standard output.\n"
        "\n"
        "  -1 ... -9              faster ... smaller (6)\n"
        "  -c, --stdout           write to standard output\n"
        "  -f, --force            replace files that are there\n"
        "  -e, --executor SPEC    threads (one per CPU; the default),\n"
        "                         threads:N, processes, processes:N, inline\n"
        "  -h, --help             print this text\n"
        "\n"
        "A file that cannot be compressed is reported, and the rest is done.\n"
        "Exit status: 0; 1 if there was one; 2 if the command line is wrong;\n"
        "130 after Ctrl-C: no FILE.gz is left half written.\n",
        stdout);
}

static bool
options_parse(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"stdout", no_argument, NULL, 'c'},
        {NULL, 0, NULL, 0}};
    int option;
    *o = (struct options){.executor = "threads", .level = 6};
    while ((option = getopt_long(argc, argv, "123456789ce:fh", names, NULL)) !=
           -1) {
        if (option >= '1' && option <= '9')
            o->level = option - '0';
        else if (option == 'c')
            o->to_stdout = true;
        else if (option == 'e')
            o->executor = optarg;
        else if (option == 'f')
            o->force = true;
        else if (option == 'h')
            o->help = true;
        else
            return false;
    }
    return true;
}

/* --- files ---------------------------------------------------------------- */

static bool
complain(const char *path, const char *why)
{
    fprintf(stderr, "pgzip: %s: %s\n", path, why);
    return false;
}

/* false, after a sentence: it is left out. */
static bool
open_source(const char *path, struct source *from, struct stat *status)
{
    size_t length = strlen(path);
    *from = (struct source){.path = path, .fd = STDIN_FILENO};
    if (strcmp(path, "-") == 0) {
        from->path = "standard input";
        return fstat(STDIN_FILENO, status) == 0 ||
               complain(path, strerror(errno));
    }
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0)
        return complain(path, "is compressed already, by its name");
    from->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (from->fd < 0)
        return complain(path, strerror(errno));
    if (fstat(from->fd, status) || !S_ISREG(status->st_mode)) {
        (void)close(from->fd);
        return complain(path, "is no regular file");
    }
    from->name = basename(path);
    from->size = status->st_size;
    from->time = (uint32_t)status->st_mtime;
    return true;
}

/* Opens where it is written to. */
static bool
open_target(const char *path, const struct options *o, struct output *output)
{
    if (o->to_stdout || strcmp(path, "-") == 0)
        return output_open(output, "pgzip", "-");
    char *target = NULL;
    if (asprintf(&target, "%s.gz", path) < 0)
        return complain(path, strerror(ENOMEM));
    bool free_place = o->force || access(target, F_OK) != 0;
    bool opened = free_place ? output_open(output, "pgzip", target)
                             : complain(target, "is there already");
    if (opened)
        output->keep = !o->force;
    else
        free(target);
    return opened;
}

/* As the file: its mode and its time. */
static void
copy_status(const struct output *output, const struct stat *status)
{
    if (!output->path)
        return;
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    (void)fchmod(fileno(output->file), status->st_mode & 0777);
    (void)fflush(output->file);
    (void)futimens(fileno(output->file), times);
}

/* 0, or an exit status. */
static int
compress(const struct work *work, const struct options *o, const char *path)
{
    struct source from;
    struct output output;
    struct stat status;
    int result = EXIT_FAILURE;
    if (!open_source(path, &from, &status))
        return EXIT_FAILURE;
    if (open_target(path, o, &output)) {
        const char *target = output.path;
        cf_err err = compress_file(work, &from, output.file);
        if (err) {
            output_abandon(&output);
            result = err == CF_EINTERRUPTED ? STOPPED : EXIT_FAILURE;
        } else {
            copy_status(&output, &status);
            result = output_finish(&output) ? 0 : EXIT_FAILURE;
        }
        free((void *)target);
    }
    if (from.fd != STDIN_FILENO)
        (void)close(from.fd);
    return result;
}

int
main(int argc, char **argv)
{
    struct options options;
    char *none[] = {(char[]){"-"}, NULL};
    struct work work = {0};
    if (!options_parse(&options, argc, argv)) {
        fputs("Try 'pgzip --help'.\n", stderr);
        return WRONG_USAGE;
    }
    if (options.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    work.ctrl_c = ctrl_c_open("pgzip");
    if (work.ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("pgzip", options.executor, &work.ex);
    if (status)
        return status;
    work.level = (int)options.level;
    work.progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    char **files = optind < argc ? argv + optind : none;
    for (; *files && status != STOPPED; files++) {
        int failed = compress(&work, &options, *files);
        status = failed ? failed : status;
    }
    cf_executor_destroy(work.ex);
    return status;
}
