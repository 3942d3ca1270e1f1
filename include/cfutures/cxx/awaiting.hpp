/* SPDX-License-Identifier: MIT */
/*
 * What coroutines of C++20 wait for, also those of other libraries: co_await of
 * a future, co_await cf::on(ex). Without C++20 this header is empty.
 */
#ifndef CFUTURES_CXX_AWAITING_HPP
#define CFUTURES_CXX_AWAITING_HPP

#ifdef __cpp_impl_coroutine

#include <cfutures/cxx/executor.hpp>

#include <coroutine>

namespace cf
{

namespace detail
{

/* What resumes a coroutine as a task. If the task is cancelled, it resumes the
 * coroutine too, which then throws: a coroutine is not lost. */
class resumption
{
  public:
    resumption(std::coroutine_handle<> of, bool *refused) noexcept
        : of_(of), refused_(refused)
    {
    }
    resumption(resumption &&other) noexcept
        : of_(std::exchange(other.of_, nullptr)), refused_(other.refused_)
    {
    }
    ~resumption()
    {
        if (!of_)
            return;
        *refused_ = true;
        of_.resume();
    }
    void operator()()
    {
        std::exchange(of_, nullptr).resume();
    }
    void drop() noexcept
    {
        of_ = nullptr;
    }

  private:
    std::coroutine_handle<> of_;
    bool *refused_;
};

/* CF_OK: it is, or will be, resumed; the frame may be gone already. */
inline cf_err
resume_on(cf_executor *ex, std::coroutine_handle<> of, bool *refused)
{
    job<resumption> next{{{resumption(of, refused)}}};
    const cf_err err =
        submit_shared<void, resumption>({ex, nullptr, nullptr, nullptr}, next);
    if (err)
        at<0>(static_cast<leaf<0, resumption> &>(next)).drop();
    return err;
}

/* co_await on(ex). */
class hop
{
  public:
    explicit hop(cf_executor *ex) noexcept : ex_(ex)
    {
    }
    bool await_ready() const noexcept
    {
        return false;
    }
    void await_suspend(std::coroutine_handle<> of)
    {
        check(resume_on(ex_, of, &refused_));
    }
    void await_resume() const
    {
        if (refused_)
            throw canceled();
    }

  private:
    cf_executor *ex_;
    bool refused_ = false;
};

/* co_await of a future: resumes as a task of ex, or, without one or if ex takes
 * no more tasks, in the thread that completes the future. */
template <class T> class awaiting
{
  public:
    awaiting(future<T> &of, cf_executor *ex) noexcept : of_(of), ex_(ex)
    {
    }
    bool await_ready() const noexcept
    {
        return !of_.valid() || of_.done();
    }
    void await_suspend(std::coroutine_handle<> waiter)
    {
        /* The coroutine may go on, and drop its handle, before the call has
         * returned; this may be gone then. */
        const handle held(cf_future_ref(of_.handle()));
        waiter_ = waiter;
        check(cf_future_on_done(held.get(), ended, this));
    }
    T await_resume()
    {
        if (refused_)
            throw canceled();
        return of_.get();
    }

  private:
    static void ended(cf_future *, void *data)
    {
        auto *self = static_cast<awaiting *>(data);
        const auto waiter = self->waiter_;
        if (!self->ex_ || resume_on(self->ex_, waiter, &self->refused_))
            waiter.resume();
    }
    future<T> &of_;
    cf_executor *ex_;
    std::coroutine_handle<> waiter_;
    bool refused_ = false;
};

/* The same for a future that was given away for it. */
template <class T> struct kept_future {
    future<T> kept;
};
template <class T> class awaiting_own : kept_future<T>, public awaiting<T>
{
  public:
    awaiting_own(future<T> &&of, cf_executor *ex) noexcept
        : kept_future<T>{std::move(of)}, awaiting<T>(this->kept, ex)
    {
    }
};

} // namespace detail

/* Goes on as a task of ex, whose tasks share the program's memory. cf::canceled
 * if ex is shut down before that. */
inline detail::hop
on(executor_ref ex) noexcept
{
    return detail::hop(ex.handle());
}

/* In a coroutine of another library: goes on in the thread that completes the
 * future. */
template <class T> detail::awaiting<T> operator co_await(future<T> &of) noexcept
{
    return {of, nullptr};
}
template <class T>
detail::awaiting_own<T> operator co_await(future<T> &&of) noexcept
{
    return {std::move(of), nullptr};
}

} // namespace cf

#endif
#endif
