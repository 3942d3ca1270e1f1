/* SPDX-License-Identifier: MIT */
/*
 * Many futures as one: when_all() and when_any().
 */
#ifndef CFUTURES_CXX_GATHER_HPP
#define CFUTURES_CXX_GATHER_HPP

#include <cfutures/cxx/promise.hpp>

#include <vector>

namespace cf
{

/* What a future<void> has, in the tuple of when_all(). */
struct nothing {
};

namespace detail
{

template <class T>
using value_or_nothing = std::conditional_t<std::is_void_v<T>, nothing, T>;

template <class T>
value_or_nothing<T>
get_value(future<T> &from)
{
    if constexpr (std::is_void_v<T>) {
        from.get();
        return nothing{};
    } else {
        return from.get();
    }
}

/* Waits, by callbacks, until some futures are done; each callback has a share
 * in it, and so has the function that adds them. The last one to drop its share
 * calls finish(). */
template <class Self> class gathering
{
  public:
    /* Never throws: what goes wrong becomes the outcome. */
    void add(cf_future *f) noexcept
    {
        shares_.fetch_add(1, std::memory_order_relaxed);
        const cf_err err = cf_future_on_done(f, ended, this);
        if (err) {
            trouble_ = err;
            drop();
        }
    }
    void drop() noexcept
    {
        if (shares_.fetch_sub(1, std::memory_order_acq_rel) != 1)
            return;
        auto *self = static_cast<Self *>(this);
        self->finish(trouble_);
        delete self;
    }

  private:
    static void ended(cf_future *f, void *of)
    {
        auto *self = static_cast<Self *>(static_cast<gathering *>(of));
        self->one_ended(f);
        self->drop();
    }
    std::atomic<std::size_t> shares_{1};
    cf_err trouble_ = CF_OK; /* written before the adding function's drop() */
};

/* Completes whole with what make() returns or throws. */
template <class T, class Make>
void
complete(promise<T> &whole, Make &&make) noexcept
{
    try {
        if (!whole.start()) /* it was cancelled */
            return;
        try {
            if constexpr (std::is_void_v<T>) {
                make();
                whole.set_value();
            } else {
                whole.set_value(make());
            }
        } catch (...) {
            whole.set_exception(std::current_exception());
        }
    } catch (...) { /* no memory even for the exception: it is broken */
    }
}

template <class... T> struct gather_tuple : gathering<gather_tuple<T...>> {
    using values = std::tuple<value_or_nothing<T>...>;
    std::tuple<future<T>...> futures;
    promise<values> whole;

    explicit gather_tuple(future<T> &&...of) : futures(std::move(of)...)
    {
    }
    void one_ended(cf_future *) noexcept
    {
    }
    void finish(cf_err trouble) noexcept
    {
        complete(whole, [&] {
            check(trouble);
            return std::apply(
                [](auto &...each) { return values{get_value(each)...}; },
                futures);
        });
    }
};

template <class T> struct gather_vector : gathering<gather_vector<T>> {
    using values = std::conditional_t<std::is_void_v<T>,
                                      void,
                                      std::vector<value_or_nothing<T>>>;
    std::vector<future<T>> futures;
    promise<values> whole;

    explicit gather_vector(std::vector<future<T>> &&of) : futures(std::move(of))
    {
    }
    void one_ended(cf_future *) noexcept
    {
    }
    void finish(cf_err trouble) noexcept
    {
        complete(whole, [&] {
            check(trouble);
            if constexpr (std::is_void_v<T>) {
                for (auto &each : futures)
                    each.get();
            } else {
                values all;
                all.reserve(futures.size());
                for (auto &each : futures)
                    all.push_back(each.get());
                return all;
            }
        });
    }
};

struct gather_first : gathering<gather_first> {
    std::vector<cf_future *> handles;
    std::atomic<bool> found{false};
    promise<std::size_t> whole;

    void one_ended(cf_future *f) noexcept
    {
        if (found.exchange(true, std::memory_order_relaxed))
            return;
        std::size_t i = 0;
        while (handles[i] != f)
            i++;
        complete(whole, [&] { return i; });
    }
    void finish(cf_err trouble) noexcept
    {
        if (!found.load(std::memory_order_relaxed))
            complete(whole, [&]() -> std::size_t {
                throw_error(trouble ? trouble : CF_EINVAL);
            });
    }
};

} // namespace detail

/*
 * A future of all values, in a tuple (cf::nothing for void), or a vector; ready
 * when all futures are done. If some have failed, it has the exception of the
 * first of these in the order given. No thread waits meanwhile. In a task that
 * has to share its only worker with them, wait for the futures themselves.
 */
template <class... T>
future<std::tuple<detail::value_or_nothing<T>...>>
when_all(future<T>... futures)
{
    for (const bool valid : {true, futures.valid()...})
        if (!valid)
            detail::throw_outcome(nullptr, CF_EINVAL);
    auto *all = new detail::gather_tuple<T...>(std::move(futures)...);
    auto whole = all->whole.get_future();
    std::apply([&](auto &...each) { (all->add(each.handle()), ...); },
               all->futures);
    all->drop();
    return whole;
}
template <class T>
auto
when_all(std::vector<future<T>> futures)
{
    for (const auto &each : futures)
        if (!each.valid())
            detail::throw_outcome(nullptr, CF_EINVAL);
    auto *all = new detail::gather_vector<T>(std::move(futures));
    auto whole = all->whole.get_future();
    for (const auto &each : all->futures)
        all->add(each.handle());
    all->drop();
    return whole;
}

/* A future of the index of the first one that is done, however it ended. The
 * futures stay the caller's. */
template <class Range>
future<std::size_t>
when_any(Range &futures)
{
    std::vector<cf_future *> handles;
    for (auto &each : futures) {
        if (!each.valid())
            detail::throw_outcome(nullptr, CF_EINVAL);
        handles.push_back(each.handle());
    }
    auto *first = new detail::gather_first;
    first->handles = std::move(handles);
    future<std::size_t> whole;
    try {
        whole = first->whole.get_future();
    } catch (...) {
        delete first;
        throw;
    }
    for (auto *each : first->handles)
        first->add(each);
    first->drop();
    return whole;
}

} // namespace cf

#endif
