/* SPDX-License-Identifier: MIT */
/* Futures in the order in which they finish. */
#ifndef CFUTURES_CXX_ARRIVALS_HPP
#define CFUTURES_CXX_ARRIVALS_HPP

#include <cfutures/cxx/deadline.hpp>

#include <cstddef>

namespace cf
{

namespace detail
{

/* Owns a cf_as_completed; an empty one has none. */
class arrivals
{
  public:
    arrivals() noexcept = default;
    arrivals(cf_future *const *futures, std::size_t count)
    {
        check(cf_as_completed_create(futures, count, &it_));
    }
    arrivals(const arrivals &) = delete;
    arrivals &operator=(const arrivals &) = delete;
    ~arrivals()
    {
        cf_as_completed_destroy(it_);
    }
    explicit operator bool() const noexcept
    {
        return it_;
    }
    void add(cf_future *f)
    {
        check(cf_as_completed_add(it_, f));
    }
    /* The next one; nullptr if all are out. Throws cf::timed_out. */
    cf_future *next(const deadline &end)
    {
        cf_future *next = nullptr;
        const cf_err err = cf_as_completed_next(it_, end.left(), &next);
        if (err != CF_OK && err != CF_EDONE)
            throw_error(err);
        return next;
    }

  private:
    cf_as_completed *it_ = nullptr;
};

} // namespace detail
} // namespace cf

#endif
