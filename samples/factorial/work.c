/* SPDX-License-Identifier: MIT */
/*
 * Factorials by binary splitting: n! is the product of 1 .. n, a product of
 * many numbers is that of its two halves, and halves that are large enough
 * become jobs. GMP multiplies two numbers of equal length far faster than a
 * long by a short one, which is why the halves are worth it even in one
 * thread.
 *
 * Time is the thread's CPU time, which a task stops while it joins a job: there
 * it may be running that job, or another one, which count for themselves.
 */
#include "work.h"

#include "clock.h"

#include <cfutures/spawn.h>

#include <gmp.h>
#include <limits.h>
#include <string.h>

enum {
    PART_NUMBERS = 20000, /* the most a job multiplies without splitting */
    LEAF_NUMBERS = 32     /* the most that are multiplied one by one */
};

/* One run of a task or a job, and what it and its parts have cost. */
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

/* A sub-product: first * ... * last, and what that has cost. */
typedef struct part {
    uint32_t first;
    uint32_t last;
    mpz_t value;
    uint64_t cpu_ns;
    uint64_t parts;
} part;

static cf_job_fn part_job;

/* Sets out to first * ... * last: the lower half here, the upper one by a job;
 * each splits again while it is large. */
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
    part upper = {.first = middle + 1, .last = last};
    cf_job job;
    mpz_init(upper.value);
    cf_spawn(w->call, &job, part_job, &upper);
    int failed = multiply_in_parts(w, out, first, middle);
    stop_clock(w); /* the join may run the job right now */
    int upper_failed = cf_join(w->call, &job);
    start_clock(w);
    if (!failed && !upper_failed)
        mpz_mul(out, out, upper.value);
    mpz_clear(upper.value);
    w->cpu_ns += upper.cpu_ns;
    w->parts += upper.parts + 1;
    return failed ? failed : upper_failed;
}

static int
part_job(cf_call *call, void *arg)
{
    part *p = arg;
    work w = {.call = call};
    start_clock(&w);
    int failed = multiply_in_parts(&w, p->value, p->first, p->last);
    stop_clock(&w);
    p->cpu_ns = w.cpu_ns;
    p->parts = w.parts;
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
