/* SPDX-License-Identifier: MIT */
#include "sums.h"

#include "../common/ctrl_c.h"

#include <stdio.h>
#include <string.h>

#define LOOK_NS CF_MS(100) /* for Ctrl-C */

enum { PARTS = 4 }; /* for each worker */

/* A process pool is made when no connection is open: what SQLite knows of its
 * locks must not come to a worker by the fork. */
static cf_err
open_pool(const cf_executor *like, const struct query *query, cf_executor **out)
{
    const char *kind = cf_executor_name(like);
    int workers = cf_executor_max_workers(like);
    cf_thread_pool_options threads =
        CF_THREAD_POOL_OPTIONS(.max_workers = workers,
                               .initializer = part_connect,
                               .finalizer = part_disconnect,
                               .init_data = (void *)query);
    cf_process_pool_options processes =
        CF_PROCESS_POOL_OPTIONS(.max_workers = workers,
                                .initializer = part_connect,
                                .finalizer = part_disconnect,
                                .init_data = (void *)query);
    if (strcmp(kind, "thread_pool") == 0)
        return cf_thread_pool_create(&threads, out);
    if (strcmp(kind, "process_pool") == 0)
        return cf_process_pool_create(&processes, out);
    return cf_inline_create(out);
}

static void
add(struct sum *sums, cf_bytes bytes)
{
    const struct sum *part = bytes.data;
    for (size_t i = 0; i < bytes.size / sizeof *part; i++) {
        sums[i].integers += part[i].integers;
        sums[i].reals += part[i].reals;
        sums[i].high += part[i].high;
        sums[i].low += part[i].low;
        sums[i].real += part[i].real;
    }
}

static cf_err
add_all(cf_results *results, int ctrl_c, struct sum *sums)
{
    cf_err err = CF_OK;
    while (!err) {
        cf_bytes bytes;
        err = cf_results_next(results, LOOK_NS, &bytes);
        if (ctrl_c_pressed(ctrl_c))
            return CF_EINTERRUPTED;
        if (!err)
            add(sums, bytes);
        else if (err == CF_ETIMEDOUT)
            err = CF_OK;
    }
    return err == CF_EDONE ? CF_OK : err;
}

/* The cf_pull_fn. */
struct parts {
    struct part next;
    int64_t size, rows;
};

static cf_err
next_part(void *data, void *item)
{
    struct parts *parts = data;
    if (parts->next.first > parts->rows)
        return CF_EDONE;
    memcpy(item, &parts->next, sizeof parts->next);
    parts->next.first += parts->size;
    parts->next.last += parts->size;
    return CF_OK;
}

cf_err
sum_columns(const cf_executor *like,
            const struct query *query,
            int ctrl_c,
            struct sum *sums)
{
    const int64_t count = PARTS * (int64_t)cf_executor_max_workers(like);
    const int64_t rows = (int64_t)query->rows, size = rows / count + 1;
    struct parts parts = {{1, size}, size, rows};
    cf_map_options options = CF_MAP_OPTIONS(.pull = next_part,
                                            .pull_data = &parts,
                                            .chunk_size = 1,
                                            .unordered = true,
                                            .context = (void *)query);
    cf_executor *pool = NULL;
    cf_results *results = NULL;
    cf_err err = open_pool(like, query, &pool);
    if (!err)
        err = cf_map(
            pool, sum_part, NULL, sizeof(struct part), 0, &options, &results);
    if (!err)
        err = add_all(results, ctrl_c, sums);
    const cf_error *failed = results ? cf_results_error(results) : NULL;
    const char *why =
        failed && *failed->message ? failed->message : cf_strerror(err);
    if (err && err != CF_EINTERRUPTED)
        fprintf(stderr, "csv2sqlite: sums: %s\n", why);
    cf_results_destroy(results, true);
    cf_executor_destroy(pool);
    return err;
}
