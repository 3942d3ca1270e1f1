/* SPDX-License-Identifier: MIT */
/*
 * What coroutines of C++20 wait for, also those of other libraries: co_await of
 * a future, co_await cf::on(ex). Without C++20 this header is empty.
 */
#ifndef CFUTURES_CXX_AWAITING_HPP
#define CFUTURES_CXX_AWAITING_HPP

#ifdef __cpp_impl_coroutine

#include <cfutures/cxx/executor.hpp>

#include <atomic>
#include <coroutine>
#include <pthread.h>

namespace cf
{

namespace detail
{

class passage;

/* What resumes a coroutine as a task. If the task is cancelled, it resumes the
 * coroutine too, which then throws: a coroutine is not lost. */
class resumption
{
  public:
    resumption(std::coroutine_handle<> of, passage *by) noexcept
        : of_(of), by_(by)
    {
    }
    resumption(resumption &&other) noexcept
        : of_(std::exchange(other.of_, nullptr)), by_(other.by_)
    {
    }
    ~resumption();
    void operator()();
    void drop() noexcept
    {
        of_ = nullptr;
    }

  private:
    std::coroutine_handle<> of_;
    passage *by_;
};

/*
 * The way of a coroutine to an executor, in the coroutine's frame. Where the
 * coroutine goes on, it may end. Then the user may destroy the executor, which
 * the submit in another thread still uses: so the coroutine first waits until
 * that has returned. A submit that runs the task itself is no other thread's.
 */
class passage
{
  public:
    /* CF_OK: the coroutine is, or will be, resumed, and this may be gone. */
    cf_err resume_on(cf_executor *ex, std::coroutine_handle<> of)
    {
        bool arrived = false;
        submitter_ = pthread_self();
        arrived_ = &arrived;
        job<resumption> next{{{resumption(of, this)}}};
        const cf_err err = submit_shared<void, resumption>(
            {ex, nullptr, nullptr, nullptr}, next);
        if (err)
            at<0>(static_cast<leaf<0, resumption> &>(next)).drop();
        if (err || arrived)
            return err;
        arrived_ = nullptr;
        returned_.store(1, std::memory_order_release);
        returned_.notify_one(); /* an address: the frame may be gone */
        return CF_OK;
    }
    void check_accepted() const
    {
        if (refused_)
            throw canceled();
    }

  private:
    friend resumption;
    void arrive(bool refused) noexcept
    {
        refused_ = refused;
        if (!pthread_equal(submitter_, pthread_self()))
            returned_.wait(0, std::memory_order_acquire);
        else if (arrived_)
            *arrived_ = true;
    }

    std::atomic<int> returned_{0};
    pthread_t submitter_{};
    bool *arrived_ = nullptr; /* on the submit's stack, while that runs */
    bool refused_ = false;
};

inline resumption::~resumption()
{
    if (!of_)
        return;
    by_->arrive(true);
    of_.resume();
}

inline void
resumption::operator()()
{
    by_->arrive(false);
    std::exchange(of_, nullptr).resume();
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
        check(way_.resume_on(ex_, of));
    }
    void await_resume() const
    {
        way_.check_accepted();
    }

  private:
    cf_executor *ex_;
    passage way_;
};

/* What on() gives. */
struct destination {
    cf_executor *ex;
    hop operator co_await() const noexcept
    {
        return hop(ex);
    }
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
        way_.check_accepted();
        return of_.get();
    }

  private:
    static void ended(cf_future *, void *data)
    {
        auto *self = static_cast<awaiting *>(data);
        const auto waiter = self->waiter_;
        if (!self->ex_ || self->way_.resume_on(self->ex_, waiter))
            waiter.resume();
    }
    future<T> &of_;
    cf_executor *ex_;
    std::coroutine_handle<> waiter_;
    passage way_;
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
inline detail::destination
on(executor_ref ex) noexcept
{
    return {ex.handle()};
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
