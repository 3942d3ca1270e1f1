/* SPDX-License-Identifier: MIT */
/*
 * What is thrown: cf::error and its kinds; and durations, which every wait
 * takes. An exception that a task throws on threads is thrown again as it was,
 * with its own type; one of a worker process is a cf::error with its text.
 */
#ifndef CFUTURES_CXX_ERROR_HPP
#define CFUTURES_CXX_ERROR_HPP

#if __cplusplus < 201703L
#error "the headers of cfutures for C++ need C++17: -std=c++17"
#endif
#ifndef __cpp_exceptions
#error "the headers of cfutures for C++ need exceptions; those for C do not"
#endif

#include <cfutures/cfutures.h>

#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace cf
{

/* Whatever the library has to say. what() is a sentence for people; kind() says
 * which error it is. CF_ENOMEM is std::bad_alloc instead. Copies do not throw.
 */
class error : public std::runtime_error
{
  public:
    error(cf_err kind, const std::string &what, int code = 0)
        : std::runtime_error(what), kind_(kind), code_(code)
    {
    }
    explicit error(cf_err kind) : error(kind, cf_strerror(kind))
    {
    }
    cf_err kind() const noexcept
    {
        return kind_;
    }
    /* errno, if kind() is CF_ESYS; else the task's own code, which is 0 for
     * tasks in C++. */
    int code() const noexcept
    {
        return code_;
    }

  private:
    cf_err kind_;
    int code_;
};

/* A wait ran out of time. What was waited for goes on, and the wait may be
 * repeated. */
class timed_out : public error
{
  public:
    using error::error;
    timed_out() : error(CF_ETIMEDOUT)
    {
    }
};

/* The task was cancelled before it began; or it was told to stop, and threw. In
 * that case the task's own exception is nested: std::rethrow_if_nested(). */
class canceled : public error
{
  public:
    using error::error;
    canceled() : error(CF_ECANCELED)
    {
    }
};

/* The worker process died in the task: signal() killed it, or it exited with
 * exit_status(). Both are 0 if a task on a thread ended its thread. */
class worker_died : public error
{
  public:
    explicit worker_died(const cf_error &of)
        : error(CF_EWORKERDIED, of.message, of.code), pid_(of.pid),
          signal_(of.signal), exit_status_(of.exit_status)
    {
    }
    pid_t pid() const noexcept
    {
        return pid_;
    }
    int signal() const noexcept
    {
        return signal_;
    }
    int exit_status() const noexcept
    {
        return exit_status_;
    }

  private:
    pid_t pid_;
    int signal_;
    int exit_status_;
};

/* As a timeout: the wait has no limit. */
struct forever_t {
};
inline constexpr forever_t forever{};

namespace detail
{

constexpr std::int64_t
to_ns(forever_t)
{
    return -1;
}

/* Nanoseconds of a std::chrono::duration, rounded up; past durations poll, and
 * those beyond the clock are its end. <chrono> is not needed for it, which is
 * large. */
template <class D>
constexpr auto
to_ns(const D &duration) -> decltype(D::period::num, std::int64_t{})
{
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t num = D::period::num, den = D::period::den;
    const auto count = duration.count();
    const double about = static_cast<double>(count) * static_cast<double>(num) /
                         static_cast<double>(den) * 1e9;
    if (!(about > 0))
        return 0;
    if (about >= 9.2e18)
        return most;
    if constexpr (std::is_floating_point_v<decltype(count)> ||
                  num > most / 1000000000) {
        return static_cast<std::int64_t>(about) + 1;
    } else if constexpr (num * 1000000000 % den == 0) {
        return static_cast<std::int64_t>(count) * (num * 1000000000 / den);
    } else {
        return static_cast<std::int64_t>(about) + 1;
    }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void
throw_error(cf_err err, const std::string &what)
{
    const int code = err == CF_ESYS ? errno : 0;
    if (err == CF_ENOMEM)
        throw std::bad_alloc();
    if (err == CF_ETIMEDOUT)
        throw timed_out(err, what);
    if (err == CF_ECANCELED)
        throw canceled(err, what);
    throw error(err, what, code);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void
throw_error(cf_err err)
{
    const int code = errno; /* strings may change it */
    const std::string what = err == CF_ESYS
                                 ? std::string(cf_strerror(err)) + " (errno " +
                                       std::to_string(code) + ")"
                                 : cf_strerror(err);
    errno = code;
    throw_error(err, what);
}

inline void
check(cf_err err)
{
    if (err != CF_OK)
        throw_error(err);
}

/* The object of a failure is a std::exception_ptr. */
inline void
free_exception(void *object) noexcept
{
    delete static_cast<std::exception_ptr *>(object);
}

/* Throws what a task ended with. */
[[noreturn, gnu::cold, gnu::noinline]] inline void
throw_failure(const cf_error &of)
{
    const bool interrupted = of.kind == CF_ECANCELED;
    const std::string what = *of.message ? of.message : cf_strerror(of.kind);
    if (of.object) {
        const auto &thrown = *static_cast<std::exception_ptr *>(of.object);
        if (!interrupted)
            std::rethrow_exception(thrown);
        try {
            std::rethrow_exception(thrown);
        } catch (...) {
            std::throw_with_nested(canceled(of.kind, what));
        }
    }
    if (interrupted)
        throw canceled(of.kind, what, of.code);
    if (of.kind == CF_EWORKERDIED)
        throw worker_died(of);
    if (of.kind == CF_ENOMEM)
        throw std::bad_alloc();
    throw error(of.kind, what, of.code);
}

/* Throws why cf_future_result() or cf_future_wait() of f was err: the task
 * failed, or the wait. */
[[noreturn, gnu::cold, gnu::noinline]] inline void
throw_outcome(cf_future *f, cf_err err)
{
    if (!f)
        throw error(CF_EINVAL,
                    "this cf::future has no state: it was moved "
                    "from, or its result has been taken");
    const cf_error *failure = cf_future_error(f);
    if (failure && failure->kind == err)
        throw_failure(*failure);
    throw_error(err);
}

} // namespace detail
} // namespace cf

#endif
