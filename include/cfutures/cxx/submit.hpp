/* SPDX-License-Identifier: MIT */
/*
 * Submits: how a callable and its arguments become the bytes, or the object, of
 * a task, for executors that share memory and for those that do not. What
 * cannot travel to another process is said at compile time.
 */
#ifndef CFUTURES_CXX_SUBMIT_HPP
#define CFUTURES_CXX_SUBMIT_HPP

#include <cfutures/cxx/call.hpp>
#include <cfutures/cxx/codec.hpp>

namespace cf
{

/* Where the tasks of an executor run, as far as its type says it. */
enum class reach {
    threads,   /* in the program's memory: any callable, any arguments */
    processes, /* in other processes: what travels */
    anywhere   /* known when the program runs: what does not travel is a
                  cf::error with CF_ENOTSUP if it would have to */
};

/* About one task: the first argument of a submit, if it is given. */
class options
{
  public:
    /* For errors and traces; it must outlive the task, as a literal does. */
    options &name(const char *literal) noexcept
    {
        task_.name = literal;
        return *this;
    }
    /* Higher starts first; in the order of submits among equals. */
    options &priority(int level) noexcept
    {
        task_.priority = level;
        return *this;
    }
    /* As cf_task.timeout_ns: the future fails with CF_EDEADLINE. */
    template <class D> options &timeout(D duration) noexcept
    {
        task_.timeout_ns = detail::to_ns(duration);
        return *this;
    }
    /* Not queued before; PENDING, and can be cancelled, until then. */
    template <class D> options &delay(D duration) noexcept
    {
        task_.delay_ns = detail::to_ns(duration);
        return *this;
    }
    const cf_task &task() const noexcept
    {
        return task_;
    }

  private:
    cf_task task_ = CF_TASK_INIT;
};

namespace detail
{

/* What a submit needs besides the job. */
struct target {
    cf_executor *ex;
    const cf_task *attributes = nullptr;
    cf_future **out = nullptr;         /* NULL: detached */
    cf_group *group = nullptr;         /* as its child */
    cf_future *const *input = nullptr; /* when that is done, however */

    cf_task task() const noexcept
    {
        cf_task task = CF_TASK_INIT;
        if (attributes)
            task = *attributes;
        if (input)
            task.flags |= CF_WHEN_ANYWAY;
        return task;
    }
    cf_err submit(const cf_task &task) const noexcept
    {
        if (group)
            return cf_group_submit_task(group, &task, out);
        if (input)
            return cf_submit_when(ex, &task, input, 1, out);
        return cf_submit_task(ex, &task, out);
    }
};

inline cf_err
submit_bytes(const target &to,
             cf_task_fn *fn,
             const void *arg,
             std::size_t size)
{
    if (!to.attributes && !to.group && !to.input)
        return cf_submit(to.ex, fn, arg, size, to.out);
    cf_task task = to.task();
    task.fn = fn;
    task.arg = arg;
    task.arg_size = size;
    return to.submit(task);
}

/* The argument's memory in a task is the task's own to change. */
template <class Job>
Job &
job_of(const void *arg) noexcept
{
    return *static_cast<Job *>(const_cast<void *>(arg));
}

template <class R, class F, class... A>
void
run_and_deliver(job<F, A...> &of, cf_call *handle)
{
    deliver<R>(handle, [&]() -> R {
        using indices = std::index_sequence_for<A...>;
        if constexpr (std::is_void_v<R>)
            static_cast<void>(run_job<F, A...>(of, handle, indices{}));
        else
            return run_job<F, A...>(of, handle, indices{});
    });
}

template <class R, class F, class... A>
int
task_of(cf_call *handle, const void *arg, std::size_t)
{
    return guarded(handle, [&] {
        run_and_deliver<R, F, A...>(job_of<job<F, A...>>(arg), handle);
    });
}

/* A callable without state and without arguments is no bytes at all. */
template <class R, class F>
int
task_of_empty(cf_call *handle, const void *, std::size_t)
{
    return guarded(handle, [&] {
        alignas(F) unsigned char nothing[sizeof(F)] = {};
        run_and_deliver<R, F>(job_of<job<F>>(nothing), handle);
    });
}

template <class R, class F, class... A>
cf_err
submit_shared(const target &to, job<F, A...> &of)
{
    using job_type = job<F, A...>;
    if constexpr (sizeof...(A) == 0 && std::is_empty_v<F> &&
                  std::is_trivially_copyable_v<F>) {
        return submit_bytes(to, task_of_empty<R, F>, nullptr, 0);
    } else if constexpr (std::is_trivially_copyable_v<job_type>) {
        return submit_bytes(to, task_of<R, F, A...>, &of, sizeof of);
    } else {
        cf_task task = to.task();
        if constexpr (std::is_nothrow_move_constructible_v<job_type>) {
            task.fn = task_of<R, F, A...>;
            task.arg = &of;
            task.arg_ops = &ops<job_type>;
            return to.submit(task);
        } else {
            auto *boxed = new job_type(std::move(of)); /* its move may throw */
            task.fn = task_of<R, F, A...>;
            task.arg = boxed;
            task.arg_free = [](void *arg) {
                delete static_cast<job_type *>(arg);
            };
            const cf_err err = to.submit(task);
            if (err)
                delete boxed;
            return err;
        }
    }
}

/* Runs a job that came as the bytes of F and the codecs' of A..., and sends
 * back what comes of it. */
template <class R, class F, class... A>
int
task_of_coded(cf_call *handle, const void *arg, std::size_t size)
{
    return guarded(handle, [&] {
        reader from(arg, size);
        job<F, A...> of{{{get_plain<F>(from)}, {detail::get<A>(from)}...}};
        if constexpr (std::is_void_v<R> || is_plain<R>) {
            run_and_deliver<R, F, A...>(of, handle);
        } else {
            writer to;
            detail::put<R>(
                to,
                run_job<F, A...>(of, handle, std::index_sequence_for<A...>{}));
            check(cf_return(handle, to.all().data(), to.all().size()));
        }
    });
}

template <class F>
inline constexpr bool callable_travels = std::is_trivially_copyable_v<F> &&
                                         (!std::is_class_v<F> ||
                                          std::is_standard_layout_v<F>);

template <class R, class F, class... A>
inline constexpr bool job_travels =
    callable_travels<F> && (... && has_codec<A>::value) &&
    std::conditional_t<std::is_void_v<R>, std::true_type, has_codec<R>>::value;

/* Says what cannot travel. The reference that a lambda captures is a member of
 * it, and such a class has no standard layout. */
template <class R, class F, class... A>
constexpr void
explain_travel()
{
    static_assert(
        std::is_trivially_copyable_v<F>,
        "cf::process_pool: the callable must be trivially copyable to travel "
        "to another process: capture plain values, and pass strings and "
        "containers as arguments");
    static_assert(
        !std::is_trivially_copyable_v<F> || callable_travels<F>,
        "cf::process_pool: the callable captures by reference, and a reference "
        "does not travel to another process: capture by value, or pass an "
        "argument");
    static_assert(
        (... && has_codec<A>::value),
        "cf::process_pool: an argument cannot travel to another process: it is "
        "a pointer, a view, or a type without a cf::codec");
    static_assert(
        std::is_void_v<R> || has_codec<R>::value,
        "cf::process_pool: the result cannot travel back from another process: "
        "it is a pointer, a reference, a view, or a type without a cf::codec");
}

/* Whether all is trivially copyable: then threads and processes have the same
 * task. */
template <class R, class F, class... A>
inline constexpr bool is_plain_job = callable_travels<F> &&
                                     (... && is_plain<A>)&&(std::is_void_v<R> ||
                                                            is_plain<R>);

template <class F, class... A, std::size_t... I>
void
put_job(writer &to, job<F, A...> &of, std::index_sequence<I...>)
{
    to.bytes(&at<0>(of), sizeof(F));
    (detail::put<A>(to, at<I + 1>(of)), ...);
}

template <class R, class F, class... A>
cf_err
submit_coded(const target &to, job<F, A...> &of)
{
    if constexpr (is_plain_job<R, F, A...>) {
        return submit_shared<R, F, A...>(to, of);
    } else {
        writer bytes;
        put_job<F, A...>(bytes, of, std::index_sequence_for<A...>{});
        return submit_bytes(to,
                            task_of_coded<R, F, A...>,
                            bytes.all().data(),
                            bytes.all().size());
    }
}

/* Whether R comes from another process as the bytes of its codec. */
template <class R>
inline constexpr bool is_coded_result =
    !std::is_void_v<R> && !std::is_reference_v<R> && !is_plain<R> &&
    has_codec<R>::value;

/* Submits to an executor of that reach; *coded: how the result will come. */
template <reach Reach, class R, class F, class... A>
void
submit_job(const target &to, bool *coded, job<F, A...> &&of)
{
    *coded = false;
    if constexpr (Reach == reach::threads) {
        check(submit_shared<R, F, A...>(to, of));
    } else if constexpr (Reach == reach::processes) {
        explain_travel<R, F, A...>();
        if constexpr (job_travels<R, F, A...>) {
            *coded = is_coded_result<R>;
            check(submit_coded<R, F, A...>(to, of));
        }
    } else if (cf_executor_shares_memory(to.ex)) {
        check(submit_shared<R, F, A...>(to, of));
    } else if constexpr (job_travels<R, F, A...>) {
        *coded = is_coded_result<R>;
        check(submit_coded<R, F, A...>(to, of));
    } else {
        throw_error(CF_ENOTSUP,
                    "cf::executor: this executor runs tasks in other "
                    "processes, where this callable, an argument or the result "
                    "cannot travel");
    }
}

} // namespace detail
} // namespace cf

#endif
