/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way there and back: copied, and in place.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

static const size_t sizes[] = {0,
                               1,
                               31,
                               32,
                               33,
                               4095,
                               4096,
                               64 << 10,
                               128 << 10,
                               (128 << 10) + 1,
                               1 << 20,
                               (1 << 20) + 1,
                               16 << 20};

enum { SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 16 << 20 };

/* The byte at i of a payload; prime periods, so that shifts are seen. */
static unsigned char
byte_of(size_t i, unsigned seed)
{
    return (unsigned char)((i % 251) * 7 + i / 4096 + seed);
}

static void
fill(unsigned char *p, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        p[i] = byte_of(i, seed);
}

/* Where the first wrong byte is; size: nowhere. */
static size_t
first_wrong(const unsigned char *p, size_t size, unsigned seed)
{
    size_t i = 0;
    while (i < size && p[i] == byte_of(i, seed))
        i++;
    return i;
}

static void
expect_payload(cf_future *f, size_t size, unsigned seed)
{
    cf_bytes bytes = {NULL, 1};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == size, "%zu, not %zu bytes", bytes.size, size);
    size_t wrong = first_wrong(bytes.data, size, seed);
    cr_assert(wrong == size, "byte %zu of %zu", wrong, size);
    if (size > 0)
        cr_assert((uintptr_t)bytes.data % _Alignof(max_align_t) == 0);
}

/* Fills a result in place, without an argument of the same size. */
typedef struct wish {
    size_t size;
    unsigned seed;
} wish;

static int
task_fill(cf_call *call, const void *arg, size_t arg_size)
{
    wish w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    unsigned char *p = cf_return_buffer(call, w.size);
    if (p == NULL)
        return cf_fail(call, CF_ENOMEM, "no memory for %zu bytes", w.size);
    if ((uintptr_t)p % _Alignof(max_align_t) != 0)
        return cf_fail(call, 1, "not aligned");
    fill(p, w.size, w.seed);
    return 0;
}

CF_TEST(every_size_comes_back_as_it_went)
{
    cf_executor *ex = pool_for(2);
    unsigned char *p = malloc(LARGEST);
    for (unsigned i = 0; i < SIZES; i++) {
        fill(p, sizes[i], i);
        cf_future *f =
            must_submit(ex, task_echo, sizes[i] > 0 ? p : NULL, sizes[i]);
        memset(p, '#', sizes[i]); /* it has been copied */
        expect_payload(f, sizes[i], i);
        cf_future_unref(f);
    }
    free(p);
    cf_executor_destroy(ex);
}

CF_TEST(every_size_can_be_filled_in_place)
{
    cf_executor *ex = pool_for(2);
    for (unsigned i = 0; i < SIZES; i++) {
        wish w = {sizes[i], i};
        cf_future *f = must_submit(ex, task_fill, &w, sizeof w);
        expect_payload(f, sizes[i], i);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* All sizes mixed, many at a time, held while more come. */
CF_TEST(many_payloads_on_their_way_do_not_mix)
{
    enum { ROUNDS = 3, N = ROUNDS * SIZES };
    cf_executor *ex = pool_for(3);
    cf_future *fs[2 * N];
    unsigned char *p = malloc(LARGEST);
    for (unsigned i = 0; i < N; i++) {
        size_t size = sizes[i * 5 % SIZES];
        wish w = {size, i};
        fill(p, size, i);
        fs[2 * i] = must_submit(ex, task_echo, size > 0 ? p : NULL, size);
        fs[2 * i + 1] = must_submit(ex, task_fill, &w, sizeof w);
    }
    free(p);
    for (unsigned i = 0; i < 2 * N; i++)
        expect_payload(fs[i], sizes[i / 2 * 5 % SIZES], i / 2);
    unref_all(fs, 2 * N);
    cf_executor_destroy(ex);
}

CF_TEST(large_results_outlive_the_pool)
{
    cf_executor *ex = pool_for(2);
    cf_future *fs[SIZES];
    for (unsigned i = 0; i < SIZES; i++) {
        wish w = {sizes[i], i};
        fs[i] = must_submit(ex, task_fill, &w, sizeof w);
    }
    cf_executor_destroy(ex);
    for (unsigned i = 0; i < SIZES; i++)
        expect_payload(fs[i], sizes[i], i);
    unref_all(fs, SIZES);
}

/* Read by the child when the parent has used its memory for other ones. */
CF_TEST(a_child_s_copy_of_a_result_stays_what_it_was)
{
    enum { SIZE = 100000 };
    cf_executor *ex = pool_for(1);
    gate *g = gate_new();
    cf_future *fs[4];
    for (unsigned i = 0; i < 4; i++) {
        wish w = {SIZE, i};
        fs[i] = must_submit(ex, task_fill, &w, sizeof w);
        expect_payload(fs[i], SIZE, i);
        if (i > 0) {
            cf_future_unref(fs[i]);
            continue;
        }
        if (fork() == 0) {
            gate_pass(g);
            cf_bytes bytes = {NULL, 0};
            _exit(cf_future_result(fs[0], 0, &bytes) != CF_OK ||
                  first_wrong(bytes.data, SIZE, 0) != SIZE);
        }
        gate_await(g, 1);
        cf_future_unref(fs[0]);
    }
    gate_open(g);
    int status = -1;
    cr_assert(wait(&status) > 0 && status == 0);
    cf_executor_destroy(ex);
}

/* More of them than there is room for between worker and program. */
CF_TEST(one_worker_may_return_a_lot_before_any_thread_looks)
{
    enum { N = 400 };
    cf_executor *ex = pool_for(1);
    static cf_future *fs[N];
    for (unsigned i = 0; i < N; i++) {
        wish w = {i % 40 == 0 ? 1 << 20 : 100000, i};
        fs[i] = must_submit(ex, task_fill, &w, sizeof w);
    }
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    for (unsigned i = 0; i < N; i++)
        expect_payload(fs[i], i % 40 == 0 ? 1 << 20 : 100000, i);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* The last call wins, whatever the sizes. */
static int
task_returns_twice(cf_call *call, const void *arg, size_t arg_size)
{
    size_t both[2];
    (void)arg_size;
    memcpy(both, arg, sizeof both);
    for (int i = 0; i < 2; i++) {
        unsigned char *p = cf_return_buffer(call, both[i]);
        if (p == NULL)
            return cf_fail(call, 1, "no memory");
        fill(p, both[i], (unsigned)i);
    }
    return 0;
}

CF_TEST(a_result_of_any_size_replaces_one_of_any_other)
{
    cf_executor *ex = pool_for(1);
    for (unsigned i = 0; i < SIZES; i++) {
        size_t both[2] = {sizes[i], sizes[(i * 5 + 3) % SIZES]};
        cf_future *f = must_submit(ex, task_returns_twice, both, sizeof both);
        expect_payload(f, both[1], 1);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* A failure drops the result that was there. */
static int
task_returns_and_fails(cf_call *call, const void *arg, size_t arg_size)
{
    int rc = task_fill(call, arg, arg_size);
    return rc != 0 ? rc : cf_fail(call, 42, "after %zu bytes", sizeof(wish));
}

CF_TEST(a_failure_replaces_a_result_of_any_size)
{
    cf_executor *ex = pool_for(1);
    for (unsigned i = 0; i < SIZES; i++) {
        wish w = {sizes[i], i};
        cf_future *f = must_submit(ex, task_returns_and_fails, &w, sizeof w);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
        cr_assert(cf_future_error(f)->code == 42);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* --- no room ------------------------------------------------------------- */

CF_TEST(what_does_not_fit_is_refused_and_the_pool_goes_on)
{
    cf_process_pool_options opts = options_for(1);
    opts.shared_memory = LARGEST;
    cf_executor *ex = pool_of(&opts);
    unsigned char *p = calloc(2, LARGEST);
    cf_future *f = NULL;
    cf_err err = cf_submit(ex, task_echo, p, 2 * (size_t)LARGEST, &f);
    cr_assert(err == CF_ENOMEM || err == CF_ETOOBIG, "%s", cf_err_name(err));
    cr_assert_null(f);
    wish w = {2 * (size_t)LARGEST, 0};
    f = must_submit(ex, task_fill, &w, sizeof w);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == CF_ENOMEM);
    cf_future_unref(f);
    w.size = 1 << 20;
    f = must_submit(ex, task_fill, &w, sizeof w);
    expect_payload(f, w.size, 0);
    cf_future_unref(f);
    cr_assert(stats_of(ex).restarts == 0);
    free(p);
    cf_executor_destroy(ex);
}

/* What has been used comes back: far more than there is at a time. */
CF_TEST(the_room_for_payloads_is_used_again_and_again)
{
    cf_process_pool_options opts = options_for(2);
    opts.shared_memory = 32 << 20;
    cf_executor *ex = pool_of(&opts);
    unsigned char *p = malloc(1 << 20);
    fill(p, 1 << 20, 9);
    for (int i = 0; i < 200; i++) {
        cf_future *f = must_submit(ex, task_echo, p, 1 << 20);
        expect_payload(f, 1 << 20, 9);
        cf_future_unref(f);
    }
    free(p);
    cf_executor_destroy(ex);
}

/* --- shared memory ------------------------------------------------------- */

/* Takes a wish * in shared memory, behind which the bytes are: checks them and
 * writes others. */
static int
task_rewrite(cf_call *call, const void *arg, size_t arg_size)
{
    wish *w = (wish *)arg;
    unsigned char *p = (unsigned char *)(w + 1);
    (void)arg_size;
    size_t wrong = first_wrong(p, w->size, w->seed);
    if (wrong != w->size)
        return cf_fail(call, 1, "byte %zu", wrong);
    w->seed++;
    fill(p, w->size, w->seed);
    return 0;
}

CF_TEST(shared_memory_is_the_same_for_the_program_and_all_workers)
{
    cf_executor *ex = pool_for(2);
    expect_works(ex); /* the workers are older than the memory */
    for (unsigned i = 0; i < SIZES; i++) {
        wish *w = cf_shared_alloc(ex, sizeof *w + sizes[i]);
        cr_assert_not_null(w);
        unsigned char *p = (unsigned char *)(w + 1);
        *w = (wish){sizes[i], i};
        fill(p, sizes[i], i);
        for (unsigned k = 1; k <= 4; k++) {
            cf_future *f = must_submit(ex, task_rewrite, w, 0);
            assert_ok(cf_future_result(f, CF_FOREVER, NULL));
            cf_future_unref(f);
            cr_assert(w->seed == i + k);
            cr_assert(first_wrong(p, w->size, i + k) == w->size);
        }
        cf_shared_free(ex, w);
    }
    cf_executor_destroy(ex);
}

CF_TEST(shared_memory_outlives_the_worker_that_wrote_it)
{
    cf_process_pool_options opts = options_for(1);
    opts.max_tasks_per_worker = 1;
    cf_executor *ex = pool_of(&opts);
    wish *w = cf_shared_alloc(ex, sizeof *w + 5000);
    *w = (wish){5000, 0};
    fill((unsigned char *)(w + 1), w->size, 0);
    for (unsigned k = 0; k < 5; k++) {
        cf_future *f = must_submit(ex, task_rewrite, w, 0);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cf_future_unref(f);
    }
    cr_assert(w->seed == 5);
    cf_shared_free(ex, w);
    cf_executor_destroy(ex);
}

/* What tasks write elsewhere, only they see. */
static int private_number = 1;

static int
task_adds_to_private(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    private_number++;
    return cf_return(call, &private_number, sizeof private_number) != CF_OK;
}

CF_TEST(other_memory_is_a_snapshot_of_when_the_pool_was_created)
{
    private_number = 10;
    cf_executor *ex = pool_for(1);
    private_number = 100;
    for (int i = 1; i <= 3; i++) {
        cf_future *f = must_submit(ex, task_adds_to_private, NULL, 0);
        cr_assert(int_result(f) == 10 + i);
        cf_future_unref(f);
    }
    cr_assert(private_number == 100);
    cf_executor_destroy(ex);
}

/* --- the argument is read-only ------------------------------------------- */

static int
task_writes_its_argument(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *(volatile char *)arg = 1;
    return 0;
}

CF_TEST(a_task_that_writes_to_its_argument_dies_alone)
{
    cf_executor *ex = pool_for(1);
    unsigned char *p = calloc(1, LARGEST);
    for (unsigned i = 1; i < SIZES; i++) {
        cf_future *f = must_submit(ex, task_writes_its_argument, p, sizes[i]);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cr_assert(cf_future_error(f)->signal == SIGSEGV);
        cf_future_unref(f);
    }
    free(p);
    expect_works(ex);
    cf_executor_destroy(ex);
}
