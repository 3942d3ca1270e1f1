/* SPDX-License-Identifier: MIT */
/*
 * A program that is built with ThreadSanitizer, and shares memory with its
 * tasks in each way that the library orders. The sanitizer ends it at the first
 * access that it takes for a race.
 */
#include <cfutures/cfutures.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/observers/order.h"

enum { ROUNDS = 200, CELLS = 64 };

static cf_executor *ex;

/* Fills a result of as many bytes as it is told. */
static int
task_fill(cf_call *call, const void *arg, size_t arg_size)
{
    size_t size;
    (void)arg_size;
    memcpy(&size, arg, sizeof size);
    unsigned char *bytes = cf_return_buffer(call, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)i;
    return 0;
}

/* --- one future ----------------------------------------------------------- */

static void
use_results(void)
{
    const size_t sizes[] = {24, 32, 100};
    for (int i = 0; i < 3; i++) {
        cf_future *f;
        cf_bytes out;
        CHECK(!cf_submit(ex, task_fill, &sizes[i], sizeof sizes[i], &f));
        CHECK(!cf_future_result(f, CF_FOREVER, &out));
        unsigned sum = 0;
        for (size_t k = 0; k < out.size; k++)
            sum += ((const unsigned char *)out.data)[k];
        CHECK(sum == sizes[i] * (sizes[i] - 1) / 2);
        cf_future_unref(f);
    }
}

static void
use_pointers(struct cell *cells)
{
    cf_future *fs[CELLS];
    for (int i = 0; i < CELLS; i++) {
        cells[i].in = i;
        CHECK(!cf_submit(ex, task_cell, &cells[i], 0, &fs[i]));
    }
    for (int i = 0; i < CELLS; i++) {
        switch (i % 4) {
        case 0:
            CHECK(!cf_future_wait(fs[i], CF_FOREVER));
            break;
        case 1:
            while (!cf_future_done(fs[i]))
                continue;
            break;
        case 2:
            while (cf_future_state(fs[i]) != CF_FINISHED)
                continue;
            break;
        default:
            CHECK(!cf_future_result(fs[i], CF_FOREVER, NULL));
        }
        CHECK(cells[i].out == i + 1);
        cf_future_unref(fs[i]);
    }
}

static void *
complete(void *promise)
{
    char *text = malloc(8);
    if (!text)
        exit(1);
    memcpy(text, "promise", 8);
    CHECK(!cf_future_set_result(promise, &text, sizeof text));
    cf_future_unref(promise);
    return NULL;
}

static void
use_promise(void)
{
    cf_future *f;
    cf_bytes out;
    char *text;
    pthread_t thread;
    CHECK(!cf_future_create(&f));
    CHECK(!pthread_create(&thread, NULL, complete, cf_future_ref(f)));
    CHECK(!cf_future_result(f, CF_FOREVER, &out));
    memcpy(&text, out.data, sizeof text);
    CHECK(!strcmp(text, "promise"));
    free(text);
    cf_future_unref(f);
    pthread_join(thread, NULL);
}

/* --- many futures --------------------------------------------------------- */

static void
add_up(cf_future *f, void *data)
{
    struct cell *cell = data;
    (void)f;
    cell->out += cell->in;
}

static void
use_callbacks(struct cell *cells)
{
    for (int i = 0; i < CELLS; i++) {
        cf_future *f;
        cells[i] = (struct cell){i, 0};
        CHECK(!cf_submit(ex, task_cell, &cells[i], 0, &f));
        struct cell *mine = malloc(sizeof *mine);
        CHECK(mine != NULL);
        *mine = (struct cell){1, 1};
        CHECK(!cf_future_on_done(f, add_up, mine));
        CHECK(!cf_executor_wait_idle(ex, CF_FOREVER));
        CHECK(cells[i].out == i + 1 && mine->out == 2);
        cf_future_unref(f);
        free(mine);
    }
}

static void
use_many(struct cell *cells)
{
    cf_future *fs[CELLS], *f;
    cf_as_completed *it;
    for (int i = 0; i < CELLS; i++) {
        cells[i].in = i;
        CHECK(!cf_submit(ex, task_cell, &cells[i], 0, &fs[i]));
    }
    CHECK(!cf_wait(fs, CELLS / 2, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    for (int i = 0; i < CELLS / 2; i++)
        CHECK(cells[i].out == i + 1);
    CHECK(!cf_as_completed_create(fs, CELLS, &it));
    while (!cf_as_completed_next(it, CF_FOREVER, &f)) {
        for (int i = 0; i < CELLS; i++)
            CHECK(fs[i] != f || cells[i].out == i + 1);
    }
    cf_as_completed_destroy(it);
    for (int i = 0; i < CELLS; i++)
        cf_future_unref(fs[i]);
}

static int
run_range(cf_call *call, size_t begin, size_t end, void *data)
{
    struct cell *cells = data;
    (void)call;
    for (size_t i = begin; i < end; i++)
        cells[i].out = (long)i;
    return 0;
}

static int
fold(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    const struct cell *cells = data;
    (void)call;
    for (size_t i = begin; i < end; i++)
        *(long *)partial += cells[i].out;
    return 0;
}

static void
combine(void *partial, void *next, void *data)
{
    (void)data;
    *(long *)partial += *(const long *)next;
}

static void
use_loops(struct cell *cells)
{
    const long zero = 0;
    long sum;
    CHECK(!cf_parallel_for(ex, 0, CELLS, 4, run_range, cells, NULL));
    for (int i = 0; i < CELLS; i++)
        CHECK(cells[i].out == i);
    CHECK(!cf_parallel_reduce(
        ex, 0, CELLS, 2, fold, combine, &zero, sizeof zero, cells, &sum));
    CHECK(sum == CELLS * (CELLS - 1L) / 2);
}

/* --- jobs ----------------------------------------------------------------- */

/* NOLINTBEGIN(misc-no-recursion): that is the work */
static long
fibonacci(long n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static int
run_job(cf_call *call, void *arg)
{
    struct cell *cell = arg;
    if (cell->in < 10) {
        cell->out = fibonacci(cell->in);
        return 0;
    }
    struct cell left = {cell->in - 1, 0}, right = {cell->in - 2, 0};
    cf_job job;
    cf_spawn(call, &job, run_job, &left);
    (void)run_job(call, &right);
    (void)cf_join(call, &job);
    cell->out = left.out + right.out;
    return 0;
}
/* NOLINTEND(misc-no-recursion) */

static int
task_jobs(cf_call *call, const void *arg, size_t arg_size)
{
    struct cell cell = {18, 0};
    (void)arg;
    (void)arg_size;
    (void)run_job(call, &cell);
    return cell.out == 2584 ? 0 : cf_fail(call, 1, "%ld", cell.out);
}

static void
use_jobs(void)
{
    cf_future *f;
    CHECK(!cf_submit(ex, task_jobs, NULL, 0, &f));
    CHECK(!cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
}

/* --- between tasks -------------------------------------------------------- */

struct meeting {
    cf_channel *channel;
    cf_semaphore *semaphore;
    cf_event *event;
    long count;
};

static int
task_send(cf_call *call, const void *arg, size_t arg_size)
{
    struct meeting *m = (struct meeting *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    for (long i = 0; i < CELLS; i++) {
        struct cell *cell = malloc(sizeof *cell);
        *cell = (struct cell){i, i};
        CHECK(!cf_channel_send(m->channel, &cell, CF_FOREVER));
        CHECK(!cf_semaphore_acquire(m->semaphore, CF_FOREVER));
        m->count++;
        CHECK(!cf_semaphore_release(m->semaphore, 1));
    }
    return cf_channel_close(m->channel) != CF_OK;
}

static void
use_meeting(void)
{
    struct meeting m = {NULL, NULL, NULL, 0};
    struct cell *cell;
    long sum = 0;
    CHECK(!cf_channel_create(sizeof cell, 2, &m.channel));
    CHECK(!cf_semaphore_create(1, &m.semaphore));
    CHECK(!cf_submit(ex, task_send, &m, 0, NULL));
    while (!cf_channel_receive(m.channel, CF_FOREVER, &cell)) {
        sum += cell->in;
        free(cell);
        CHECK(!cf_semaphore_acquire(m.semaphore, CF_FOREVER));
        m.count++;
        CHECK(!cf_semaphore_release(m.semaphore, 1));
    }
    CHECK(!cf_executor_wait_idle(ex, CF_FOREVER));
    CHECK(sum == CELLS * (CELLS - 1L) / 2 && m.count == 2L * CELLS);
    cf_channel_destroy(m.channel);
    cf_semaphore_destroy(m.semaphore);
}

static int
task_set(cf_call *call, const void *arg, size_t arg_size)
{
    struct meeting *m = (struct meeting *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    m->count = 7;
    return cf_event_set(m->event) != CF_OK;
}

static void
use_event(int round)
{
    struct meeting m = {NULL, NULL, NULL, 0};
    CHECK(!cf_event_create(&m.event));
    CHECK(!cf_submit(ex, task_set, &m, 0, NULL));
    if (round % 2)
        CHECK(!cf_event_wait(m.event, CF_FOREVER));
    while (!cf_event_is_set(m.event))
        continue;
    CHECK(m.count == 7);
    CHECK(!cf_executor_wait_idle(ex, CF_FOREVER));
    cf_event_destroy(m.event);
}

int
main(int argc, char **argv)
{
    struct cell *cells = calloc(CELLS, sizeof *cells);
    (void)argc;
    fix_addresses(argv);
    CHECK(cells != NULL);
    CHECK(
        !cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 3), &ex));
    for (int round = 0; round < ROUNDS; round++) {
        use_results();
        use_pointers(cells);
        use_promise();
        use_many(cells);
        use_loops(cells);
        use_jobs();
        use_event(round);
        if (round % 10 == 0) {
            use_callbacks(cells);
            use_meeting();
        }
    }
    for (int i = 0; i < CELLS; i++) {
        cells[i].in = i;
        CHECK(!cf_submit(ex, task_cell, &cells[i], 0, NULL));
    }
    cf_executor_destroy(ex);
    for (int i = 0; i < CELLS; i++)
        CHECK(cells[i].out == i + 1);
    free(cells);
    return 0;
}
