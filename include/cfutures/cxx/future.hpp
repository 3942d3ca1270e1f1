/* SPDX-License-Identifier: MIT */
/*
 * cf::future, cf::shared_future, cf::promise. The value lies in the future of
 * C, and is made there: nothing is allocated for it, and nothing moved.
 */
#ifndef CFUTURES_CXX_FUTURE_HPP
#define CFUTURES_CXX_FUTURE_HPP

#include <cfutures/cxx/submit.hpp>

namespace cf
{

template <class T> class shared_future;
template <reach Reach> class executor_base;

namespace detail
{

/* One handle of a cf_future. */
class handle
{
  public:
    handle() noexcept = default;
    explicit handle(cf_future *f) noexcept : f_(f)
    {
    }
    handle(handle &&other) noexcept : f_(std::exchange(other.f_, nullptr))
    {
    }
    handle &operator=(handle &&other) noexcept
    {
        handle former(std::move(other));
        std::swap(f_, former.f_);
        return *this;
    }
    ~handle()
    {
        if (f_)
            cf_future_unref(f_);
    }
    handle share() const noexcept
    {
        return handle(cf_future_ref(f_));
    }
    cf_future *get() const noexcept
    {
        return f_;
    }
    cf_future **out() noexcept /* of an empty one */
    {
        return &f_;
    }

  private:
    cf_future *f_ = nullptr;
};

/* The T in the memory of a future that has succeeded. */
template <class T>
T &
value_in(const cf_bytes &bytes) noexcept
{
    return *static_cast<T *>(const_cast<void *>(bytes.data));
}

/* Whether the task ended with err, and not a wait for it. */
inline bool
ended_with(cf_future *f, cf_err err)
{
    if (cf_future_state(f) == CF_CANCELED)
        return err == CF_ECANCELED;
    const cf_error *failure = cf_future_error(f);
    return failure && failure->kind == err;
}

/* What all futures have in common. */
class future_base
{
  public:
    /* False if it was moved from, or its result has been taken. Then done(),
     * cancel() and request_stop() are false, and everything else throws
     * cf::error with CF_EINVAL. */
    bool valid() const noexcept
    {
        return handle_.get();
    }
    bool done() const noexcept
    {
        return cf_future_done(handle_.get());
    }
    cf_state state() const noexcept
    {
        return cf_future_state(handle_.get());
    }
    /* As cf_future_cancel(): true if it will not run. */
    bool cancel() noexcept
    {
        return cf_future_cancel(handle_.get());
    }
    /* As cf_future_interrupt(): cancels it, or asks the running task to stop.
     */
    bool request_stop() noexcept
    {
        return cf_future_interrupt(handle_.get());
    }
    /* Waits until it is done, however it ended. A wait in a task of the same
     * pool runs the awaited task, or what descends from that. Throws cf::error
     * if it can never end (CF_EDEADLK), or the waiting task was told to stop
     * (CF_EINTERRUPTED). */
    void wait() const
    {
        wait_ns(-1);
    }
    /* False: it was not done in time. */
    template <class D> bool wait_for(const D &duration) const
    {
        return wait_ns(to_ns(duration));
    }
    template <class P> bool wait_until(const P &point) const
    {
        return wait_ns(to_ns(point - P::clock::now()));
    }
    /* Lent, for calls of C. */
    cf_future *handle() const noexcept
    {
        return handle_.get();
    }

  protected:
    future_base() noexcept = default;
    future_base(detail::handle handle, bool coded) noexcept
        : handle_(std::move(handle)), coded_(coded)
    {
    }
    bool wait_ns(std::int64_t ns) const
    {
        const cf_err err = cf_future_wait(handle_.get(), ns);
        if (err == CF_ETIMEDOUT)
            return false;
        if (err)
            throw_outcome(handle_.get(), err);
        return true;
    }
    detail::handle handle_;
    bool coded_ = false; /* the result is the bytes of a codec */
};

} // namespace detail

/*
 * The outcome of one task: a T, nothing (void), a reference, or the exception
 * that the task threw. T is of any type that can be moved.
 *
 * Ownership: the only one of its outcome. Its destructor does not block and
 *            cancels nothing: the task goes on. It may outlive its executor.
 * Threads:   one at a time uses it; cancel(), request_stop() and done() may be
 *            called meanwhile.
 * Blocks:    get() and the waits, as cf_future_wait().
 * Ordering:  everything the task did is visible after get() or a wait.
 * Fork:      as cf_future_wait().
 * Python:    concurrent.futures.Future.
 */
template <class T> class [[nodiscard]] future : public detail::future_base
{
  public:
    using value_type = T;

    future() noexcept = default;

    /* Waits, and moves the result out; or throws what the task threw (from a
     * worker process: cf::error with its text), cf::canceled, cf::worker_died
     * or another cf::error. Then valid() is false. If the wait itself fails,
     * by CF_EDEADLK, CF_EINTERRUPTED or CF_EFORKED, the future is as before. */
    T get()
    {
        return get_ns(-1);
    }
    /* With a time limit: cf::timed_out, and the future is as before. */
    template <class D> T get(const D &timeout)
    {
        return get_ns(detail::to_ns(timeout));
    }
    /* A future for many readers. */
    shared_future<T> share() &&;

    /* When this one has succeeded: f(T) as a task of ex. If it has not, f is
     * skipped, and the future that then() returns has the same exception. No
     * thread waits meanwhile. Tasks of ex must share the program's memory. */
    template <reach Reach, class F>
    auto then(const executor_base<Reach> &ex, F &&f) &&;
    /* The same, but always f(future<T>), which is done. */
    template <reach Reach, class F>
    auto then_any(const executor_base<Reach> &ex, F &&f) &&;

    /* For the library's own headers. */
    future(detail::handle handle, bool coded) noexcept
        : future_base(std::move(handle), coded)
    {
    }

  private:
    T get_ns(std::int64_t ns)
    {
        cf_bytes bytes;
        const cf_err err = cf_future_result(handle_.get(), ns, &bytes);
        if (__builtin_expect(err != CF_OK, 0))
            fail(err);
        const detail::handle done = std::move(handle_);
        if constexpr (std::is_reference_v<T>) {
            return *detail::value_in<std::remove_reference_t<T> *>(bytes);
        } else if constexpr (!std::is_void_v<T>) {
            if constexpr (detail::is_coded_result<T>) {
                if (coded_) {
                    reader from(bytes.data, bytes.size);
                    return detail::get<T>(from);
                }
            }
            return std::move(detail::value_in<T>(bytes));
        }
    }
    [[noreturn, gnu::cold, gnu::noinline]] void fail(cf_err err)
    {
        if (!detail::ended_with(handle_.get(), err))
            detail::throw_outcome(handle_.get(), err);
        const detail::handle done = std::move(handle_);
        detail::throw_outcome(done.get(), err);
    }

    friend class shared_future<T>;
};

} // namespace cf

#endif
