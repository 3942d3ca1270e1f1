/* SPDX-License-Identifier: MIT */
/*
 * thumbnails: makes small pictures of large ones, in parallel. Decoders are
 * many lines of C that read what strangers have written: in worker processes,
 * the file that crashes one costs a line of the report, and nothing else.
 */
#include "list.h"
#include "options.h"
#include "thumbnail.h"

#include "../common/batch.h"
#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/output.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { AHEAD = 4 }; /* pictures for each worker */

struct work {
    cf_executor *ex;
    const struct options *options;
    struct list *list;
    size_t made; /* thumbnails */
};

static size_t
memory_of(const struct options *o)
{
    return (size_t)o->memory_mib << 20;
}

/* --- the batch ------------------------------------------------------------ */

static cf_err
submit_picture(void *data, size_t index, cf_future **out)
{
    const struct work *work = data;
    struct picture *picture = &work->list->pictures[index];
    struct request request = {.path = picture->path,
                              .size = (size_t)work->options->size,
                              .memory = memory_of(work->options)};
    cf_task task = CF_TASK(.fn = make_thumbnail,
                           .arg = &request,
                           .arg_size = sizeof request,
                           .timeout_ns = work->options->timeout_ns,
                           .user_data = picture);
    return cf_submit_task(work->ex, &task, out);
}

/* Makes the folders that a path needs. What fails, the open of the file tells.
 */
static void
make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0777);
        *at = '/';
    }
}

static bool
write_thumbnail(const struct picture *picture, cf_bytes bytes)
{
    struct output output;
    make_folders(picture->target);
    if (!output_open(&output, "thumbnails", picture->target))
        return false;
    (void)fwrite(bytes.data, 1, bytes.size, output.file);
    return output_finish(&output);
}

static cf_err
take_thumbnail(void *data, cf_future *f)
{
    struct work *work = data;
    const struct picture *picture = cf_future_user_data(f);
    cf_bytes bytes;
    bool made = cf_future_result(f, 0, &bytes) == CF_OK;
    if (!made)
        batch_complain("thumbnails", picture->path, cf_future_message(f));
    else
        made = write_thumbnail(picture, bytes);
    work->made += made;
    work->list->errors += !made;
    return CF_OK;
}

/* --- the program ---------------------------------------------------------- */

/* As open_executor(): worker processes have a limit of memory. */
static int
open_pool(const struct options *o, cf_executor **out)
{
    static const char name[] = "processes";
    const size_t length = strlen(name);
    const char *spec = o->executor;
    cf_process_pool_options options =
        CF_PROCESS_POOL_OPTIONS(.memory_limit = memory_of(o));
    long workers = 0;
    if (strncmp(spec, name, length) != 0 ||
        (spec[length] && spec[length] != ':'))
        return open_executor("thumbnails", spec, out);
    if (spec[length] && !parse_number("thumbnails",
                                      "--executor processes:",
                                      spec + length + 1,
                                      1,
                                      1024,
                                      &workers))
        return WRONG_USAGE;
    options.max_workers = (int)workers;
    cf_err err = cf_process_pool_create(&options, out);
    if (err)
        fprintf(stderr, "thumbnails: %s: %s\n", spec, cf_strerror(err));
    return err ? EXIT_FAILURE : 0;
}

static int
run(const struct options *o, struct list *list)
{
    struct work work = {.options = o, .list = list};
    int ctrl_c = ctrl_c_open("thumbnails");
    if (ctrl_c < 0)
        return EXIT_FAILURE;
    int status = open_pool(o, &work.ex);
    if (status)
        return status;
    cf_err err = batch_run(&(struct batch){.ex = work.ex,
                                           .ctrl_c = ctrl_c,
                                           .unit = "pictures",
                                           .count = list->count,
                                           .ahead = AHEAD,
                                           .submit = submit_picture,
                                           .take = take_thumbnail,
                                           .data = &work});
    if (err && err != CF_EINTERRUPTED)
        fprintf(stderr, "thumbnails: %s\n", cf_strerror(err));
    cf_executor_destroy(work.ex);
    printf("%zu thumbnails in %s, %zu errors\n",
           work.made,
           o->output,
           list->errors);
    if (err == CF_EINTERRUPTED)
        return STOPPED;
    return err || list->errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct options options;
    struct list list = {0};
    bool memory = true;
    int status = EXIT_FAILURE;
    if (!options_parse(&options, argc, argv)) {
        fputs("Try 'thumbnails --help'.\n", stderr);
        return WRONG_USAGE;
    }
    if (options.help) {
        options_help();
        return EXIT_SUCCESS;
    }
    list.output = options.output;
    for (int i = optind; i < argc && memory; i++)
        memory = list_add(&list, argv[i]);
    list_check(&list, options.replace);
    if (memory)
        status = run(&options, &list); /* its worker processes know the list */
    else
        fputs("thumbnails: out of memory\n", stderr);
    list_fini(&list);
    return status;
}
