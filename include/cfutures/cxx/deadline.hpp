/* SPDX-License-Identifier: MIT */
/* One time limit for several waits. */
#ifndef CFUTURES_CXX_DEADLINE_HPP
#define CFUTURES_CXX_DEADLINE_HPP

#include <cfutures/cxx/error.hpp>

#include <ctime>

namespace cf
{

namespace detail
{

/* A time limit from now on, for several waits. It is a duration, too: what is
 * left of it. -1: none. */
class deadline
{
  public:
    explicit deadline(std::int64_t ns) noexcept
        : end_(ns < 0 ? ns : after(now(), ns))
    {
    }
    bool is_set() const noexcept
    {
        return end_ >= 0;
    }
    std::int64_t left() const noexcept
    {
        if (!is_set())
            return end_;
        const std::int64_t at = now();
        return end_ > at ? end_ - at : 0;
    }

  private:
    static std::int64_t now() noexcept
    {
        std::timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        return at.tv_sec * std::int64_t{1000000000} + at.tv_nsec;
    }
    static std::int64_t after(std::int64_t begin, std::int64_t ns) noexcept
    {
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        return ns > most - begin ? most : begin + ns;
    }
    std::int64_t end_;
};

inline std::int64_t
to_ns(const deadline &end) noexcept
{
    return end.left();
}

} // namespace detail
} // namespace cf

#endif
