/* SPDX-License-Identifier: MIT */
/*
 * Many futures: as_completed() and wait() of the caller's own.
 */
#ifndef CFUTURES_CXX_WAIT_HPP
#define CFUTURES_CXX_WAIT_HPP

#include <cfutures/cxx/arrivals.hpp>
#include <cfutures/cxx/promise.hpp>
#include <cfutures/cxx/single_pass.hpp>

#include <vector>

namespace cf
{

namespace detail
{

/* A hash table from handles to the caller's futures. */
template <class Future> class futures_by_handle
{
  public:
    template <class Range> explicit futures_by_handle(Range &range)
    {
        for (auto &each : range) {
            if (!each.valid())
                throw_outcome(nullptr, CF_EINVAL);
            handles_.push_back(each.handle());
        }
        std::size_t size = 2;
        while (size < 2 * handles_.size())
            size *= 2;
        places_.resize(size);
        for (auto &each : range) {
            place &mine = find(each.handle());
            if (!mine.future)
                mine = {each.handle(), std::addressof(each)};
        }
    }
    Future *of(const cf_future *handle) noexcept
    {
        return find(handle).future;
    }
    const std::vector<cf_future *> &handles() const noexcept
    {
        return handles_;
    }

  private:
    struct place {
        const cf_future *handle;
        Future *future;
    };
    place &find(const cf_future *handle) noexcept
    {
        const std::size_t mask = places_.size() - 1;
        auto i = reinterpret_cast<std::uintptr_t>(handle) / 64 & mask;
        while (places_[i].future && places_[i].handle != handle)
            i = (i + 1) & mask;
        return places_[i];
    }

    std::vector<cf_future *> handles_;
    std::vector<place> places_;
};

template <class Range>
using future_of =
    std::remove_reference_t<decltype(*std::begin(std::declval<Range &>()))>;

} // namespace detail

/*
 * The caller's futures as they finish, failed and cancelled ones too: what
 * as_completed() returns.
 *
 *     for (auto &f : cf::as_completed(futures))
 *         std::cout << f.get() << '\n';
 *
 * Ownership: the futures stay the caller's, at their places; get() of one that
 *            has come out is fine.
 * Threads:   one at a time uses it.
 * Blocks:    begin() and ++, up to the time limit; then cf::timed_out.
 * Python:    concurrent.futures.as_completed().
 */
template <class Future> class completed
{
  public:
    using iterator = detail::single_pass<completed, Future &>;

    template <class Range>
    completed(Range &range, std::int64_t ns)
        : futures_(range), deadline_(ns),
          arrivals_(futures_.handles().data(), futures_.handles().size())
    {
    }
    iterator begin()
    {
        if (!begun_)
            advance();
        begun_ = true;
        return iterator(this);
    }
    iterator end() noexcept
    {
        return iterator();
    }

  private:
    friend iterator;

    Future &current() const noexcept
    {
        return *here_;
    }
    bool at_end() const noexcept
    {
        return !here_;
    }
    void advance()
    {
        cf_future *next = arrivals_.next(deadline_);
        here_ = next ? futures_.of(next) : nullptr;
    }

    detail::futures_by_handle<Future> futures_;
    detail::deadline deadline_;
    detail::arrivals arrivals_;
    Future *here_ = nullptr;
    bool begun_ = false;
};

template <class Range, class D = forever_t>
auto
as_completed(Range &futures, const D &timeout = {})
{
    return completed<detail::future_of<Range>>(futures, detail::to_ns(timeout));
}

/* What wait() waits for: as cf_return_when. */
enum class when {
    first = CF_FIRST_COMPLETED,
    first_error = CF_FIRST_ERROR,
    all = CF_ALL_COMPLETED
};

/* Waits for some futures and returns how many of them are done. If that is not
 * what was waited for, the time limit has passed. As cf_wait(). */
template <class Range, class D = forever_t>
std::size_t
wait(Range &futures, when what = when::all, const D &timeout = {})
{
    std::vector<cf_future *> handles;
    for (auto &each : futures) {
        if (!each.valid())
            detail::throw_outcome(nullptr, CF_EINVAL);
        handles.push_back(each.handle());
    }
    std::size_t done = 0;
    const cf_err err = cf_wait(handles.data(),
                               handles.size(),
                               static_cast<cf_return_when>(what),
                               detail::to_ns(timeout),
                               &done);
    if (err != CF_ETIMEDOUT)
        detail::check(err);
    return done;
}

} // namespace cf

#endif
