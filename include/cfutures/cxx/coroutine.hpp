/* SPDX-License-Identifier: MIT */
/*
 * Coroutines of C++20: cf::task<T> and cf::spawn(); what they wait for is in
 * awaiting.hpp. Without C++20 this header is empty.
 */
#ifndef CFUTURES_CXX_COROUTINE_HPP
#define CFUTURES_CXX_COROUTINE_HPP

#ifdef __cpp_impl_coroutine

#include <cfutures/cxx/awaiting.hpp>

namespace cf
{

template <class T> class task;

namespace detail
{

/* What the promises of all cf::task<T> have. */
class task_promise_base
{
  public:
    std::suspend_always initial_suspend() const noexcept
    {
        return {};
    }
    auto final_suspend() const noexcept
    {
        struct back {
            std::coroutine_handle<> to;
            bool await_ready() const noexcept
            {
                return false;
            }
            std::coroutine_handle<>
            await_suspend(std::coroutine_handle<>) const noexcept
            {
                return to;
            }
            void await_resume() const noexcept
            {
            }
        };
        return back{waiter};
    }
    void unhandled_exception() noexcept
    {
        thrown = std::current_exception();
    }
    /* Futures resume on the executor that the coroutine is on. */
    template <class U> awaiting<U> await_transform(future<U> &of) noexcept
    {
        return {of, ex};
    }
    template <class U> awaiting_own<U> await_transform(future<U> &&of) noexcept
    {
        return {std::move(of), ex};
    }
    hop await_transform(destination to) noexcept
    {
        return hop(to.ex);
    }
    template <class A> A &&await_transform(A &&other) noexcept
    {
        return std::forward<A>(other);
    }

    std::coroutine_handle<> waiter;
    cf_executor *ex = nullptr;
    std::exception_ptr thrown;
};

template <class T> class task_promise : public task_promise_base
{
  public:
    task<T> get_return_object() noexcept;
    template <class V> void return_value(V &&value)
    {
        value_.emplace(std::forward<V>(value));
    }
    T take()
    {
        if (thrown)
            std::rethrow_exception(thrown);
        return std::move(*value_);
    }

  private:
    std::optional<T> value_;
};
template <> class task_promise<void> : public task_promise_base
{
  public:
    task<void> get_return_object() noexcept;
    void return_void() const noexcept
    {
    }
    void take()
    {
        if (thrown)
            std::rethrow_exception(thrown);
    }
};

} // namespace detail

/*
 * A coroutine that returns a T, and has not begun: cf::spawn() begins it, or
 * co_await in another one, which gets the T or the exception.
 *
 *     cf::task<int> total(cf::executor_ref pool)
 *     {
 *         int a = co_await pool.submit(one);
 *         co_return a + co_await pool.submit(other);
 *     }
 *     int sum = cf::spawn(pool, total(pool)).get();
 *
 * Arguments that a coroutine has by reference must live as long as it does.
 *
 * Ownership: the frame goes with the task. One that runs is not destroyed.
 * Threads:   one at a time; between two co_await the thread may change.
 * Blocks:    co_await does not.
 * Python:    a coroutine; asyncio.create_task() is cf::spawn().
 */
template <class T = void> class [[nodiscard]] task
{
  private:
    struct awaiter {
        std::coroutine_handle<detail::task_promise<T>> of;
        bool await_ready() const noexcept
        {
            return false;
        }
        template <class P>
        std::coroutine_handle<>
        await_suspend(std::coroutine_handle<P> waiter) const noexcept
        {
            of.promise().waiter = waiter;
            if constexpr (std::is_base_of_v<detail::task_promise_base, P>)
                of.promise().ex = waiter.promise().ex;
            return of;
        }
        T await_resume() const
        {
            return of.promise().take();
        }
    };

  public:
    using promise_type = detail::task_promise<T>;

    explicit task(std::coroutine_handle<promise_type> of) noexcept : of_(of)
    {
    }
    task(task &&other) noexcept : of_(std::exchange(other.of_, nullptr))
    {
    }
    task &operator=(task &&other) noexcept
    {
        std::swap(of_, other.of_);
        return *this;
    }
    ~task()
    {
        if (of_)
            of_.destroy();
    }
    auto operator co_await() &&noexcept
    {
        return awaiter{of_};
    }

  private:
    std::coroutine_handle<promise_type> of_;
};

namespace detail
{

template <class T>
task<T>
task_promise<T>::get_return_object() noexcept
{
    return task<T>(std::coroutine_handle<task_promise<T>>::from_promise(*this));
}
inline task<void>
task_promise<void>::get_return_object() noexcept
{
    return task<void>(
        std::coroutine_handle<task_promise<void>>::from_promise(*this));
}

/* The coroutine around a task that was spawned: no task waits for it, and its
 * frame goes when it ends. */
struct spawned {
    struct promise_type : task_promise_base {
        spawned get_return_object() const noexcept
        {
            return {};
        }
        std::suspend_never initial_suspend() const noexcept
        {
            return {};
        }
        std::suspend_never final_suspend() const noexcept
        {
            return {};
        }
        void return_void() const noexcept
        {
        }
        void unhandled_exception() const noexcept
        {
            std::terminate(); /* run_spawned() lets none out */
        }
    };
};

/* Says where the coroutine around it is. */
struct here_is {
    cf_executor *ex;
    bool await_ready() const noexcept
    {
        return false;
    }
    bool await_suspend(
        std::coroutine_handle<spawned::promise_type> of) const noexcept
    {
        of.promise().ex = ex;
        return false;
    }
    void await_resume() const noexcept
    {
    }
};

template <class T>
spawned
run_spawned(cf_executor *ex, task<T> body, promise<T> whole)
{
    std::exception_ptr thrown;
    try {
        co_await here_is{ex};
        co_await destination{ex};
        if (!whole.start()) /* cancelled before it began */
            co_return;
        if constexpr (std::is_void_v<T>) {
            co_await std::move(body);
            whole.set_value();
        } else {
            whole.set_value(co_await std::move(body));
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        try {
            whole.set_exception(thrown);
        } catch (...) { /* cancelled, or no memory: the promise is broken */
        }
    }
}

} // namespace detail

/* Begins a coroutine as a task of ex, whose tasks share the program's memory.
 * The future can be cancelled until it begins. */
template <class T>
future<T>
spawn(executor_ref ex, task<T> body)
{
    detail::need_shared_memory(ex.handle(), "cf::spawn()");
    promise<T> whole;
    auto result = whole.get_future();
    detail::run_spawned<T>(ex.handle(), std::move(body), std::move(whole));
    return result;
}

} // namespace cf

#endif
#endif
