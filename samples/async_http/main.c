/* SPDX-License-Identifier: MIT */
/*
 * async_http: fetches pages, many at once, in one thread. From the command line
 * to the exit status.
 */
#include "fetch.h"
#include "options.h"
#include "report.h"
#include "table.h"

#include "../common/urls.h"

#include <cfutures/cfutures.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INTERRUPTED = 130 };

static volatile sig_atomic_t interrupted;

/* The second Ctrl-C ends the program at once. */
static void
on_interrupt(int signo)
{
    (void)signo;
    interrupted = 1;
}

static cf_executor *
open_executor(const options *opts)
{
    char spec[32] = "loop";
    cf_executor *ex = NULL;
    if (opts->threads)
        snprintf(spec, sizeof spec, "threads:%d", opts->jobs);
    cf_err err = cf_executor_open(spec, &ex);
    if (err)
        fprintf(stderr, "async_http: %s: %s\n", spec, cf_strerror(err));
    return ex;
}

/* Hands out results as they come, until all are out or Ctrl-C. */
static cf_err
collect(cf_results *results,
        const struct urls *urls,
        table *t,
        report *r,
        const fetch_common *common)
{
    while (!interrupted) {
        cf_bytes bytes;
        cf_err err = cf_results_next(results, CF_MS(100), &bytes);
        if (err == CF_EDONE)
            return CF_OK;
        if (err != CF_ETIMEDOUT) {
            const cf_error *error = cf_results_error(results);
            fetch_result result;
            if (err && !error)
                return err; /* the iteration itself */
            if (!err)
                memcpy(&result, bytes.data, sizeof result);
            table_make_room(t);
            report_page(r,
                        urls->list[cf_results_index(results)],
                        err ? NULL : &result,
                        err ? error->message : NULL);
            if (fflush(stdout))
                return CF_OK; /* main() says so */
        }
        table_draw(t, r, common);
    }
    return CF_OK;
}

/* The next page, for cf_map(). */
struct pages {
    const struct urls *urls;
    fetch_common *common;
    size_t next;
};

static cf_err
next_page(void *data, void *item)
{
    struct pages *pages = data;
    if (pages->next == pages->urls->count)
        return CF_EDONE;
    fetch_arg arg = {pages->common, pages->urls->list[pages->next++]};
    memcpy(item, &arg, sizeof arg);
    return CF_OK;
}

static cf_err
fetch_all(cf_executor *ex,
          const options *opts,
          const struct urls *urls,
          report *r)
{
    fetch_common common = {.limits = {opts->timeout_ns, opts->retries}};
    struct pages pages = {urls, &common, 0};
    cf_map_options map = CF_MAP_OPTIONS(.chunk_size = 1,
                                        .buffer_size = (size_t)opts->jobs,
                                        .unordered = true,
                                        .pull = next_page,
                                        .pull_data = &pages);
    cf_results *results;
    table t;
    cf_err err =
        cf_map(ex, fetch_task, NULL, sizeof(fetch_arg), 0, &map, &results);
    if (err)
        return err;
    table_init(&t, urls->count);
    err = collect(results, urls, &t, r, &common);
    table_fini(&t);
    cf_results_destroy(results, true); /* the rest is told to stop, ... */
    (void)cf_executor_wait_idle(ex, CF_FOREVER); /* ... and uses common */
    return err;
}

static int
run(const options *opts, const struct urls *urls)
{
    report r;
    cf_executor *ex = open_executor(opts);
    if (!ex)
        return EXIT_FAILURE;
    if (!report_init(&r, urls->count)) {
        cf_executor_destroy(ex);
        fputs("async_http: no memory\n", stderr);
        return EXIT_FAILURE;
    }
    cf_err err = fetch_all(ex, opts, urls, &r);
    cf_executor_destroy(ex);
    int status = err || r.failed || urls->errors ? EXIT_FAILURE : EXIT_SUCCESS;
    if (err)
        fprintf(stderr, "async_http: %s\n", cf_strerror(err));
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "async_http: standard output: %s\n", strerror(errno));
        status = EXIT_FAILURE;
    }
    report_summary(&r);
    report_fini(&r);
    return interrupted ? EXIT_INTERRUPTED : status;
}

/* false: no memory. */
static bool
read_urls(struct urls *urls, const options *opts)
{
    uint64_t arguments = 0;
    bool memory = true;
    for (size_t i = 0; i < opts->source_count && memory; i++) {
        const source *from = &opts->sources[i];
        memory = from->is_file ? urls_add_file(urls, from->text)
                               : urls_add(urls, from->text, ++arguments);
    }
    return memory;
}

int
main(int argc, char **argv)
{
    options opts;
    struct urls urls = {.program = "async_http"};
    int status = EXIT_USAGE;
    struct sigaction on_int = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND};
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        fputs("async_http: libcurl does not work\n", stderr);
        return EXIT_FAILURE;
    }
    if (options_parse(&opts, argc, argv)) {
        if (opts.help) {
            options_help();
            status = fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
        } else if (!read_urls(&urls, &opts)) {
            fputs("async_http: no memory\n", stderr);
            status = EXIT_FAILURE;
        } else {
            (void)sigaction(SIGINT, &on_int, NULL);
            status = run(&opts, &urls);
        }
    }
    urls_fini(&urls);
    options_fini(&opts);
    curl_global_cleanup();
    return status;
}
