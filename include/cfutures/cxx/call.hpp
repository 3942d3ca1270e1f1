/* SPDX-License-Identifier: MIT */
/*
 * How a callable becomes a task: cf::call, which it may ask for, how its result
 * gets into the future, and what becomes of an exception.
 */
#ifndef CFUTURES_CXX_CALL_HPP
#define CFUTURES_CXX_CALL_HPP

#include <cfutures/cxx/error.hpp>

#include <cstddef>
#include <tuple>

#include <cxxabi.h>

namespace cf
{

class executor_ref;

/*
 * What a running task sees of its call. A callable that takes one as its first
 * parameter gets it, before its arguments:
 *
 *     pool.submit([](cf::call &call, int n) {
 *         while (n-- > 0 && !call.stop_requested())
 *             work();
 *     }, 1000);
 *
 * Threads: the one that runs the task, until it returns. Blocks: nothing here.
 */
class call
{
  public:
    explicit call(cf_call *handle) noexcept : handle_(handle)
    {
    }
    /* As cf_call_canceled(): the task should stop early. A task that then
     * throws, whatever that is, has been cancelled: cf::canceled. */
    bool stop_requested() const noexcept
    {
        return cf_call_canceled(handle_);
    }
    /* As cf_call_worker(). */
    int worker() const noexcept
    {
        return cf_call_worker(handle_);
    }
    /* As cf_call_worker_data(). */
    template <class T> T *worker_data() const noexcept
    {
        return static_cast<T *>(cf_call_worker_data(handle_));
    }
    /* Where the task runs, for nested submits. */
    executor_ref executor() const noexcept;
    cf_call *handle() const noexcept
    {
        return handle_;
    }

  private:
    cf_call *handle_;
};

namespace detail
{

template <std::size_t I, class T> struct leaf {
    T value;
};

template <class I, class... T> struct leaves;
template <std::size_t... I, class... T>
struct leaves<std::index_sequence<I...>, T...> : leaf<I, T>... {
};

/* A callable and its arguments. Unlike a std::tuple, it is trivially copyable
 * if they are. */
template <class F, class... A>
struct job : leaves<std::index_sequence_for<F, A...>, F, A...> {
};

template <std::size_t I, class T>
T &
at(leaf<I, T> &of) noexcept
{
    return of.value;
}

/* The result's type, in a struct; without one it cannot be called so. */
template <bool with_call, class F, class... A>
struct calls : std::invoke_result<F, A...> {
    static constexpr bool ok = std::is_invocable_v<F, A...>;
};
template <class F, class... A>
struct calls<true, F, A...> : std::invoke_result<F, call &, A...> {
    static constexpr bool ok = std::is_invocable_v<F, call &, A...>;
};

/* What comes of F(A...), or F(call, A...); void if neither can be called, so
 * that an assertion is the only complaint. */
template <class F, class... A> struct outcome {
    static constexpr bool plain = calls<false, F, A...>::ok;
    static constexpr bool ok = plain || calls<true, F, A...>::ok;
    struct none {
        using type = void;
    };
    using type =
        typename std::conditional_t<ok, calls<!plain, F, A...>, none>::type;
};
template <class F, class... A>
using outcome_t = typename outcome<F, A...>::type;

template <class F, class... A>
decltype(auto)
invoke(F &&f, A &&...a)
{
    if constexpr (std::is_member_pointer_v<std::decay_t<F>>)
        return std::apply(std::forward<F>(f),
                          std::forward_as_tuple(std::forward<A>(a)...));
    else
        return std::forward<F>(f)(std::forward<A>(a)...);
}

/* Calls f(a...), or f(call, a...) if it wants that. */
template <class F, class... A>
outcome_t<F, A...>
call_with(cf_call *handle, F &&f, A &&...a)
{
    if constexpr (outcome<F, A...>::plain) {
        return detail::invoke(std::forward<F>(f), std::forward<A>(a)...);
    } else {
        call here(handle);
        return detail::invoke(std::forward<F>(f), here, std::forward<A>(a)...);
    }
}

template <class F, class... A, std::size_t... I>
outcome_t<F, A...>
run_job(job<F, A...> &of, cf_call *handle, std::index_sequence<I...>)
{
    return call_with<F, A...>(
        handle, std::move(at<0>(of)), std::move(at<I + 1>(of))...);
}

/* Records the exception that is being handled as the task's failure. */
[[gnu::cold, gnu::noinline]] inline int
fail_with_current(cf_call *call)
{
    /* Without memory for it only the text remains. */
    auto *kept =
        new (std::nothrow) std::exception_ptr(std::current_exception());
    const auto fail = [&](const char *text) {
        return cf_fail_object_at(call,
                                 nullptr,
                                 0,
                                 0,
                                 kept,
                                 kept ? free_exception : nullptr,
                                 "%s",
                                 text);
    };
    try {
        throw;
    } catch (const std::exception &thrown) {
        return fail(thrown.what());
    } catch (const char *text) {
        return fail(text ? text : "");
    } catch (const std::string &text) {
        return fail(text.c_str());
    } catch (...) {
        return fail("an exception that is no std::exception");
    }
}

/* What body() returns, or, if it throws, failed(). Only the unwinding of
 * pthread_exit() and pthread_cancel() goes on: a thread that does not let it
 * would end the program. */
template <class Body, class Failed>
auto
unless_thrown(Body &&body, Failed &&failed) -> decltype(body())
{
    try {
        return body();
#ifdef __GLIBCXX__
    } catch (abi::__forced_unwind &) {
        throw;
#endif
    } catch (...) {
        return failed();
    }
}

/* Runs body as a task's function does: an exception is the task's failure. */
template <class Body>
int
guarded(cf_call *call, Body &&body)
{
    return unless_thrown(
        [&] {
            body();
            return 0;
        },
        [&] { return fail_with_current(call); });
}

template <class T>
void
destroy(void *object) noexcept
{
    static_cast<T *>(object)->~T();
}

/* How the library moves and destroys a T; move is not called for one that may
 * throw, as cf::detail::keep() puts that into a block of its own. */
template <class T>
inline constexpr cf_object_ops ops{
    sizeof(T),
    [](void *to, void *from) {
        new (to) T(std::move(*static_cast<T *>(from)));
    },
    std::is_trivially_destructible_v<T> ? nullptr : destroy<T>};

/* A result that fits into the future's own 32 bytes and needs no destructor. */
template <class R>
inline constexpr bool is_short_plain = std::is_trivially_copyable_v<R> &&
                                       sizeof(R) <= 32;

/* Calls body and makes what it returns the task's result. An object is made in
 * its place in the future: it is not moved, and may be of any type. */
template <class R, class Body>
void
deliver(cf_call *call, Body &&body)
{
    if constexpr (std::is_void_v<R>) {
        body();
    } else if constexpr (std::is_reference_v<R>) {
        auto *target = std::addressof(body());
        check(cf_return(call, &target, sizeof target));
    } else if constexpr (is_short_plain<R>) {
        const R result = body();
        check(cf_return(call, std::addressof(result), sizeof result));
    } else {
        void *room = cf_return_buffer(call, sizeof(R));
        if (!room)
            throw std::bad_alloc();
        R *made = new (room) R(body());
        if constexpr (!std::is_trivially_destructible_v<R>) {
            const cf_err err = cf_return_destructor(call, destroy<R>);
            if (err) {
                made->~R();
                throw_error(err);
            }
        } else {
            static_cast<void>(made);
        }
    }
}

} // namespace detail
} // namespace cf

#endif
