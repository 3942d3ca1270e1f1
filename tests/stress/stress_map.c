/* SPDX-License-Identifier: MIT */
/*
 * Maps and loops from several threads and from inside tasks of the same pool,
 * with failing items, small windows, timeouts, and iterations left early.
 * Attacks lib/many/window.c and results.c (the window against chunks that
 * complete), chunk.c, map_array.c and loop.c (no task may touch the caller's
 * memory when the call returns), and reduce.c (each partial result meets its
 * neighbour once, and the loop ends after the last has met).
 *
 * Every item is run at most once, and exactly once if it was not given up;
 * every result belongs to its item.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { USERS = 3, JOBS = 12, ITEMS_MAX = 400, NESTING_MAX = 2 };

static atomic_uint_fast64_t maps, arrays, loops, reductions;

/* One map or loop. It stays until its pool is gone, as what was left early
 * runs on. */
struct job {
    struct job *next; /* in its round's list */
    uint64_t stream;
    size_t count;
    size_t failing; /* this item fails, if there is such a one */
    size_t owned;   /* so many items have been given away, each to be freed */
    atomic_int calls[ITEMS_MAX], frees[ITEMS_MAX];
};

struct item {
    struct job *job;
    uint64_t number;
};

struct round {
    cf_executor *ex;
    uint64_t stream;
    _Atomic(struct job *) jobs;
};

struct result {
    uint64_t number, square;
};

static struct job *
new_job(struct round *round, struct random *r)
{
    struct job *job = calloc(1, sizeof *job);
    CHECK(job);
    job->stream = random_next(r);
    job->count = random_below(r, random_percent(r, 80) ? 40 : ITEMS_MAX);
    job->failing =
        random_percent(r, 30) ? random_below(r, ITEMS_MAX) : ITEMS_MAX;
    job->next = atomic_load(&round->jobs);
    while (!atomic_compare_exchange_weak(&round->jobs, &job->next, job))
        continue;
    return job;
}

static int
note_call(cf_call *call, struct job *job, uint64_t number)
{
    CHECK(number < job->count);
    CHECK_EQ(atomic_fetch_add(&job->calls[number], 1), 0);
    struct random r = random_stream(job->stream + number);
    random_delay(&r, 500);
    return number == job->failing
               ? cf_fail(call, 3, "item %llu", (unsigned long long)number)
               : 0;
}

static int
run_item(cf_call *call, const void *arg, size_t arg_size)
{
    struct item item;
    CHECK_EQ(arg_size, sizeof item);
    memcpy(&item, arg, sizeof item);
    struct result result = {item.number, item.number * item.number};
    CHECK_EQ(cf_return(call, &result, sizeof result), CF_OK);
    return note_call(call, item.job, item.number);
}

static int
run_range(cf_call *call, size_t begin, size_t end, void *data)
{
    int rc = 0;
    for (size_t i = begin; i < end && !rc; i++)
        rc = note_call(call, data, i);
    return rc;
}

static void
check_calls(struct job *job, int expected)
{
    for (size_t i = 0; i < job->count; i++)
        CHECK_EQ(atomic_load(&job->calls[i]), expected);
}

static void
check_frees(const struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        CHECK_EQ(atomic_load(&job->frees[i]), i < job->owned);
}

/* --- cf_map() ------------------------------------------------------------- */

static void
free_item(const void *arg, void *context)
{
    struct item item;
    memcpy(&item, arg, sizeof item);
    CHECK(item.job == context);
    CHECK_EQ(atomic_fetch_add(&item.job->frees[item.number], 1), 0);
}

struct source {
    struct job *job;
    uint64_t next;
};

static cf_err
pull(void *pull_data, void *item)
{
    struct source *source = pull_data;
    if (source->next == source->job->count)
        return CF_EDONE;
    struct item next = {source->job, source->next++};
    memcpy(item, &next, sizeof next);
    return CF_OK;
}

static void
fill(struct item *items, struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        items[i] = (struct item){job, i};
}

/* Takes results until the end, or leaves early; true: all are out. */
static bool
take_results(cf_results *results,
             struct job *job,
             const cf_map_options *options,
             struct random *r)
{
    size_t out = 0;
    bool early = random_percent(r, 30);
    for (;;) {
        cf_bytes bytes;
        struct result result;
        if (early && random_percent(r, 5))
            return false;
        cf_err err = cf_results_next(results, CF_FOREVER, &bytes);
        if (err == CF_EDONE)
            return out == job->count;
        if (err == CF_ETIMEDOUT) {
            CHECK(options->timeout_ns);
            continue;
        }
        size_t index = cf_results_index(results);
        CHECK(options->unordered || index == out);
        out++;
        if (err) {
            CHECK_EQ(err, CF_ETASK);
            CHECK_EQ(index, job->failing);
            CHECK_EQ(cf_results_error(results)->code, 3);
        } else {
            CHECK_EQ(bytes.size, sizeof result);
            memcpy(&result, bytes.data, sizeof result);
            CHECK_EQ(result.number, index);
            CHECK_EQ(result.square, index * index);
        }
    }
}

static void
use_map(struct round *round, struct job *job, struct random *r)
{
    struct item items[ITEMS_MAX];
    struct source source = {job, 0};
    cf_map_options options = CF_MAP_OPTIONS_INIT;
    cf_results *results;
    options.chunk_size = random_below(r, 8);
    options.buffer_size = random_percent(r, 50) ? random_below(r, 20) : 0;
    options.unordered = random_percent(r, 50);
    options.timeout_ns =
        random_percent(r, 20) ? 1 + random_below(r, 200000) : 0;
    bool pulls = random_percent(r, 40);
    options.pull = pulls ? pull : NULL;
    options.pull_data = &source;
    options.context = job;
    options.item_free = random_percent(r, 50) ? free_item : NULL;
    fill(items, job);
    CHECK_EQ(cf_map(round->ex,
                    run_item,
                    pulls ? NULL : items,
                    sizeof items[0],
                    job->count,
                    &options,
                    &results),
             CF_OK);
    bool all = take_results(results, job, &options, r);
    cf_results_destroy(results, random_percent(r, 50));
    if (options.item_free)
        job->owned = pulls ? source.next : job->count;
    if (all)
        check_calls(job, 1);
    atomic_fetch_add(&maps, 1);
}

/* --- cf_map_array() and cf_parallel_for() --------------------------------- */

static void
use_array(struct round *round, struct job *job, struct random *r)
{
    struct item items[ITEMS_MAX];
    struct result results[ITEMS_MAX];
    cf_map_options options = CF_MAP_OPTIONS_INIT;
    size_t failed = SIZE_MAX;
    options.chunk_size = random_below(r, 8);
    options.timeout_ns =
        random_percent(r, 20) ? 1 + random_below(r, 200000) : 0;
    options.failed_index = &failed;
    fill(items, job);
    cf_err err = cf_map_array(round->ex,
                              run_item,
                              items,
                              sizeof items[0],
                              job->count,
                              results,
                              sizeof results[0],
                              &options);
    if (err == CF_OK) {
        check_calls(job, 1);
        for (size_t i = 0; i < job->count; i++)
            CHECK(results[i].number == i && results[i].square == i * i);
    } else if (err == CF_ETASK) {
        CHECK_EQ(failed, job->failing);
    } else {
        CHECK_EQ(err, CF_ETIMEDOUT);
        CHECK(options.timeout_ns);
    }
    /* A task that touches these now does so after the end. */
    memset(items, 0xff, sizeof items);
    memset(results, 0xff, sizeof results);
    atomic_fetch_add(&arrays, 1);
}

static void
use_loop(struct round *round, struct job *job, struct random *r)
{
    cf_future *failed = NULL;
    size_t grain = random_percent(r, 50) ? random_below(r, 10) : 0;
    cf_err err = cf_parallel_for(
        round->ex, 0, job->count, grain, run_range, job, &failed);
    if (err == CF_OK) {
        CHECK(!failed);
        check_calls(job, 1);
    } else {
        CHECK_EQ(err, CF_ETASK);
        CHECK_EQ(cf_future_error(failed)->code, 3);
        CHECK_EQ(atomic_load(&job->calls[job->failing]), 1);
    }
    cf_future_unref(failed);
    atomic_fetch_add(&loops, 1);
}

/* --- cf_parallel_reduce() ------------------------------------------------- */

/* What iterations have made of a number: associative, not commutative. */
struct affine {
    uint64_t a, b;
};

static struct affine
then(struct affine first, struct affine next)
{
    return (struct affine){next.a * first.a, next.a * first.b + next.b};
}

static int
fold(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct affine *f = partial;
    int rc = 0;
    for (size_t i = begin; i < end && !rc; i++) {
        *f = then(*f, (struct affine){2 * i + 3, i + 1});
        rc = note_call(call, data, i);
    }
    return rc;
}

static void
combine(void *partial, void *next, void *data)
{
    struct affine *f = partial;
    (void)data;
    *f = then(*f, *(const struct affine *)next);
    memset(next, 0xff, sizeof *f); /* it is not used any more */
}

static void
use_reduction(struct round *round, struct job *job, struct random *r)
{
    const struct affine nothing = {1, 0};
    struct affine f = {7, 8}, expected = nothing;
    size_t grain = random_percent(r, 50) ? random_below(r, 10) : 0;
    for (size_t i = 0; i < job->count; i++)
        expected = then(expected, (struct affine){2 * i + 3, i + 1});
    cf_err err = cf_parallel_reduce(round->ex,
                                    0,
                                    job->count,
                                    grain,
                                    fold,
                                    combine,
                                    &nothing,
                                    sizeof nothing,
                                    job,
                                    &f);
    if (err == CF_OK) {
        check_calls(job, 1);
    } else {
        CHECK_EQ(err, CF_ETASK);
        CHECK_EQ(atomic_load(&job->calls[job->failing]), 1);
        expected = (struct affine){7, 8};
    }
    CHECK_EQ(f.a, expected.a);
    CHECK_EQ(f.b, expected.b);
    atomic_fetch_add(&reductions, 1);
}

/* --- the crew and its tasks ----------------------------------------------- */

struct nested {
    struct round *round;
    uint64_t stream;
    unsigned nesting;
};

static void use(struct round *round, struct random *r, unsigned nesting);

static int
use_inside(cf_call *call, const void *arg, size_t arg_size)
{
    struct nested nested;
    (void)call;
    CHECK_EQ(arg_size, sizeof nested);
    memcpy(&nested, arg, sizeof nested);
    struct random r = random_stream(nested.stream);
    use(nested.round, &r, nested.nesting);
    return 0;
}

static void
use(struct round *round, struct random *r, unsigned nesting)
{
    cf_future *f = NULL;
    if (nesting < NESTING_MAX && random_percent(r, 40)) {
        struct nested nested = {round, random_next(r), nesting + 1};
        CHECK_EQ(cf_submit(round->ex, use_inside, &nested, sizeof nested, &f),
                 CF_OK);
    }
    struct job *job = new_job(round, r);
    switch (random_below(r, 4)) {
    case 0:
        use_map(round, job, r);
        break;
    case 1:
        use_array(round, job, r);
        break;
    case 2:
        use_reduction(round, job, r);
        break;
    default:
        use_loop(round, job, r);
        break;
    }
    if (f)
        CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
    cf_future_unref(f);
    stress_alive();
}

static void
use_many(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->stream + index);
    for (int i = 0; i < JOBS; i++)
        use(round, &r, 0);
}

static void
one_round(uint64_t number)
{
    struct random r = random_stream(number);
    struct round round = {.stream = random_next(&r)};
    round.ex = stress_random_pool(&r);
    in_threads(USERS, use_many, &round);
    stress_pool_destroy(round.ex);
    for (struct job *job = round.jobs, *next; job; job = next) {
        next = job->next;
        check_frees(job);
        free(job);
    }
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t number = 1; stress_goes_on(); number++)
        one_round(number);
    return stress_end("%llu maps, %llu maps to arrays, %llu loops, "
                      "%llu reductions",
                      (unsigned long long)maps,
                      (unsigned long long)arrays,
                      (unsigned long long)loops,
                      (unsigned long long)reductions);
}
