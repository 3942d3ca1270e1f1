/* SPDX-License-Identifier: MIT */
/*
 * Every macro of the headers, expanded: a header that compiles alone has not
 * shown that its initialisers do. Compiled as C and as C++, never run.
 */
#include <cfutures/cfutures.h>

int macros_task(cf_call *call, const void *arg, size_t arg_size);
const char *macros_name(int value);
cf_err macros_start(cf_executor **pool, cf_future **out);

#ifndef __cplusplus
int macros_typed(cf_executor *ex);

static int
half(cf_call *call, const int *n, double *result)
{
    *result = *n / 2.0;
    return cf_call_canceled(call);
}
CF_TASK_TYPED(half, int, double);

/* Types that are pointers, and names of more than one word. */
static int
length(cf_call *call, const char *const *text, unsigned long *result)
{
    (void)call;
    *result = (*text)[0] ? 1 : 0;
    return 0;
}
CF_TASK_TYPED(length, const char *, unsigned long);

static int
check(cf_call *call, const struct cf_bytes *bytes)
{
    return bytes->size ? 0 : cf_fail(call, 1, "nothing");
}
CF_TASK_TYPED_VOID(check, struct cf_bytes);

int
macros_typed(cf_executor *ex)
{
    half_future f;
    check_future checks[2];
    const length_arg text = "text";
    const unsigned long *view;
    double result;
    if (half_submit(ex, 3, &f) || half_result(f, CF_FOREVER, &result))
        return 1;
    half_unref(f);
    return check_submit_many(ex, NULL, 0, checks) ||
           length_view((length_future){NULL}, 0, &view) ||
           length_map_array(ex, &text, 1, NULL, NULL);
}
#endif

int
macros_task(cf_call *call, const void *arg, size_t arg_size)
{
    if (arg == NULL)
        return cf_fail(call, 1, "no argument");
    if (arg_size != sizeof(int))
        return cf_fail(call, 2, "%zu bytes", arg_size);
    return cf_return(call, arg, arg_size) == CF_OK ? 0 : 1;
}

const char *
macros_name(int value)
{
    switch (value) {
#define NAME(name, number, text)                                               \
    case number:                                                               \
        return #name ": " text;
        CF_ERR_MAP(NAME)
#undef NAME
    default:
        return CF_VERSION_STRING;
    }
}

cf_err
macros_start(cf_executor **pool, cf_future **out)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_map_options map = CF_MAP_OPTIONS_INIT;
    cf_task task = CF_TASK_INIT;
    cf_error error = CF_ERROR_INIT;

    options.max_workers = CF_VERSION_MAJOR + CF_VERSION_MINOR;
    map.timeout_ns = CF_SECONDS(CF_VERSION_PATCH);
    task.fn = macros_task;
    task.timeout_ns = map.timeout_ns == 0 ? CF_FOREVER : CF_MS(10);
    if (error.worker != -1)
        return error.kind;
#ifndef __cplusplus
    if (map.timeout_ns == CF_FOREVER)
        return cf_thread_pool_create(
            &CF_THREAD_POOL_OPTIONS(.max_workers = 2, .pin_workers = 1), pool);
    if (map.timeout_ns == CF_SECONDS(1))
        return cf_process_pool_create(&CF_PROCESS_POOL_OPTIONS(), pool);
    if (map.unordered)
        return cf_submit_task(
            *pool, &CF_TASK(.fn = macros_task, .name = "task"), out);
    map = CF_MAP_OPTIONS(.chunk_size = 1);
#endif
    cf_err err = cf_thread_pool_create(&options, pool);
    return err == CF_OK ? cf_submit_task(*pool, &task, out) : err;
}
