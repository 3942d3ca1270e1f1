/* SPDX-License-Identifier: MIT */
/*
 * cf_parallel_reduce(): every iteration once and in order, the same bits
 * whatever runs them, and what a failure leaves.
 */
#include "tests/conformance/conformance.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { N = 20000 };

/* A function a * x + b of numbers modulo 2^64. To apply one after the other is
 * associative, and not commutative. */
typedef struct affine {
    uint64_t a, b;
} affine;

static const affine nothing = {1, 0};

/* What the bodies of a loop write to. */
typedef struct seen {
    atomic_int calls;
    atomic_size_t largest;
    size_t fail_at;
} seen;

static affine
then(affine first, affine next)
{
    return (affine){next.a * first.a, next.a * first.b + next.b};
}

static affine
step(size_t i)
{
    return (affine){2 * i + 3, i * i + 1};
}

static int
compose(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    seen *s = data;
    affine *f = partial;
    atomic_fetch_add(&s->calls, 1);
    if (begin >= end || (uintptr_t)partial % 64 != 0)
        return cf_fail(call, 1, "%zu .. %zu at %p", begin, end, partial);
    size_t largest = atomic_load(&s->largest);
    while (end - begin > largest &&
           !atomic_compare_exchange_weak(&s->largest, &largest, end - begin))
        continue;
    for (size_t i = begin; i < end; i++) {
        if (i == s->fail_at)
            return cf_fail(call, 7, "iteration %zu", i);
        *f = then(*f, step(i));
    }
    return 0;
}

static void
compose_two(void *partial, void *next, void *data)
{
    (void)data;
    *(affine *)partial = then(*(affine *)partial, *(const affine *)next);
}

static cf_err
reduce(cf_executor *ex,
       size_t begin,
       size_t end,
       size_t grain,
       seen *s,
       affine *out)
{
    return cf_parallel_reduce(ex,
                              begin,
                              end,
                              grain,
                              compose,
                              compose_two,
                              &nothing,
                              sizeof nothing,
                              s,
                              out);
}

static seen *
seen_new(void)
{
    seen *s = shared_new(sizeof *s);
    s->fail_at = SIZE_MAX;
    return s;
}

static affine
in_a_loop(size_t begin, size_t end)
{
    affine f = nothing;
    for (size_t i = begin; i < end; i++)
        f = then(f, step(i));
    return f;
}

static void
expect_affine(affine f, affine expected)
{
    cr_assert(f.a == expected.a && f.b == expected.b);
}

CF_TEST(the_result_has_every_iteration_once_and_in_order)
{
    static const size_t grains[] = {0, 1, 13, 1000, N, SIZE_MAX};
    static const size_t counts[] = {1, 2, 3, 100, 511, 512, 513, 1023, N};
    seen *s = seen_new();
    for (int workers = 1; workers <= 3; workers++) {
        cf_executor *ex = test_executor(workers);
        for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                affine f = {0, 0};
                s->largest = 0;
                assert_ok(reduce(ex, 0, counts[c], grains[g], s, &f));
                expect_affine(f, in_a_loop(0, counts[c]));
                cr_assert(grains[g] == 0 || s->largest <= grains[g]);
            }
        }
        cf_executor_destroy(ex);
    }
}

CF_TEST(a_reduction_may_begin_and_end_anywhere)
{
    cf_executor *ex = test_executor(2);
    static const size_t begins[] = {5, 1000000, SIZE_MAX - N};
    seen *s = seen_new();
    s->fail_at = 0;
    for (int i = 0; i < 3; i++) {
        for (size_t grain = 0; grain < 3; grain++) {
            affine f;
            size_t end = begins[i] + N;
            assert_ok(reduce(ex, begins[i], end, grain, s, &f));
            expect_affine(f, in_a_loop(begins[i], end));
        }
    }
    cf_executor_destroy(ex);
}

static int
count_all(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    (void)call;
    (void)data;
    *(size_t *)partial += end - begin;
    return 0;
}

static void
add_counts(void *partial, void *next, void *data)
{
    (void)data;
    *(size_t *)partial += *(size_t *)next;
}

CF_TEST(a_reduction_may_have_as_many_iterations_as_there_are_indices)
{
    cf_executor *ex = test_executor(3);
    static const size_t grains[] = {0, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    for (int i = 0; i < 4; i++) {
        size_t sum = 0;
        assert_ok(cf_parallel_reduce(ex,
                                     0,
                                     SIZE_MAX,
                                     grains[i],
                                     count_all,
                                     add_counts,
                                     &sum,
                                     sizeof sum,
                                     NULL,
                                     &sum));
        cr_assert(sum == SIZE_MAX, "%zu", sum);
    }
    cf_executor_destroy(ex);
}

CF_TEST(an_empty_reduction_gives_the_identity)
{
    cf_executor *ex = test_executor(1);
    seen *s = seen_new();
    affine f = {7, 8};
    assert_ok(reduce(ex, 7, 7, 0, s, &f));
    expect_affine(f, nothing);
    f = (affine){7, 8};
    assert_ok(reduce(ex, 7, 3, 1, s, &f));
    expect_affine(f, nothing);
    cr_assert(s->calls == 0);
    cf_executor_destroy(ex);
}

/* --- floating point ------------------------------------------------------- */

/* Of any size, so that the order of additions shows in the sum. */
static double
number(size_t i)
{
    uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
    return ldexp((double)(x >> 40) - 8e6, (int)(x % 60) - 30);
}

static int
add(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    double *sum = partial;
    (void)call;
    (void)data;
    for (size_t i = begin; i < end; i++)
        *sum += number(i);
    return 0;
}

static void
add_two(void *partial, void *next, void *data)
{
    (void)data;
    *(double *)partial += *(const double *)next;
}

static double
sum_on(cf_executor *ex, size_t grain)
{
    const double zero = 0;
    double sum = NAN;
    assert_ok(cf_parallel_reduce(
        ex, 0, N, grain, add, add_two, &zero, sizeof zero, NULL, &sum));
    return sum;
}

CF_TEST(floating_point_is_the_same_whatever_runs_it)
{
    static const size_t grains[] = {0, 1, 7, 1000};
    double forward = 0, backward = 0;
    for (size_t i = 0; i < N; i++) {
        forward += number(i);
        backward += number(N - 1 - i);
    }
    cr_assert(forward != backward, "the order shows");
    cf_executor *single;
    assert_ok(cf_inline_create(&single));
    for (int g = 0; g < 4; g++) {
        double expected = sum_on(single, grains[g]);
        cr_assert(fabs(expected - forward) < 1e-6 * fabs(forward));
        for (int workers = 1; workers <= 3; workers++) {
            cf_executor *ex = test_executor(workers);
            for (int round = 0; round < 5; round++) {
                double sum = sum_on(ex, grains[g]);
                cr_assert(sum == expected, "%a, not %a", sum, expected);
            }
            cf_executor_destroy(ex);
        }
    }
    cf_executor_destroy(single);
}

/* --- partial results of any size ------------------------------------------ */

enum { LARGE = 200001 };

static size_t sizes[] = {1, 3, 17, 64, 65, 257, LARGE};

/* Each byte counts the iterations of its remainder. */
static int
count_bytes(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    unsigned char *bytes = partial;
    size_t size = *(const size_t *)data;
    (void)call;
    for (size_t i = begin; i < end; i++)
        bytes[i % size]++;
    return 0;
}

static void
add_bytes(void *partial, void *next, void *data)
{
    unsigned char *bytes = partial;
    const unsigned char *more = next;
    for (size_t i = 0; i < *(const size_t *)data; i++)
        bytes[i] = (unsigned char)(bytes[i] + more[i]);
}

CF_TEST(a_partial_result_may_have_any_size)
{
    static const unsigned char zeros[LARGE];
    static unsigned char bytes[LARGE];
    cf_executor *ex = test_executor(2);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t size = sizes[s];
        assert_ok(cf_parallel_reduce(ex,
                                     0,
                                     N,
                                     100,
                                     count_bytes,
                                     add_bytes,
                                     zeros,
                                     size,
                                     &sizes[s],
                                     bytes));
        for (size_t i = 0; i < size; i++) {
            size_t expected = N / size + (i < N % size);
            cr_assert(bytes[i] == (unsigned char)expected, "%zu", i);
        }
    }
    cf_executor_destroy(ex);
}

/* --- failures ------------------------------------------------------------- */

CF_TEST(a_failure_is_returned_and_leaves_the_result)
{
    static const size_t grains[] = {0, 1, 100};
    cf_executor *ex = test_executor(2);
    seen *s = seen_new();
    for (int g = 0; g < 3; g++) {
        affine f = {77, 88};
        s->fail_at = 1234;
        assert_err(reduce(ex, 0, N, grains[g], s, &f), CF_ETASK);
        expect_affine(f, (affine){77, 88});
        s->fail_at = SIZE_MAX;
        assert_ok(reduce(ex, 0, N, grains[g], s, &f));
        expect_affine(f, in_a_loop(0, N));
    }
    cf_executor_destroy(ex);
}

CF_TEST(nothing_is_folded_after_a_failure)
{
    cf_executor *ex = test_executor(1);
    seen *s = seen_new();
    affine f;
    s->fail_at = 0;
    assert_err(reduce(ex, 0, N, 1, s, &f), CF_ETASK);
    cr_assert(s->calls == 1, "%d calls", s->calls);
    cf_executor_destroy(ex);
}

CF_TEST(bad_reductions_are_refused_and_run_nothing)
{
    cf_executor *ex = test_executor(1);
    seen *s = seen_new();
    affine f = {7, 8};
    assert_err(cf_parallel_reduce(
                   ex, 0, N, 0, compose, compose_two, &nothing, 0, s, &f),
               CF_EINVAL);
    static const size_t too_large[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4};
    for (int i = 0; i < 3; i++)
        assert_err(cf_parallel_reduce(ex,
                                      0,
                                      N,
                                      0,
                                      compose,
                                      compose_two,
                                      &nothing,
                                      too_large[i],
                                      s,
                                      &f),
                   CF_ETOOBIG);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(reduce(ex, 0, N, 0, s, &f), CF_ESHUTDOWN);
    cr_assert(s->calls == 0);
    expect_affine(f, (affine){7, 8});
    cf_executor_destroy(ex);
}

/* --- in tasks ------------------------------------------------------------- */

static int
reduce_inside(cf_call *call, const void *arg, size_t arg_size)
{
    affine f;
    (void)arg_size;
    cf_err err = reduce(cf_call_executor(call), 0, 1000, 10, (seen *)arg, &f);
    return err ? cf_fail(call, 1, "%s", cf_err_name(err))
               : cf_return(call, &f, sizeof f) != CF_OK;
}

CF_TEST(a_task_on_the_only_worker_may_reduce)
{
    for (int workers = 1; workers <= 2; workers++) {
        cf_executor *ex = test_executor(workers);
        seen *s = seen_new();
        cf_future *fs[4];
        for (int i = 0; i < 4; i++)
            fs[i] = must_submit(ex, reduce_inside, s, 0);
        for (int i = 0; i < 4; i++) {
            cf_bytes bytes;
            affine f;
            assert_ok(cf_future_result(fs[i], CF_FOREVER, &bytes));
            memcpy(&f, bytes.data, sizeof f);
            expect_affine(f, in_a_loop(0, 1000));
        }
        unref_all(fs, 4);
        cf_executor_destroy(ex);
    }
}

/* A reduction whose body is a reduction. */
static int
outer_body(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    for (size_t i = begin; i < end; i++) {
        affine f, *whole = partial;
        cf_err err =
            reduce(cf_call_executor(call), i * 100, i * 100 + 100, 7, data, &f);
        if (err != CF_OK)
            return cf_fail(call, 1, "%s", cf_err_name(err));
        *whole = then(*whole, f);
    }
    return 0;
}

CF_TEST(reductions_may_be_nested)
{
    cf_executor *ex = test_executor(2);
    affine f;
    assert_ok(cf_parallel_reduce(ex,
                                 0,
                                 50,
                                 1,
                                 outer_body,
                                 compose_two,
                                 &nothing,
                                 sizeof nothing,
                                 seen_new(),
                                 &f));
    expect_affine(f, in_a_loop(0, 5000));
    cf_executor_destroy(ex);
}

/* Waits until both workers are inside. */
static int
meet(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    gate *g = data;
    (void)call;
    gate_arrive(g);
    gate_await(g, 2);
    *(size_t *)partial += end - begin;
    return 0;
}

CF_CONCURRENT_TEST(pieces_are_folded_in_parallel)
{
    cf_executor *ex = test_executor(2);
    size_t sum = 0;
    assert_ok(cf_parallel_reduce(
        ex, 0, 2, 1, meet, add_counts, &sum, sizeof sum, gate_new(), &sum));
    cr_assert(sum == 2);
    cf_executor_destroy(ex);
}

/* --- a loop that is told to stop ------------------------------------------ */

/* A reduction in a task, and what it waits for. */
typedef struct stopped {
    gate *begun;
    cf_err err;
    affine result;
} stopped;

static int
wait_to_stop(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    (void)begin;
    (void)end;
    (void)partial;
    gate_arrive(((stopped *)data)->begun);
    while (!cf_call_canceled(call))
        (void)cf_sleep(call, 1000000);
    return cf_fail(call, 0, "stopped");
}

static int
reduce_and_stop(cf_call *call, const void *arg, size_t arg_size)
{
    stopped *s = *(stopped *const *)arg;
    (void)arg_size;
    s->result = (affine){7, 8};
    s->err = cf_parallel_reduce(cf_call_executor(call),
                                0,
                                4,
                                1,
                                wait_to_stop,
                                compose_two,
                                &nothing,
                                sizeof nothing,
                                s,
                                &s->result);
    return 0;
}

CF_THREAD_TEST(a_terminated_reduction_ends_and_leaves_the_result)
{
    cf_executor *ex = test_executor(3);
    stopped *s = shared_new(sizeof *s);
    s->begun = gate_new();
    cf_future *f = must_submit(ex, reduce_and_stop, &s, sizeof s);
    gate_await(s->begun, 1);
    assert_ok(cf_executor_terminate(ex, 15));
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cr_assert(s->err == CF_ECANCELED || s->err == CF_EINTERRUPTED,
              "%s",
              cf_err_name(s->err));
    expect_affine(s->result, (affine){7, 8});
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
