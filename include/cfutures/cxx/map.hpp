/* SPDX-License-Identifier: MIT */
/*
 * One function over the items of a range: all results at once (map), or one
 * after the other (cf::results, which imap() returns).
 */
#ifndef CFUTURES_CXX_MAP_HPP
#define CFUTURES_CXX_MAP_HPP

#include <cfutures/cxx/loop.hpp>
#include <cfutures/cxx/single_pass.hpp>

namespace cf
{

/* For map() and imap(). */
class map_options
{
  public:
    /* Items in one task of a map(); 0: chosen by the library. */
    map_options &chunk(std::size_t items) noexcept
    {
        chunk_ = items;
        return *this;
    }
    /* At most so many items of an imap() that were submitted and whose results
     * were not taken; 0: all. With a bound, the range is read as results are
     * taken: it may be endless. */
    map_options &buffer(std::size_t items) noexcept
    {
        buffer_ = items;
        return *this;
    }
    std::size_t chunk() const noexcept
    {
        return chunk_;
    }
    std::size_t buffer() const noexcept
    {
        return buffer_;
    }

  private:
    std::size_t chunk_ = 0;
    std::size_t buffer_ = 0;
};

namespace detail
{

/* A lvalue for as long as it lives; an rvalue is kept. */
template <class Range> class kept_range
{
  public:
    explicit kept_range(Range &&range) : range_(std::forward<Range>(range))
    {
    }
    auto begin()
    {
        using std::begin;
        return begin(range_);
    }
    auto end()
    {
        using std::end;
        return end(range_);
    }

  private:
    Range range_;
};

template <class Range>
using iterator_of = decltype(std::declval<kept_range<Range> &>().begin());
template <class Range>
using item_of = decltype(*std::declval<iterator_of<Range> &>());

/* What an item is copied to; a std::vector<bool> has others than it gives. */
template <class Range, class = void> struct value_in_range {
    using type = std::decay_t<item_of<Range>>;
};
template <class Range>
struct value_in_range<Range,
                      std::void_t<typename std::iterator_traits<
                          iterator_of<Range>>::value_type>> {
    using type = typename std::iterator_traits<iterator_of<Range>>::value_type;
};
template <class Range> using value_of = typename value_in_range<Range>::type;

template <class It, class = void> struct is_random : std::false_type {
};
template <class It>
struct is_random<
    It,
    std::void_t<typename std::iterator_traits<It>::difference_type,
                decltype(std::declval<It &>()[0]),
                decltype(std::declval<It &>() - std::declval<It &>())>>
    : std::is_convertible<decltype(std::declval<It &>()[0]),
                          decltype(*std::declval<It &>())> {
};

/* The items of a chunk, one after the other, in a worker process. */
template <class R, class F, class T> struct chunk {
    F f;
    std::vector<R> operator()(call &here, std::vector<T> items)
    {
        std::vector<R> results;
        results.reserve(items.size());
        for (auto &&item : items)
            results.push_back(
                call_with<F &, T>(here.handle(), f, std::move(item)));
        return results;
    }
};

/* Four chunks for each worker, if it is known how many items there are. */
template <class Range>
std::size_t
chunk_of(cf_executor *ex, Range &range)
{
    constexpr std::size_t most = 1024;
    std::size_t size = 16;
    if constexpr (is_random<decltype(range.begin())>::value) {
        const auto workers =
            static_cast<std::size_t>(cf_executor_max_workers(ex));
        const auto n = static_cast<std::size_t>(range.end() - range.begin());
        size = n / (4 * (workers ? workers : 1)) + 1;
    }
    return size < most ? size : most;
}

/* The results of chunks of items that worker processes do. If one fails, the
 * first in the order of the items, the others are told to stop. */
template <class R, class F, class T, class Range>
std::vector<R>
map_chunks(cf_executor *ex, F &f, Range &range, const map_options &how)
{
    const auto size = how.chunk() ? how.chunk() : chunk_of(ex, range);
    using chunk_type = chunk<R, F, T>;
    std::vector<future<std::vector<R>>> chunks;
    const auto submit = [&](std::vector<T> &&items) {
        handle made;
        bool coded;
        submit_job<reach::processes,
                   std::vector<R>,
                   chunk_type,
                   std::vector<T>>({ex, nullptr, made.out()},
                                   &coded,
                                   {{{chunk_type{f}}, {std::move(items)}}});
        chunks.emplace_back(std::move(made), coded);
    };
    std::vector<R> all;
    try {
        std::vector<T> items;
        for (auto &&item : range) {
            items.emplace_back(std::forward<decltype(item)>(item));
            if (items.size() == size)
                submit(std::exchange(items, {}));
        }
        if (!items.empty())
            submit(std::move(items));
        for (auto &each : chunks) {
            for (auto &&result : each.get())
                all.push_back(std::move(result));
        }
    } catch (...) {
        for (auto &each : chunks)
            each.request_stop();
        throw;
    }
    return all;
}

/* What is not random access is gone through first. */
template <class R, class F, class Range>
std::vector<R>
map_in_memory(cf_executor *ex, F &f, Range &&range, std::size_t grain)
{
    using iterator = decltype(range.begin());
    using item = decltype(*range.begin());
    if constexpr (is_random<iterator>::value) {
        const iterator first = range.begin();
        using difference =
            typename std::iterator_traits<iterator>::difference_type;
        const auto n = static_cast<std::size_t>(range.end() - first);
        return map_shared<R>(
            ex,
            n,
            [&](std::size_t i) -> decltype(auto) {
                return first[static_cast<difference>(i)];
            },
            f,
            grain);
    } else if constexpr (std::is_lvalue_reference_v<item>) {
        std::vector<std::remove_reference_t<item> *> items;
        for (auto &each : range)
            items.push_back(std::addressof(each));
        return map_shared<R>(
            ex,
            items.size(),
            [&](std::size_t i) -> item { return *items[i]; },
            f,
            grain);
    } else {
        std::vector<std::decay_t<item>> items;
        for (auto &&each : range)
            items.push_back(std::forward<decltype(each)>(each));
        return map_shared<R>(
            ex,
            items.size(),
            [&](std::size_t i) -> std::decay_t<item> && {
                return std::move(items[i]);
            },
            f,
            grain);
    }
}

template <reach Reach, class F, class Range>
auto
map(cf_executor *ex, F &f, Range &&range, const map_options &how)
{
    using item = item_of<Range>;
    using value = value_of<Range>;
    constexpr bool ok = outcome<F &, item>::ok;
    using result = std::decay_t<outcome_t<F &, item>>;
    static_assert(ok,
                  "cf::map: the callable cannot be called with an item of "
                  "the range");
    static_assert(!ok || !std::is_void_v<result>,
                  "cf::map: the callable returns nothing: parallel_for() is "
                  "for that");
    constexpr bool sound = ok && !std::is_void_v<result>;
    if constexpr (!sound) {
        return;
    } else {
        kept_range<Range> items(std::forward<Range>(range));
        if constexpr (Reach == reach::threads) {
            return map_in_memory<result>(ex, f, items, how.chunk());
        } else if constexpr (Reach == reach::processes) {
            explain_travel<result, F, value>();
            if constexpr (job_travels<result, F, value>)
                return map_chunks<result, F, value>(ex, f, items, how);
            else
                return std::vector<result>();
        } else {
            if (cf_executor_shares_memory(ex))
                return map_in_memory<result>(ex, f, items, how.chunk());
            if constexpr (job_travels<result, F, value>)
                return map_chunks<result, F, value>(ex, f, items, how);
            else
                throw_error(CF_ENOTSUP,
                            "cf::executor: this executor runs "
                            "tasks in other processes, where the "
                            "callable, an item or a result cannot "
                            "travel");
        }
    }
}

} // namespace detail

/*
 * The results of an imap(), in the order of the items: an input range. *it
 * waits, and moves the result out, once; or throws what that item threw, after
 * which ++it goes on with the next one.
 *
 * Ownership: a range that was given as an lvalue must stay as long as this; f
 *            and each item are copied into their task. What has not begun when
 *            this goes never does.
 * Threads:   one at a time uses it.
 * Blocks:    *it, as future::get(). ++it submits the next item.
 * Python:    the iterator of Executor.map(buffersize=).
 */
template <reach Reach, class R, class F, class Range> class results
{
  public:
    using iterator = detail::single_pass<results, R>;

    results(cf_executor *ex, F f, Range &&range, std::size_t buffer)
        : ex_(ex), f_(std::move(f)), range_(std::forward<Range>(range)),
          next_(range_.begin()), end_(range_.end()), most_(buffer)
    {
        fill();
    }
    results(const results &) = delete;
    results &operator=(const results &) = delete;
    ~results()
    {
        for (auto &each : futures_)
            each.cancel();
    }
    iterator begin() noexcept
    {
        return iterator(this);
    }
    iterator end() noexcept
    {
        return iterator();
    }

  private:
    friend iterator;

    R current()
    {
        return futures_[oldest_].get();
    }
    bool at_end() const noexcept
    {
        return oldest_ == futures_.size();
    }
    /* A full window is a ring: the next item takes the place of the last one.
     */
    void advance()
    {
        if (most_ && next_ != end_) {
            future<R> next = submit();
            futures_[oldest_] = std::move(next);
            oldest_ = oldest_ + 1 == futures_.size() ? 0 : oldest_ + 1;
            return;
        }
        if (most_ && !drained_)
            straighten();
        futures_[oldest_++] = future<R>();
    }
    /* Nothing more comes: the ring becomes a row, from the oldest on. */
    void straighten()
    {
        std::vector<future<R>> row;
        row.reserve(futures_.size());
        for (std::size_t i = 0; i < futures_.size(); i++)
            row.push_back(std::move(futures_[(oldest_ + i) % futures_.size()]));
        futures_ = std::move(row);
        oldest_ = 0;
        drained_ = true;
    }
    void fill()
    {
        while (next_ != end_ && !(most_ && futures_.size() == most_))
            futures_.push_back(submit());
    }
    future<R> submit()
    {
        using item = detail::value_of<Range>;
        detail::handle made;
        bool coded;
        detail::submit_job<Reach, R, F, item>(
            {ex_, nullptr, made.out()}, &coded, {{{f_}, {*next_}}});
        ++next_;
        return future<R>(std::move(made), coded);
    }

    cf_executor *ex_;
    F f_;
    detail::kept_range<Range> range_;
    decltype(std::declval<detail::kept_range<Range> &>().begin()) next_;
    decltype(std::declval<detail::kept_range<Range> &>().end()) end_;
    std::size_t most_;
    std::vector<future<R>> futures_;
    std::size_t oldest_ = 0;
    bool drained_ = false;
};

} // namespace cf

#endif
