/* SPDX-License-Identifier: MIT */
#include "part.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 10000 }; /* of SQLite between two looks */

/* --- an SQL function: tally(x), a struct sum of all x --------------------- */

static void
tally_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
    (void)count;
    if (!sum) {
        sqlite3_result_error_nomem(context);
    } else if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
        int64_t number = sqlite3_value_int64(values[0]);
        int64_t low = number & UINT32_MAX;
        sum->integers++;
        sum->low += low;
        sum->high += (number - low) / (INT64_C(1) << 32);
    } else if (sqlite3_value_type(values[0]) == SQLITE_FLOAT) {
        sum->reals++;
        sum->real += sqlite3_value_double(values[0]);
    }
}

static void
tally_final(sqlite3_context *context)
{
    struct sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
    if (sum)
        sqlite3_result_blob(context, sum, sizeof *sum, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(context);
}

/* --- a worker's connection ------------------------------------------------ */

struct worker {
    sqlite3 *db;
    sqlite3_stmt *sums;
};

/* The columns have names of our own here: c1, c2, ... */
static char *
make_sql(const struct query *query)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "WITH part(c1");
    for (uint32_t i = 2; i <= query->columns; i++)
        sqlite3_str_appendf(sql, ", c%u", i);
    sqlite3_str_appendf(sql,
                        ") AS (SELECT * FROM \"%w\" "
                        "WHERE _rowid_ BETWEEN ?1 AND ?2) SELECT tally(c1)",
                        query->table);
    for (uint32_t i = 2; i <= query->columns; i++)
        sqlite3_str_appendf(sql, ", tally(c%u)", i);
    sqlite3_str_appendall(sql, " FROM part");
    return sqlite3_str_finish(sql);
}

static bool
open_connection(struct worker *worker, const char *path, const char *sql)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    return !sqlite3_open_v2(path, &worker->db, flags, NULL) &&
           !sqlite3_create_function(worker->db,
                                    "tally",
                                    1,
                                    SQLITE_UTF8,
                                    NULL,
                                    NULL,
                                    tally_step,
                                    tally_final) &&
           !sqlite3_prepare_v2(worker->db, sql, -1, &worker->sums, NULL);
}

void
part_disconnect(void *init_data, void *worker_data)
{
    struct worker *worker = worker_data;
    (void)init_data;
    (void)sqlite3_finalize(worker->sums);
    (void)sqlite3_close(worker->db);
    free(worker);
}

int
part_connect(cf_call *call, void *init_data, void **worker_data)
{
    const struct query *query = init_data;
    struct worker *worker = calloc(1, sizeof *worker);
    char *sql = make_sql(query);
    int rc = 0;
    if (!worker || !sql)
        rc = cf_fail(call, CF_ENOMEM, "out of memory");
    else if (!open_connection(worker, query->path, sql))
        rc = cf_fail(call, 1, "%s", sqlite3_errmsg(worker->db));
    sqlite3_free(sql);
    if (rc && worker)
        part_disconnect(NULL, worker);
    else if (!rc)
        *worker_data = worker;
    return rc;
}

/* --- the task ------------------------------------------------------------- */

/* Called by SQLite now and then: not 0 ends the query. */
static int
is_stopped(void *call)
{
    return cf_call_canceled(call);
}

static int
sum_rows(cf_call *call, struct worker *worker, const struct part *part)
{
    sqlite3_stmt *from = worker->sums;
    const int columns = sqlite3_column_count(from);
    struct sum *sums = cf_return_buffer(call, (size_t)columns * sizeof *sums);
    if (!sums)
        return cf_fail(call, CF_ENOMEM, "out of memory");
    sqlite3_progress_handler(worker->db, STEPS, is_stopped, call);
    (void)sqlite3_bind_int64(from, 1, part->first);
    (void)sqlite3_bind_int64(from, 2, part->last);
    bool done = sqlite3_step(from) == SQLITE_ROW;
    for (int i = 0; done && i < columns; i++) {
        const void *sum = sqlite3_column_blob(from, i);
        done = sum != NULL;
        if (sum)
            memcpy(&sums[i], sum, sizeof *sums);
    }
    int rc = done ? 0 : cf_fail(call, 1, "%s", sqlite3_errmsg(worker->db));
    (void)sqlite3_reset(from);
    return rc;
}

int
sum_part(cf_call *call, const void *arg, size_t arg_size)
{
    void *worker = cf_call_worker_data(call);
    (void)arg_size;
    if (worker)
        return sum_rows(call, worker, arg);
    int rc = part_connect(call, cf_call_context(call), &worker);
    if (rc)
        return rc;
    rc = sum_rows(call, worker, arg);
    part_disconnect(NULL, worker);
    return rc;
}
