/* SPDX-License-Identifier: MIT */
/*
 * Factorials by binary splitting: n! is the product of 1 .. n, a product of
 * many numbers is that of its two halves, and halves that are large enough
 * become tasks. GMP multiplies two numbers of equal length far faster than a
 * long by a short one, which is why the halves are worth it even in one
 * thread.
 *
 * Time is the thread's CPU time, which a task stops while it submits and
 * waits: there it may be running other tasks, which count for themselves.
 */
#include "work.h"

#include "clock.h"

#include <cfutures/executor.h>

#include <gmp.h>
#include <limits.h>
#include <string.h>

enum {
    PART_NUMBERS = 20000, /* the most a task multiplies without splitting */
    LEAF_NUMBERS = 32     /* the most that are multiplied one by one */
};

/* A sub-product, as an argument: first * ... * last. */
typedef struct product_arg {
    uint32_t first;
    uint32_t last;
} product_arg;

/* A sub-product, as a result; its value follows as 64-bit words, the least
 * significant word and byte first. */
typedef struct product_result {
    uint64_t cpu_ns;
    uint64_t parts;
} product_result;

enum { WORD_SIZE = 8, WORD_ORDER = -1, BYTE_ORDER_IN_WORD = -1 };

/* One task's run, and what it and its parts have cost. */
typedef struct work {
    cf_call *call;
    uint64_t started_ns; /* CPU time, at the last start_clock() */
    uint64_t cpu_ns;     /* ... before that, and of finished parts */
    uint64_t parts;
} work;

static void
start_clock(work *w)
{
    w->started_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void
stop_clock(work *w)
{
    w->cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - w->started_ns;
}

/* Sets out to first * ... * last, in this thread. */
static void
multiply_range(mpz_t out, uint32_t first, uint32_t last)
{
    if (last - first >= LEAF_NUMBERS) {
        uint32_t middle = first + (last - first) / 2;
        mpz_t upper;
        mpz_init(upper);
        multiply_range(out, first, middle);
        multiply_range(upper, middle + 1, last);
        mpz_mul(out, out, upper);
        mpz_clear(upper);
        return;
    }
    unsigned long pending = first; /* not multiplied into out yet */
    mpz_set_ui(out, 1);
    for (uint32_t n = first + 1; n <= last; n++) {
        if (pending > ULONG_MAX / n) {
            mpz_mul_ui(out, out, pending);
            pending = n;
        } else {
            pending *= n;
        }
    }
    mpz_mul_ui(out, out, pending);
}

static int
fail(work *w, cf_err err, const char *what)
{
    return cf_fail(w->call, (int)err, "%s: %s", what, cf_strerror(err));
}

/* Multiplies out by the sub-product that another task computes. */
static int
multiply_by_part(work *w, mpz_t out, cf_future *part)
{
    cf_bytes bytes;
    stop_clock(w);
    cf_err err = cf_future_result(part, CF_FOREVER, &bytes);
    start_clock(w);
    if (err != CF_OK)
        return fail(w, err, "a sub-product");

    const product_result *result = bytes.data;
    size_t words = (bytes.size - sizeof(*result)) / WORD_SIZE;
    mpz_t value;
    mpz_init(value);
    mpz_import(
        value, words, WORD_ORDER, WORD_SIZE, BYTE_ORDER_IN_WORD, 0, result + 1);
    mpz_mul(out, out, value);
    mpz_clear(value);
    w->cpu_ns += result->cpu_ns;
    w->parts += result->parts + 1;
    return 0;
}

static cf_task_fn product_task;

/* Sets out to first * ... * last: the lower half here, the upper one by a
 * task; each splits again while it is large. */
static int
multiply_in_parts(work *w, mpz_t out, uint32_t first, uint32_t last)
{
    if (cf_call_canceled(w->call))
        return fail(w, CF_ECANCELED, "given up");
    if (last - first < PART_NUMBERS) {
        multiply_range(out, first, last);
        return 0;
    }
    uint32_t middle = first + (last - first) / 2;
    product_arg upper = {middle + 1, last};
    cf_executor *ex = cf_call_executor(w->call);
    cf_future *part;
    stop_clock(w); /* the inline executor computes the part right now */
    cf_err err = cf_submit(ex, product_task, &upper, sizeof(upper), &part);
    start_clock(w);
    if (err != CF_OK)
        return fail(w, err, "submitting a sub-product");

    int failed = multiply_in_parts(w, out, first, middle);
    if (failed)
        cf_future_interrupt(part); /* nobody will ask for it */
    else
        failed = multiply_by_part(w, out, part);
    cf_future_unref(part);
    return failed;
}

static int
return_product(work *w, const mpz_t value)
{
    size_t bits = mpz_sizeinbase(value, 2);
    size_t words = (bits + 8 * WORD_SIZE - 1) / (8 * WORD_SIZE);
    product_result *result =
        cf_return_buffer(w->call, sizeof(*result) + words * WORD_SIZE);
    if (result == NULL)
        return fail(w, CF_ENOMEM, "a sub-product's result");
    mpz_export(
        result + 1, NULL, WORD_ORDER, WORD_SIZE, BYTE_ORDER_IN_WORD, 0, value);
    stop_clock(w);
    result->cpu_ns = w->cpu_ns;
    result->parts = w->parts;
    return 0;
}

static int
product_task(cf_call *call, const void *arg, size_t arg_size)
{
    const product_arg *range = arg;
    work w = {.call = call};
    mpz_t value;
    (void)arg_size;
    start_clock(&w);
    mpz_init(value);
    int failed = multiply_in_parts(&w, value, range->first, range->last);
    if (!failed)
        failed = return_product(&w, value);
    mpz_clear(value);
    return failed;
}

static uint64_t
fnv1a(const mpz_t value)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t bytes = (mpz_sizeinbase(value, 2) + 7) / 8;
    while (bytes-- > 0) {
        mp_limb_t limb = mpz_getlimbn(value, (mp_size_t)(bytes / sizeof(limb)));
        unsigned shift = 8 * (unsigned)(bytes % sizeof(limb));
        hash = (hash ^ ((limb >> shift) & 0xff)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Exactly, where mpz_sizeinbase() may be one too many. */
static uint64_t
count_digits(const mpz_t value)
{
    size_t digits = mpz_sizeinbase(value, 10);
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)digits - 1);
    if (mpz_cmp(value, power) < 0)
        digits--;
    mpz_clear(power);
    return digits;
}

static int
return_factorial(work *w, const factorial_arg *arg, const mpz_t value)
{
    size_t text_size = 0; /* GMP wants room for a sign and a zero byte */
    if (arg->print == PRINT_VALUE)
        text_size = mpz_sizeinbase(value, 10) + 2;
    factorial_result *result =
        cf_return_buffer(w->call, sizeof(*result) + text_size);
    if (result == NULL)
        return fail(w, CF_ENOMEM, "a factorial's result");
    result->n = arg->n;
    result->parts = (uint32_t)w->parts;
    result->checksum = fnv1a(value);
    result->digits = 0;
    if (arg->print == PRINT_VALUE)
        result->digits = strlen(mpz_get_str((char *)(result + 1), 10, value));
    else if (arg->print == PRINT_DIGITS)
        result->digits = count_digits(value);
    stop_clock(w);
    result->cpu_ns = w->cpu_ns;
    return 0;
}

int
factorial_task(cf_call *call, const void *arg, size_t arg_size)
{
    const factorial_arg *f = arg;
    work w = {.call = call};
    mpz_t value;
    (void)arg_size;
    start_clock(&w);
    mpz_init(value);
    int failed = multiply_in_parts(&w, value, 1, f->n > 0 ? f->n : 1);
    if (!failed)
        failed = return_factorial(&w, f, value);
    mpz_clear(value);
    return failed;
}
