/* SPDX-License-Identifier: MIT */
/*
 * fetch: files from the web, many at once, on the executor of one's choice. No
 * host is asked for more than a few at a time.
 */
#include "download.h"
#include "options.h"
#include "queue.h"

#include "../common/batch.h"
#include "../common/command_line.h"
#include "../common/ctrl_c.h"
#include "../common/executor.h"
#include "../common/urls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct work {
    const struct options *options;
    struct queue queue;
    cf_executor *ex;
    size_t failed; /* files that have not come */
    int error;     /* an errno: standard output cannot be written */
};

/* --- a job ---------------------------------------------------------------- */

/* false, after a sentence: there is no place for the file. */
static bool
open_output(struct work *work, struct job *job)
{
    if (!work->options->force && access(job->path, F_OK) == 0)
        batch_complain("fetch", job->path, "is there already");
    else
        job->is_running = output_open(&job->output, "fetch", job->path);
    if (job->is_running)
        job->output.keep = !work->options->force;
    return job->is_running;
}

static cf_err
submit_job(struct work *work, struct job *job, cf_future **out)
{
    size_t size;
    struct download *download = download_create(
        &work->options->limits, job->url, job->output.temporary, &size);
    if (!download)
        return CF_ENOMEM;
    cf_task task = CF_TASK(.fn = download_file,
                           .arg = download,
                           .arg_size = size,
                           .user_data = job);
    cf_err err = cf_submit_task(work->ex, &task, out);
    free(download);
    return err;
}

/* In place of a task: nothing is done, and so it is at once. */
static cf_err
skip_job(cf_future **out)
{
    cf_err err = cf_future_create(out);
    return err ? err : cf_future_set_result(*out, NULL, 0);
}

/* The submit of the batch. */
static cf_err
submit_next(void *data, size_t index, cf_future **out)
{
    struct work *work = data;
    struct job *job = queue_next(&work->queue);
    (void)index;
    if (!job)
        return CF_EAGAIN;
    if (open_output(work, job))
        return submit_job(work, job, out);
    queue_done(&work->queue, job);
    work->failed++;
    return skip_job(out);
}

static void
print_result(const struct job *job, const struct downloaded *result)
{
    char text[TRANSFER_WHY];
    if (transfer_is_good(&result->transfer))
        printf("%s: %" PRIu64 " bytes, %s", job->url, result->bytes, job->path);
    else
        printf(
            "%s: failed: %s", job->url, transfer_why(&result->transfer, text));
    if (result->transfer.tries > 1)
        printf(", %d tries", result->transfer.tries);
    (void)putchar('\n');
}

/* The take of the batch. */
static cf_err
take_result(void *data, cf_future *f)
{
    struct work *work = data;
    struct job *job = cf_future_user_data(f);
    cf_bytes bytes;
    if (!job) /* it was skipped */
        return CF_OK;
    queue_done(&work->queue, job);
    job->is_running = false;
    if (isatty(STDOUT_FILENO))
        batch_clear();
    bool good = false, kept = false;
    if (cf_future_result(f, 0, &bytes) == CF_OK) {
        const struct downloaded *result = bytes.data;
        good = transfer_is_good(&result->transfer);
        kept = good && output_finish(&job->output); /* else it says why */
        if (kept || !good)
            print_result(job, result);
    } else {
        printf("%s: failed: %s\n", job->url, cf_future_message(f));
    }
    if (!good)
        output_abandon(&job->output);
    work->failed += !kept;
    if (fflush(stdout) == 0)
        return CF_OK;
    work->error = errno;
    return CF_ESYS;
}

/* --- all of them ---------------------------------------------------------- */

/* What was under way leaves no file behind. */
static void
abandon_rest(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        if (queue->jobs[i].is_running)
            output_abandon(&queue->jobs[i].output);
}

/* CF_OK, or an error after a sentence, but for CF_EINTERRUPTED: Ctrl-C. */
static cf_err
fetch_all(struct work *work, int ctrl_c)
{
    bool is_loop = strcmp(cf_executor_name(work->ex), "event_loop") == 0;
    const struct batch batch = {.ex = work->ex,
                                .ctrl_c = ctrl_c,
                                .unit = "files",
                                .count = work->queue.count,
                                .ahead =
                                    is_loop ? (size_t)work->options->jobs : 1,
                                .submit = submit_next,
                                .take = take_result,
                                .data = work};
    cf_err err = batch_run(&batch);
    cf_executor_destroy(work->ex); /* now no task writes any more */
    abandon_rest(&work->queue);
    if (work->error)
        fprintf(stderr, "fetch: standard output: %s\n", strerror(work->error));
    else if (err && err != CF_EINTERRUPTED)
        fprintf(stderr, "fetch: %s\n", cf_strerror(err));
    return err;
}

static bool
read_urls(const struct options *o, struct urls *urls)
{
    bool memory = true;
    for (size_t i = 0; i < o->input_count && memory; i++)
        memory = urls_add_file(urls, o->inputs[i]);
    for (size_t i = 0; o->urls[i] && memory; i++)
        memory = urls_add(urls, o->urls[i], i + 1);
    return memory;
}

static bool
fill_queue(struct work *work, const struct urls *urls)
{
    bool memory = true;
    for (size_t i = 0; i < urls->count && memory; i++)
        memory = queue_add(&work->queue, urls->list[i], work->options->folder);
    work->queue.per_host = (size_t)work->options->per_host;
    return memory && queue_begin(&work->queue);
}

static int
run(const struct options *o)
{
    struct work work = {.options = o};
    struct urls urls = {.program = "fetch"};
    int ctrl_c = ctrl_c_open("fetch"), status = EXIT_FAILURE;
    if (ctrl_c < 0)
        return EXIT_FAILURE;
    if (!read_urls(o, &urls) || !fill_queue(&work, &urls)) {
        fputs("fetch: out of memory\n", stderr);
    } else {
        status = open_executor("fetch", o->executor, &work.ex);
        cf_err err = status ? CF_OK : fetch_all(&work, ctrl_c);
        if (err)
            status = err == CF_EINTERRUPTED ? STOPPED : EXIT_FAILURE;
        else if (work.failed || urls.errors)
            status = status ? status : EXIT_FAILURE;
    }
    queue_fini(&work.queue);
    urls_fini(&urls);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(&options, argc, argv);
    if (status) {
        options_fini(&options);
        return status;
    }
    if (options.help) {
        options_help();
    } else if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        fputs("fetch: libcurl does not work\n", stderr);
        status = EXIT_FAILURE;
    } else {
        allow_descriptors(); /* three for each job */
        status = run(&options);
        curl_global_cleanup();
    }
    options_fini(&options);
    return status;
}
