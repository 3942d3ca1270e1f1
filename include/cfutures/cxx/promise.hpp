/* SPDX-License-Identifier: MIT */
/*
 * cf::promise, the side that completes a future; and cf::shared_future, the
 * side of many readers.
 */
#ifndef CFUTURES_CXX_PROMISE_HPP
#define CFUTURES_CXX_PROMISE_HPP

#include <cfutures/cxx/future.hpp>
#include <cfutures/cxx/lock.hpp>

#include <atomic>
#include <optional>

namespace cf
{

namespace detail
{

/* A value that came from another process as bytes, for many readers: the first
 * one decodes it. */
template <class T> class decoded
{
  public:
    const T &of(const cf_bytes &bytes)
    {
        const locked held(lock_);
        if (!value_) {
            reader from(bytes.data, bytes.size);
            value_.emplace(detail::get<T>(from));
        }
        return *value_;
    }
    std::atomic<unsigned> users{1};

  private:
    lock lock_;
    std::optional<T> value_;
};

/* A counted pointer to it; there is no other. */
template <class T> class decoded_ref
{
  public:
    explicit decoded_ref(decoded<T> *of = nullptr) noexcept : of_(of)
    {
    }
    decoded_ref(const decoded_ref &other) noexcept : of_(other.of_)
    {
        if (of_)
            of_->users.fetch_add(1, std::memory_order_relaxed);
    }
    decoded_ref(decoded_ref &&other) noexcept
        : of_(std::exchange(other.of_, nullptr))
    {
    }
    decoded_ref &operator=(decoded_ref other) noexcept
    {
        std::swap(of_, other.of_);
        return *this;
    }
    ~decoded_ref()
    {
        if (of_ && of_->users.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete of_;
    }
    decoded<T> *get() const noexcept
    {
        return of_;
    }

  private:
    decoded<T> *of_;
};
struct no_decoded_ref {
};

/* Completes f with the exception, as if its task had thrown it. */
inline cf_err
set_exception(cf_future *f, const std::exception_ptr &thrown)
{
    cf_error failure = CF_ERROR_INIT;
    auto *kept = new std::exception_ptr(thrown);
    failure.object = kept;
    failure.object_free = free_exception;
    const auto set = [&](const char *text) {
        failure.message = text;
        const cf_err err = cf_future_set_error(f, &failure);
        if (err)
            delete kept;
        return err;
    };
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception &e) {
        return set(e.what());
    } catch (...) {
        return set("an exception that is no std::exception");
    }
}

} // namespace detail

/*
 * A future for many readers, who share its value. Copies are of the same
 * outcome; each may be used by a thread of its own.
 *
 * Ownership: the value lives as long as one of the copies.
 * Threads:   any number of copies at once.
 * The rest as cf::future. Python: Future, whose result() all may call.
 */
template <class T> class shared_future : public detail::future_base
{
    static constexpr bool may_be_coded = detail::is_coded_result<T>;

  public:
    using value_type = T;
    using reference =
        std::conditional_t<std::is_void_v<T>,
                           void,
                           std::add_lvalue_reference_t<std::add_const_t<T>>>;

    shared_future() noexcept = default;
    shared_future(shared_future &&) noexcept = default;
    shared_future &operator=(shared_future &&) noexcept = default;
    shared_future(const shared_future &other) noexcept
        : future_base(other.handle_.share(), other.coded_),
          decoded_(other.decoded_)
    {
    }
    shared_future &operator=(const shared_future &other) noexcept
    {
        return *this = shared_future(other);
    }
    shared_future(future<T> &&of) : future_base(detail::handle(), of.coded_)
    {
        if constexpr (may_be_coded) {
            if (coded_)
                decoded_ = detail::decoded_ref<T>(new detail::decoded<T>);
        }
        handle_ = std::move(of.handle_);
    }

    /* Waits, and lends the value; or throws, each time, what future::get()
     * throws. */
    reference get() const
    {
        return get_ns(-1);
    }
    template <class D> reference get(const D &timeout) const
    {
        return get_ns(detail::to_ns(timeout));
    }

  private:
    reference get_ns(std::int64_t ns) const
    {
        cf_bytes bytes;
        const cf_err err = cf_future_result(handle_.get(), ns, &bytes);
        if (err)
            detail::throw_outcome(handle_.get(), err);
        if constexpr (std::is_reference_v<T>) {
            return *detail::value_in<std::remove_reference_t<T> *>(bytes);
        } else if constexpr (!std::is_void_v<T>) {
            if constexpr (may_be_coded) {
                if (coded_)
                    return decoded_.get()->of(bytes);
            }
            return detail::value_in<T>(bytes);
        }
    }

    std::conditional_t<may_be_coded,
                       detail::decoded_ref<T>,
                       detail::no_decoded_ref>
        decoded_;
};

template <class T>
shared_future<T>
future<T>::share() &&
{
    return shared_future<T>(std::move(*this));
}

/*
 * Completes a future from elsewhere: an I/O library, another thread pool, a
 * callback. T is one whose move does not throw.
 *
 * Ownership: the promise's destructor breaks it, if it has no value yet: the
 *            future then has a cf::error with CF_EBROKEN.
 * Threads:   set_value() and set_exception() may race: one wins.
 * Blocks:    no, but completing runs what waits for it as a callback.
 * Ordering:  what was written before is visible to a thread that sees it done.
 * Fork:      as cf_future_create().
 * Python:    Future(), set_running_or_notify_cancel(), set_result(),
 *            set_exception().
 */
template <class T> class promise
{
    static_assert(
        std::is_void_v<T> || std::is_reference_v<T> ||
            std::is_nothrow_move_constructible_v<T>,
        "cf::promise: the move constructor of its type must be noexcept");

  public:
    promise()
    {
        detail::check(cf_future_create(handle_.out()));
    }
    promise(promise &&) noexcept = default;
    promise &operator=(promise &&other) noexcept
    {
        if (this != &other) {
            abandon();
            handle_ = std::move(other.handle_);
            given_ = other.given_;
        }
        return *this;
    }
    ~promise()
    {
        abandon();
    }
    /* Once. */
    future<T> get_future()
    {
        if (given_ || !handle_.get())
            detail::throw_error(CF_ESTATE,
                                "cf::promise: its future has been given away");
        given_ = true;
        return future<T>(handle_.share(), false);
    }
    /* False: the future was cancelled, and the work may be dropped. Once it is
     * true, the future can no longer be cancelled. */
    bool start() noexcept
    {
        return cf_future_start(handle_.get());
    }
    /* Throws cf::error with CF_ESTATE if the future has a value, or an
     * exception, or was cancelled. For void without an argument. */
    template <class... V> void set_value(V &&...value)
    {
        if constexpr (std::is_void_v<T>) {
            static_assert(sizeof...(V) == 0,
                          "cf::promise<void>: set_value() takes nothing");
            settle(cf_future_set_result(handle_.get(), nullptr, 0));
        } else if constexpr (std::is_reference_v<T>) {
            static_assert(sizeof...(V) == 1,
                          "cf::promise: set_value() takes one value");
            auto *target = std::addressof(value...);
            settle(cf_future_set_result(handle_.get(), &target, sizeof target));
        } else {
            static_assert(std::is_constructible_v<T, V...>,
                          "cf::promise: no value can be made of what "
                          "set_value() was given");
            T made(std::forward<V>(value)...);
            settle(cf_future_set_object(
                handle_.get(), &detail::ops<T>, std::addressof(made)));
        }
    }
    void set_exception(const std::exception_ptr &thrown)
    {
        settle(detail::set_exception(handle_.get(), thrown));
    }

  private:
    void settle(cf_err err)
    {
        if (err == CF_ESTATE)
            detail::throw_error(err, "cf::promise: its future is completed");
        detail::check(err);
    }
    void abandon() noexcept
    {
        if (!handle_.get() || cf_future_done(handle_.get()))
            return;
        try {
            detail::set_exception(
                handle_.get(),
                std::make_exception_ptr(error(
                    CF_EBROKEN, "the cf::promise went away without a value")));
        } catch (...) { /* no memory: without a text */
            cf_error broken = CF_ERROR_INIT;
            broken.kind = CF_EBROKEN;
            cf_future_set_error(handle_.get(), &broken);
        }
    }

    detail::handle handle_;
    bool given_ = false;
};

} // namespace cf

#endif
