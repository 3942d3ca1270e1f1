/* SPDX-License-Identifier: MIT */
/*
 * One function over the items of a range, one result after the other:
 * cf::results, which imap() returns.
 */
#ifndef CFUTURES_CXX_RESULTS_HPP
#define CFUTURES_CXX_RESULTS_HPP

#include <cfutures/cxx/arrivals.hpp>
#include <cfutures/cxx/map.hpp>
#include <cfutures/cxx/single_pass.hpp>

namespace cf
{

/*
 * The results of an imap(), in the order of the items, or with unordered() as
 * they come: an input range. *it waits, and moves the result out, once; or
 * throws what that item threw, after which ++it goes on with the next one. With
 * a timeout: when it has passed, nothing more is submitted. What is ready comes
 * out; then *it throws cf::timed_out, the rest is told to stop, and ++it is the
 * end.
 *
 * Ownership: a range that was given as an lvalue must stay as long as this; f
 *            and each item are copied into their task. What has not begun when
 *            this goes never does.
 * Threads:   one at a time uses it.
 * Blocks:    *it, as future::get(). ++it submits the next item; if *it was left
 *            out of an unordered one, it waits first.
 * Python:    the iterator of Executor.map(buffersize=, timeout=).
 */
template <reach Reach, class R, class F, class Range> class results
{
  public:
    using iterator = detail::single_pass<results, R>;

    results(cf_executor *ex, F f, Range &&range, const map_options &how)
        : ex_(ex), f_(std::move(f)), range_(std::forward<Range>(range)),
          next_(range_.begin()), end_(range_.end()), most_(how.buffer()),
          deadline_(how.timeout_ns()),
          arrivals_(how.is_unordered() ? detail::arrivals(nullptr, 0)
                                       : detail::arrivals())
    {
        try {
            while (next_ != end_ && !(most_ && places_.size() == most_))
                places_.push_back(submit(places_.size()));
        } catch (...) {
            cancel();
            throw;
        }
        live_ = places_.size();
    }
    results(const results &) = delete;
    results &operator=(const results &) = delete;
    ~results()
    {
        cancel();
    }
    iterator begin() noexcept
    {
        return iterator(this);
    }
    iterator end() noexcept
    {
        return iterator();
    }
    /* Which item *it was of, from 0. */
    std::size_t index() const noexcept
    {
        return here_ < places_.size() ? places_[here_].index : 0;
    }

  private:
    friend iterator;

    struct place {
        future<R> result;
        std::size_t index;
    };

    void cancel() noexcept
    {
        for (auto &each : places_)
            each.result.cancel();
    }
    R current()
    {
        choose();
        if (live_ == 0)
            throw timed_out();
        return places_[here_].result.get();
    }
    bool at_end() const noexcept
    {
        return live_ == 0 && !cut_;
    }
    /* The next item takes the place of the result that goes. */
    void advance()
    {
        choose();
        if (live_ == 0) {
            cut_ = false;
            return;
        }
        place next{};
        if (most_ && next_ != end_ && deadline_.left() != 0) {
            next = submit(here_);
        } else {
            cut_ = most_ && next_ != end_;
            live_--;
        }
        places_[here_] = std::move(next);
        chosen_ = false;
        if (!arrivals_)
            here_ = here_ + 1 == places_.size() ? 0 : here_ + 1;
    }
    /* Waits until here_ is the place of a result that is ready; or nothing is
     * live, as the time is over. Without a deadline, a result that comes in
     * order need not be ready: get() waits for it. */
    void choose()
    {
        if (chosen_ || live_ == 0)
            return;
        if (arrivals_) {
            cf_future *next = nullptr;
            try {
                next = arrivals_.next(deadline_);
            } catch (const timed_out &) {
                return cut();
            }
            const void *place = cf_future_user_data(next);
            here_ = reinterpret_cast<std::uintptr_t>(place);
        } else if (deadline_.is_set() &&
                   !places_[here_].result.wait_for(deadline_)) {
            return cut();
        }
        chosen_ = true;
    }
    void cut() noexcept
    {
        for (auto &each : places_)
            each.result.request_stop();
        live_ = 0;
        cut_ = true;
    }
    place submit(std::size_t at)
    {
        using item = detail::value_of<Range>;
        cf_task attributes = CF_TASK_INIT;
        attributes.user_data = reinterpret_cast<void *>(at);
        detail::handle made;
        bool coded;
        detail::submit_job<Reach, R, F, item>(
            {ex_, arrivals_ ? &attributes : nullptr, made.out()},
            &coded,
            {{{f_}, {*next_}}});
        place next{future<R>(std::move(made), coded), count_};
        if (arrivals_) {
            try {
                arrivals_.add(next.result.handle());
            } catch (...) {
                next.result.cancel();
                throw;
            }
        }
        ++next_;
        count_++;
        return next;
    }

    cf_executor *ex_;
    F f_;
    detail::kept_range<Range> range_;
    decltype(std::declval<detail::kept_range<Range> &>().begin()) next_;
    decltype(std::declval<detail::kept_range<Range> &>().end()) end_;
    std::size_t most_;
    detail::deadline deadline_;
    detail::arrivals arrivals_; /* empty: in order */
    std::vector<place> places_; /* in order: a ring */
    std::size_t here_ = 0;
    std::size_t live_ = 0;  /* results that are to come out */
    std::size_t count_ = 0; /* items that were submitted */
    bool chosen_ = false;
    bool cut_ = false; /* items are left out, which *it has to say */
};

} // namespace cf

#endif
