/* SPDX-License-Identifier: MIT */
/*
 * sumtree: the SHA-256 of all files below some folders, in parallel, as
 * sha256sum prints them. Each file is a task; the large ones come first, so
 * that none is left alone at the end.
 */
#include "sum.h"

#include "../common/batch.h"
#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 32 }; /* tasks for each worker */

static void
print_help(void)
{
    fputs("usage: sumtree [options] [path]...\n"
          "\n"
          "Prints the SHA-256 of each file below the paths, or below the\n"
          "current folder, sorted by name: sha256sum -c reads that. Symbolic\n"
          "links are not followed.\n"
          "\n"
          "  -e, --executor SPEC  threads (one per CPU; the default),\n"
          "                       threads:N, processes, processes:N, inline\n"
          "  -o, --output FILE    - is standard output, the default\n"
          "  -h, --help           print this text\n"
          "\n"
          "What cannot be read is reported and left out. Exit status: 0; 1 if\n"
          "there was such a file; 2 if the command line is wrong; 130 after\n"
          "Ctrl-C: then nothing is written.\n",
          stdout);
}

/* --- summing -------------------------------------------------------------- */

struct work {
    cf_executor *ex;
    struct tree *tree;
};

static cf_err
submit_file(void *data, size_t index, cf_future **out)
{
    const struct work *work = data;
    struct file *file = &work->tree->files[index];
    cf_task task = CF_TASK(.fn = sum_file, .arg = file, .user_data = file);
    return cf_submit_task(work->ex, &task, out);
}

static cf_err
take_sum(void *data, cf_future *f)
{
    const struct work *work = data;
    struct file *file = cf_future_user_data(f);
    cf_bytes sum;
    if (cf_future_result(f, 0, &sum) == CF_OK) {
        memcpy(file->sum, sum.data, sizeof file->sum);
        file->summed = true;
    } else {
        batch_complain("sumtree", file->path, cf_future_message(f));
        work->tree->errors++;
    }
    return CF_OK;
}

/* --- output --------------------------------------------------------------- */

/* As sha256sum: a name with a line feed or a backslash is escaped, and its line
 * begins with a backslash. */
static void
print_sum(const struct file *file, FILE *out)
{
    bool escaped = strpbrk(file->path, "\n\r\\") != NULL;
    if (escaped)
        (void)putc('\\', out);
    for (int i = 0; i < DIGEST; i++)
        fprintf(out, "%02x", file->sum[i]);
    fputs("  ", out);
    for (const char *at = file->path; *at; at++) {
        if (*at == '\n')
            fputs("\\n", out);
        else if (*at == '\r')
            fputs("\\r", out);
        else if (*at == '\\')
            fputs("\\\\", out);
        else
            (void)putc(*at, out);
    }
    (void)putc('\n', out);
}

static int
write_all(struct tree *tree, const char *path)
{
    struct output output;
    tree_sort_by_path(tree);
    if (!output_open(&output, "sumtree", path))
        return EXIT_FAILURE;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->files[i].summed)
            print_sum(&tree->files[i], output.file);
    return output_finish(&output) && !tree->errors ? EXIT_SUCCESS
                                                   : EXIT_FAILURE;
}

/* The tree is complete: a worker process has what was there when its pool was
 * made. */
static int
run(const char *spec, const char *path, struct tree *tree)
{
    struct work work = {.tree = tree};
    int ctrl_c = ctrl_c_open("sumtree");
    if (ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("sumtree", spec, &work.ex);
    if (status)
        return status;
    cf_err err = batch_run(&(struct batch){.ex = work.ex,
                                           .ctrl_c = ctrl_c,
                                           .unit = "files",
                                           .count = tree->count,
                                           .ahead = AHEAD,
                                           .submit = submit_file,
                                           .take = take_sum,
                                           .data = &work});
    if (err && err != CF_EINTERRUPTED)
        fprintf(stderr, "sumtree: %s\n", cf_strerror(err));
    cf_executor_destroy(work.ex);
    if (err)
        return err == CF_EINTERRUPTED ? STOPPED : EXIT_FAILURE;
    return write_all(tree, path);
}

int
main(int argc, char **argv)
{
    static const struct option names[] = {
        {"executor", required_argument, NULL, 'e'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *spec = "threads", *path = "-";
    struct tree tree = {0};
    bool memory = true;
    int option;
    while ((option = getopt_long(argc, argv, "e:o:h", names, NULL)) != -1) {
        if (option == 'e') {
            spec = optarg;
        } else if (option == 'o') {
            path = optarg;
        } else if (option == 'h') {
            print_help();
            return EXIT_SUCCESS;
        } else {
            fputs("Try 'sumtree --help'.\n", stderr);
            return WRONG_USAGE;
        }
    }
    if (optind == argc)
        memory = tree_add(&tree, ".");
    for (int i = optind; i < argc && memory; i++)
        memory = tree_add(&tree, argv[i]);
    int status = EXIT_FAILURE;
    tree_sort_by_size(&tree);
    if (memory)
        status = run(spec, path, &tree);
    else
        fputs("sumtree: out of memory\n", stderr);
    tree_fini(&tree);
    return status;
}
