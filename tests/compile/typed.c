/* SPDX-License-Identifier: MIT */
/*
 * What typed tasks refuse, in parts that typed.sh compiles one at a time. A
 * compiler says one of the sentences of the part. Never run.
 */
#include <cfutures/typed.h>

int uses(cf_executor *ex);

static int
half(cf_call *call, const int *n, double *result)
{
    *result = *n / 2.0;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(half, int, double);

static int
whole(cf_call *call, const int *n, double *result)
{
    *result = *n;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(whole, int, double);

static int
print(cf_call *call, const int *n)
{
    (void)n;
    return cf_call_canceled(call);
}
CF_TASK_TYPED_VOID(print, int);

#if PART == 1
/* says: it must be int wrong(cf_call *, long const *, double *) */
static int
wrong(cf_call *call, const int *n, double *result)
{
    *result = *n;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(wrong, long, double);
#endif

#if PART == 2
/* says: it must be int wrong(cf_call *, int const *, float *) */
static int
wrong(cf_call *call, const int *n, double *result)
{
    *result = *n;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(wrong, int, float);
#endif

#if PART == 3
/* says: it must be int wrong(cf_call *, int const *, double *) */
static int
wrong(cf_call *call, int *n, double *result)
{
    *result = *n;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(wrong, int, double);
#endif

#if PART == 4
/* says: it must be int half(cf_call *, int const *) */
CF_TASK_TYPED_VOID(half, int);
#endif

#if PART == 5
/* says: the alignment of struct wide is too large */
struct wide {
    _Alignas(64) int n;
};
static int
wrong(cf_call *call, const struct wide *wide)
{
    (void)wide;
    return cf_call_canceled(call);
}
CF_TASK_TYPED_VOID(wrong, struct wide);
#endif

int
uses(cf_executor *ex)
{
    half_future f;
    whole_future other;
    print_future printed;
    half_results results;
    double result;
    const double *view;
    int args[2] = {1, 2};
    double values[2];
    cf_err err = half_submit(ex, 3, &f) || whole_submit(ex, 3, &other) ||
                 print_submit(ex, 3, &printed) ||
                 half_map(ex, args, 2, NULL, &results) ||
                 half_map_array(ex, args, 2, values, NULL);
#if PART == 6
    /* says: but argument is of type 'whole_future' */
    /* says: passing 'whole_future' */
    err = half_result(other, CF_FOREVER, &result);
#elif PART == 7
    /* says: but argument is of type 'whole_future *' */
    /* says: passing 'whole_future *' */
    err = half_submit(ex, 3, &other);
#elif PART == 8
    /* says: but argument is of type 'int *' */
    /* says: passing 'int *' */
    int whole_number;
    err = half_result(f, CF_FOREVER, &whole_number);
#elif PART == 9
    /* says: but argument is of type 'const int **' */
    /* says: passing 'const int **' */
    const int *whole_number;
    err = half_view(f, CF_FOREVER, &whole_number);
#elif PART == 10
    /* says: but argument is of type 'long int *' */
    /* says: passing 'long[2]' */
    long longs[2] = {1, 2};
    err = half_map_array(ex, longs, 2, values, NULL);
#elif PART == 11
    /* says: but argument is of type 'float *' */
    /* says: passing 'float[2]' */
    float floats[2];
    err = half_map_array(ex, args, 2, floats, NULL);
#elif PART == 12
    /* says: but argument is of type 'char *' */
    /* says: passing 'char[2]' */
    err = half_submit(ex, "3", &f);
#elif PART == 13
    /* says: but argument is of type 'cf_future *' */
    /* says: passing 'cf_future *' */
    err = half_result(f.future, CF_FOREVER, &result);
#endif
    return err || half_result(f, CF_FOREVER, &result) ||
           half_view(f, CF_FOREVER, &view) ||
           half_next(results, CF_FOREVER, &result) ||
           print_result(printed, CF_FOREVER);
}
