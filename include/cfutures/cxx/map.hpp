/* SPDX-License-Identifier: MIT */
/*
 * One function over the items of a range, with all results at once: map().
 * imap() is in results.hpp.
 */
#ifndef CFUTURES_CXX_MAP_HPP
#define CFUTURES_CXX_MAP_HPP

#include <cfutures/cxx/loop.hpp>

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
    /* From the call on; then it is over. A map() throws cf::timed_out when what
     * ran has ended, and was told to stop; it does not wait for what runs in
     * worker processes. For imap() see cf::results. */
    template <class D> map_options &timeout(const D &duration) noexcept
    {
        timeout_ns_ = detail::to_ns(duration);
        return *this;
    }
    /* imap() only: results as they come, not as the items. */
    map_options &unordered(bool as_they_come = true) noexcept
    {
        unordered_ = as_they_come;
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
    std::int64_t timeout_ns() const noexcept /* -1: none */
    {
        return timeout_ns_;
    }
    bool is_unordered() const noexcept
    {
        return unordered_;
    }

  private:
    std::size_t chunk_ = 0;
    std::size_t buffer_ = 0;
    std::int64_t timeout_ns_ = -1;
    bool unordered_ = false;
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
map_chunks(cf_executor *ex, const F &f, Range &range, const map_options &how)
{
    const deadline end(how.timeout_ns());
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
            if (!each.wait_for(end))
                throw timed_out();
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
map_in_memory(cf_executor *ex, F &f, Range &&range, const map_options &how)
{
    using iterator = decltype(range.begin());
    using item = decltype(*range.begin());
    const deadline end(how.timeout_ns());
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
            how.chunk(),
            end);
    } else if constexpr (std::is_lvalue_reference_v<item>) {
        std::vector<std::remove_reference_t<item> *> items;
        for (auto &each : range)
            items.push_back(std::addressof(each));
        return map_shared<R>(
            ex,
            items.size(),
            [&](std::size_t i) -> item { return *items[i]; },
            f,
            how.chunk(),
            end);
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
            how.chunk(),
            end);
    }
}

template <reach Reach, class F, class Range>
auto
map(cf_executor *ex, F &f, Range &&range, const map_options &how)
{
    using item = item_of<Range>;
    using value = value_of<Range>;
    using callable = std::decay_t<F>; /* which is copied to processes */
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
            return map_in_memory<result>(ex, f, items, how);
        } else if constexpr (Reach == reach::processes) {
            explain_travel<result, callable, value>();
            if constexpr (job_travels<result, callable, value>)
                return map_chunks<result, callable, value>(ex, f, items, how);
            else
                return std::vector<result>();
        } else {
            if (cf_executor_shares_memory(ex))
                return map_in_memory<result>(ex, f, items, how);
            if constexpr (job_travels<result, callable, value>)
                return map_chunks<result, callable, value>(ex, f, items, how);
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
} // namespace cf

#endif
