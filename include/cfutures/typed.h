/* SPDX-License-Identifier: MIT */
/*
 * Tasks with types, in C: a function whose argument and result are no bytes,
 * and one line below it.
 *
 *     static int
 *     is_prime(cf_call *call, const uint64_t *n, bool *result)
 *     {
 *         ...
 *         *result = found == 0;
 *         return 0;
 *     }
 *     CF_TASK_TYPED(is_prime, uint64_t, bool);
 *
 *     is_prime_future f;
 *     bool prime;
 *     cf_err err = is_prime_submit(pool, 97, &f);
 *     if (!err) {
 *         err = is_prime_result(f, CF_FOREVER, &prime);
 *         is_prime_unref(f);
 *     }
 *
 * An argument of another type does not compile, nor does the future of another
 * task. The function stays plain C: it can be called, and stopped at in a
 * debugger. It returns what a cf_task_fn returns, and may call cf_fail(). It
 * must have filled *result when it returns 0, and sets no result of its own
 * (cf_return()).
 *
 * The argument is copied into the task and the result out of it, as bytes: on a
 * process pool, pointers in them mean what cf_task.arg_size says. The result is
 * written where the future keeps it (cf_return_buffer()), without a copy.
 * Bytes without a fixed size, such as a head with a tail, stay for cf_submit().
 *
 * Some compilers only warn of pointers of the wrong type:
 * -Werror=incompatible-pointer-types makes that an error.
 */
#ifndef CFUTURES_TYPED_H
#define CFUTURES_TYPED_H

#include <cfutures/executor.h>
#include <cfutures/map.h>

#include <string.h>

/*
 * CF_TASK_TYPED(name, A, R); stands below int name(cf_call *, const A *, R *),
 * and CF_TASK_TYPED_VOID(name, A); below int name(cf_call *, const A *), a task
 * without a result. A and R are names of types; one that is a pointer to a
 * function needs a typedef, and an array a struct around it. Each of these
 * calls does what the call of the library does that it is named for, with the
 * same errors:
 *
 *   name_future              a struct with the handle, its member future: for
 *                            cf_future_wait() and all other calls
 *   name_submit(ex, arg, &f)                        cf_submit()
 *   name_submit_task(ex, &task, arg, &f)            cf_submit_task(); of task,
 *                            fn, arg and arg_size are not used
 *   name_submit_when(ex, &task, arg, inputs, count, &f)
 *                            cf_submit_when(); task as in name_submit_task()
 *   name_submit_many(ex, args, count, fs)           cf_submit_many()
 *   name_result(f, timeout_ns, &result)             cf_future_result(); copies
 *   name_view(f, timeout_ns, &pointer)              the same without a copy:
 *                            lent as long as the caller holds a handle
 *   name_unref(f)                                   cf_future_unref()
 *   name_map_array(ex, items, count, results, opts) cf_map_array()
 *   name_map(ex, items, count, opts, &r)            cf_map(); r is a
 *                            name_results, a struct with the member results,
 *                            for cf_results_destroy() and others
 *   name_next(r, timeout_ns, &result)               cf_results_next()
 *   name_task                the cf_task_fn, for what takes one; its argument
 *                            must be one A
 *   name_arg, name_value     A and R
 *
 * result and pointer may be NULL, and are untouched on error. In a task
 * without a result there are no such parameters, and no name_view. A future
 * whose result is no R, put into a name_future by hand, is CF_EINVAL.
 */

#ifdef __cplusplus

#define CF_TASK_TYPED(name, ...)                                               \
    static_assert(sizeof(#name) == 0,                                          \
                  "CF_TASK_TYPED is for C: in C++, cf_submit() takes " #name)
#define CF_TASK_TYPED_VOID(name, A) CF_TASK_TYPED(name, A)

#else

#if defined(__GNUC__)
#define CF__TYPED __attribute__((unused)) static inline
#else
#define CF__TYPED static inline
#endif

/* The types that do not depend on a result. */
#define CF__TYPED_ARG(name, A)                                                 \
    typedef A name##_arg;                                                      \
    typedef struct name##_future {                                             \
        cf_future *future;                                                     \
    } name##_future;                                                           \
    typedef struct name##_results {                                            \
        cf_results *results;                                                   \
    } name##_results;                                                          \
    _Static_assert(_Alignof(name##_arg) <= _Alignof(max_align_t),              \
                   "CF_TASK_TYPED: the alignment of " #A " is too large");     \
    _Static_assert(sizeof(name##_future) == sizeof(cf_future *),               \
                   "an array of futures is one of handles")

/* typed: what task says, for this function with arg. Both are parameters. */
#define CF__TYPED_TASK(name)                                                   \
    const name##_arg *bytes = &arg;                                            \
    cf_task typed = *task;                                                     \
    typed.fn = name##_task;                                                    \
    typed.arg = bytes;                                                         \
    typed.arg_size = sizeof *bytes

/* The calls that do not know of a result. */
#define CF__TYPED_CALLS(name)                                                  \
    CF__TYPED cf_err name##_submit(                                            \
        cf_executor *ex, name##_arg arg, name##_future *out)                   \
    {                                                                          \
        const name##_arg *bytes = &arg;                                        \
        return cf_submit(                                                      \
            ex, name##_task, bytes, sizeof *bytes, out ? &out->future : NULL); \
    }                                                                          \
    CF__TYPED cf_err name##_submit_task(cf_executor *ex,                       \
                                        const cf_task *task,                   \
                                        name##_arg arg,                        \
                                        name##_future *out)                    \
    {                                                                          \
        if (!task)                                                             \
            return CF_EINVAL;                                                  \
        CF__TYPED_TASK(name);                                                  \
        return cf_submit_task(ex, &typed, out ? &out->future : NULL);          \
    }                                                                          \
    CF__TYPED cf_err name##_submit_when(cf_executor *ex,                       \
                                        const cf_task *task,                   \
                                        name##_arg arg,                        \
                                        cf_future *const *inputs,              \
                                        size_t count,                          \
                                        name##_future *out)                    \
    {                                                                          \
        if (!task)                                                             \
            return CF_EINVAL;                                                  \
        CF__TYPED_TASK(name);                                                  \
        return cf_submit_when(                                                 \
            ex, &typed, inputs, count, out ? &out->future : NULL);             \
    }                                                                          \
    CF__TYPED cf_err name##_submit_many(cf_executor *ex,                       \
                                        const name##_arg *args,                \
                                        size_t count,                          \
                                        name##_future *out)                    \
    {                                                                          \
        return cf_submit_many(ex,                                              \
                              name##_task,                                     \
                              args,                                            \
                              sizeof *args,                                    \
                              count,                                           \
                              out ? &out->future : NULL);                      \
    }                                                                          \
    CF__TYPED void name##_unref(name##_future f)                               \
    {                                                                          \
        cf_future_unref(f.future);                                             \
    }                                                                          \
    CF__TYPED cf_err name##_map(cf_executor *ex,                               \
                                const name##_arg *items,                       \
                                size_t count,                                  \
                                const cf_map_options *opts,                    \
                                name##_results *out)                           \
    {                                                                          \
        return cf_map(ex,                                                      \
                      name##_task,                                             \
                      items,                                                   \
                      sizeof *items,                                           \
                      count,                                                   \
                      opts,                                                    \
                      out ? &out->results : NULL);                             \
    }

/* The calls that do. */
#define CF__TYPED_RESULTS(name)                                                \
    CF__TYPED cf_err name##_view(                                              \
        name##_future f, int64_t timeout_ns, const name##_value **out)         \
    {                                                                          \
        cf_bytes bytes;                                                        \
        cf_err err = cf_future_result(f.future, timeout_ns, &bytes);           \
        if (!err && bytes.size != sizeof **out)                                \
            err = CF_EINVAL;                                                   \
        if (!err && out)                                                       \
            *out = (const name##_value *)bytes.data;                           \
        return err;                                                            \
    }                                                                          \
    CF__TYPED cf_err name##_result(                                            \
        name##_future f, int64_t timeout_ns, name##_value *out)                \
    {                                                                          \
        const name##_value *value;                                             \
        cf_err err = name##_view(f, timeout_ns, &value);                       \
        if (!err && out)                                                       \
            memcpy(out, value, sizeof *out);                                   \
        return err;                                                            \
    }                                                                          \
    CF__TYPED cf_err name##_next(                                              \
        name##_results r, int64_t timeout_ns, name##_value *out)               \
    {                                                                          \
        cf_bytes bytes;                                                        \
        cf_err err = cf_results_next(r.results, timeout_ns, &bytes);           \
        if (!err && bytes.size != sizeof *out)                                 \
            err = CF_EINVAL;                                                   \
        if (!err && out)                                                       \
            memcpy(out, bytes.data, sizeof *out);                              \
        return err;                                                            \
    }                                                                          \
    CF__TYPED cf_err name##_map_array(cf_executor *ex,                         \
                                      const name##_arg *items,                 \
                                      size_t count,                            \
                                      name##_value *results,                   \
                                      const cf_map_options *opts)              \
    {                                                                          \
        return cf_map_array(ex,                                                \
                            name##_task,                                       \
                            items,                                             \
                            sizeof *items,                                     \
                            count,                                             \
                            results,                                           \
                            sizeof *results,                                   \
                            opts);                                             \
    }

#define CF__TYPED_NO_RESULTS(name)                                             \
    CF__TYPED cf_err name##_result(name##_future f, int64_t timeout_ns)        \
    {                                                                          \
        return cf_future_result(f.future, timeout_ns, NULL);                   \
    }                                                                          \
    CF__TYPED cf_err name##_next(name##_results r, int64_t timeout_ns)         \
    {                                                                          \
        return cf_results_next(r.results, timeout_ns, NULL);                   \
    }                                                                          \
    CF__TYPED cf_err name##_map_array(cf_executor *ex,                         \
                                      const name##_arg *items,                 \
                                      size_t count,                            \
                                      const cf_map_options *opts)              \
    {                                                                          \
        return cf_map_array(                                                   \
            ex, name##_task, items, sizeof *items, count, NULL, 0, opts);      \
    }

/* What a task fails with if its cf_task_fn was given something else. */
#define CF__TYPED_FAIL(call, bytes)                                            \
    cf_fail((call),                                                            \
            CF_EINVAL,                                                         \
            "an argument of %zu bytes is not its type's",                      \
            (bytes))

#define CF_TASK_TYPED(name, A, R)                                              \
    CF__TYPED_ARG(name, A);                                                    \
    typedef R name##_value;                                                    \
    _Static_assert(_Alignof(name##_value) <= _Alignof(max_align_t),            \
                   "CF_TASK_TYPED: the alignment of " #R " is too large");     \
    _Static_assert(                                                            \
        _Generic(&(name),                                                      \
                 int (*)(cf_call *, const name##_arg *, name##_value *) : 1,   \
                 default : 0),                                                 \
        "CF_TASK_TYPED: it must be int " #name "(cf_call *, " #A               \
        " const *, " #R " *)");                                                \
    CF__TYPED int name##_task(cf_call *call, const void *arg, size_t arg_size) \
    {                                                                          \
        if (arg_size != 0 && arg_size != sizeof(name##_arg))                   \
            return CF__TYPED_FAIL(call, arg_size);                             \
        name##_value *value =                                                  \
            (name##_value *)cf_return_buffer(call, sizeof *value);             \
        if (!value)                                                            \
            return cf_fail(call,                                               \
                           CF_ENOMEM,                                          \
                           "no room for a result of %zu bytes",                \
                           sizeof *value);                                     \
        return name(call, (const name##_arg *)arg, value);                     \
    }                                                                          \
    CF__TYPED_CALLS(name)                                                      \
    CF__TYPED_RESULTS(name)                                                    \
    _Static_assert(1, "")

#define CF_TASK_TYPED_VOID(name, A)                                            \
    CF__TYPED_ARG(name, A);                                                    \
    _Static_assert(_Generic(&(name),                                           \
                            int (*)(cf_call *, const name##_arg *) : 1,        \
                            default : 0),                                      \
                   "CF_TASK_TYPED_VOID: it must be int " #name                 \
                   "(cf_call *, " #A " const *)");                             \
    CF__TYPED int name##_task(cf_call *call, const void *arg, size_t arg_size) \
    {                                                                          \
        if (arg_size != 0 && arg_size != sizeof(name##_arg))                   \
            return CF__TYPED_FAIL(call, arg_size);                             \
        return name(call, (const name##_arg *)arg);                            \
    }                                                                          \
    CF__TYPED_CALLS(name)                                                      \
    CF__TYPED_NO_RESULTS(name)                                                 \
    _Static_assert(1, "")

#endif

#endif
