/* SPDX-License-Identifier: MIT */
/*
 * sumtree: the SHA-256 of all files below some folders, in parallel, as
 * sha256sum prints them. Each file is a task; the large ones come first, so
 * that none is left alone at the end.
 */
#include "sum.h"

#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    int ctrl_c;
    struct tree *tree;
    cf_as_completed *it;    /* what has been submitted */
    size_t submitted, done; /* files */
};

static cf_err
submit_next(struct work *work)
{
    struct file *file = &work->tree->files[work->submitted];
    cf_task task = CF_TASK(.fn = sum_file, .arg = file, .user_data = file);
    cf_future *f;
    cf_err err = cf_submit_task(work->ex, &task, &f);
    if (err)
        return err;
    work->submitted++;
    err = cf_as_completed_add(work->it, f);
    cf_future_unref(f); /* the iterator has a handle */
    return err;
}

static cf_err
take_next(struct work *work)
{
    cf_future *f;
    cf_bytes sum;
    cf_err err = ctrl_c_or_next(work->ctrl_c, work->it, CF_FOREVER, &f);
    if (err)
        return err;
    struct file *file = cf_future_user_data(f);
    work->done++;
    if (cf_future_result(f, 0, &sum) == CF_OK) {
        memcpy(file->sum, sum.data, sizeof file->sum);
        file->summed = true;
    } else {
        fprintf(stderr, "sumtree: %s: %s\n", file->path, cf_future_message(f));
        work->tree->errors++;
    }
    return CF_OK;
}

static void
show_progress(const struct work *work, bool over)
{
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    if (!over)
        fprintf(stderr, "%zu/%zu files", work->done, work->tree->count);
    (void)fflush(stderr);
}

/* CF_EINTERRUPTED: Ctrl-C. */
static cf_err
sum_all(struct work *work)
{
    const size_t most = AHEAD * (size_t)cf_executor_max_workers(work->ex);
    cf_err err = cf_as_completed_create(NULL, 0, &work->it);
    if (err)
        return err;
    while (!err && work->done < work->tree->count) {
        if (work->done % 64 == 0)
            show_progress(work, false);
        if (work->submitted < work->tree->count &&
            work->submitted - work->done < most)
            err = submit_next(work);
        else
            err = take_next(work);
    }
    show_progress(work, true);
    cf_as_completed_destroy(work->it);
    if (err) /* what runs is told to stop */
        (void)cf_executor_terminate(work->ex, SIGTERM);
    return err;
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
    struct work work = {.tree = tree, .ctrl_c = ctrl_c_open("sumtree")};
    if (work.ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_executor("sumtree", spec, &work.ex);
    if (status)
        return status;
    cf_err err = sum_all(&work);
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
