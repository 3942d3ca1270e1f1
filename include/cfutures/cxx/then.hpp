/* SPDX-License-Identifier: MIT */
/*
 * Continuations: future::then() and then_any(), by cf_submit_when().
 */
#ifndef CFUTURES_CXX_THEN_HPP
#define CFUTURES_CXX_THEN_HPP

#include <cfutures/cxx/executor.hpp>

namespace cf
{

namespace detail
{

/* f(T) of the future's value, or the future's exception. */
template <class T, class F> struct with_value {
    F f;
    future<T> input;

    decltype(auto) operator()(call &here)
    {
        if constexpr (std::is_void_v<T>) {
            input.get();
            return call_with<F>(here.handle(), std::move(f));
        } else {
            return call_with<F, T>(here.handle(), std::move(f), input.get());
        }
    }
};

/* f(future<T>). */
template <class T, class F> struct with_future {
    F f;
    future<T> input;

    decltype(auto) operator()(call &here)
    {
        return call_with<F, future<T>>(
            here.handle(), std::move(f), std::move(input));
    }
};

/* Whether F can be called with what a future<T> has. */
template <class T, class F> struct takes_value : outcome<F, T> {
};
template <class F> struct takes_value<void, F> : outcome<F> {
};

/* Submits next, which has the input, to be run when that is done. If it cannot
 * be submitted, the input is as before. */
template <class R, class T, class Next>
future<R>
submit_after(cf_executor *ex, future<T> &input, Next &&next)
{
    need_shared_memory(ex, "cf::future::then()");
    cf_future *const waits_for = next.input.handle();
    /* The task may run, and drop the input, before the submit has returned. */
    const handle held(cf_future_ref(waits_for));
    job<Next> whole{{{std::move(next)}}};
    handle made;
    target to{ex, nullptr, made.out()};
    to.input = &waits_for;
    try {
        check(submit_shared<R, Next>(to, whole));
    } catch (...) {
        input = std::move(at<0>(static_cast<leaf<0, Next> &>(whole)).input);
        throw;
    }
    return future<R>(std::move(made), false);
}

} // namespace detail

template <class T>
template <reach Reach, class F>
auto
future<T>::then(const executor_base<Reach> &ex, F &&f) &&
{
    using callable = std::decay_t<F>;
    using how = detail::takes_value<T, callable>;
    using result = detail::result_t<typename how::type>;
    static_assert(how::ok,
                  "cf::future::then: the callable cannot be called "
                  "with the future's value");
    static_assert(Reach != reach::processes,
                  "cf::future::then: the value is in the program's memory, "
                  "which worker processes do not share: submit to them in the "
                  "continuation");
    if constexpr (how::ok && Reach != reach::processes) {
        if (!this->valid())
            detail::throw_outcome(nullptr, CF_EINVAL);
        return detail::submit_after<result>(
            ex.handle(),
            *this,
            detail::with_value<T, callable>{std::forward<F>(f),
                                            std::move(*this)});
    } else {
        return future<result>();
    }
}

template <class T>
template <reach Reach, class F>
auto
future<T>::then_any(const executor_base<Reach> &ex, F &&f) &&
{
    using callable = std::decay_t<F>;
    using how = detail::outcome<callable, future<T>>;
    using result = detail::result_t<typename how::type>;
    static_assert(how::ok,
                  "cf::future::then_any: the callable cannot be "
                  "called with the future");
    static_assert(Reach != reach::processes,
                  "cf::future::then_any: the future is in the program's "
                  "memory, which worker processes do not share: submit to them "
                  "in the continuation");
    if constexpr (how::ok && Reach != reach::processes) {
        if (!this->valid())
            detail::throw_outcome(nullptr, CF_EINVAL);
        return detail::submit_after<result>(
            ex.handle(),
            *this,
            detail::with_future<T, callable>{std::forward<F>(f),
                                             std::move(*this)});
    } else {
        return future<result>();
    }
}

} // namespace cf

#endif
