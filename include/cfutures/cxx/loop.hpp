/* SPDX-License-Identifier: MIT */
/*
 * Loops over indices and over ranges, where memory is shared: what
 * parallel_for(), reduce() and map() of an executor are made of.
 */
#ifndef CFUTURES_CXX_LOOP_HPP
#define CFUTURES_CXX_LOOP_HPP

#include <cfutures/cxx/deadline.hpp>
#include <cfutures/cxx/promise.hpp>

#include <cstdio>
#include <vector>

namespace cf
{

namespace detail
{

/* The failure of a loop: that of the lowest index among those that ran. It is
 * kept here, since a failed range of C does not say whose error it has. */
class loop_failure
{
  public:
    void note(std::size_t index) noexcept
    {
        const locked held(lock_);
        if (thrown_ && index_ < index)
            return;
        thrown_ = std::current_exception();
        index_ = index;
    }
    /* Throws what was noted; else err, which is of the loop itself. */
    void check(cf_err err)
    {
        if (err == CF_EDEADLK)
            give_up();
        if (err == CF_ETIMEDOUT) /* what was noted comes of that */
            throw_error(err);
        if (thrown_)
            std::rethrow_exception(thrown_);
        detail::check(err);
    }

  private:
    /* A range waits for the caller, and would go on when an exception had
     * destroyed what it uses. */
    [[noreturn, gnu::cold]] static void give_up() noexcept
    {
        std::fputs("cfutures: a body of cf::parallel_for(), map() or reduce() "
                   "waits for the task that called it\n",
                   stderr);
        std::terminate();
    }

    lock lock_;
    std::exception_ptr thrown_;
    std::size_t index_ = 0;
};

/* body(call, begin, end, failure) in the ranges of a cf_parallel_for(). */
template <class Body> struct ranges {
    Body &body;
    loop_failure failure;

    static int run(cf_call *call, std::size_t begin, std::size_t end, void *of)
    {
        auto &self = *static_cast<ranges *>(of);
        std::size_t i = begin;
        return unless_thrown(
            [&] {
                self.body(call, i, end);
                return 0;
            },
            [&] {
                self.failure.note(i);
                return 1;
            });
    }
    void
    over(cf_executor *ex, std::size_t begin, std::size_t end, std::size_t grain)
    {
        failure.check(
            cf_parallel_for(ex, begin, end, grain, run, this, nullptr));
    }
};

inline void
need_shared_memory(cf_executor *ex, const char *what)
{
    if (ex && !cf_executor_shares_memory(ex))
        throw_error(CF_ENOTSUP,
                    std::string(what) +
                        " needs an executor whose tasks share the "
                        "program's memory");
}

/* body(call, i, end) does the iterations from i on, and counts them in i. */
template <class Body>
void
for_ranges(cf_executor *ex,
           std::size_t begin,
           std::size_t end,
           std::size_t grain,
           Body &&body)
{
    ranges<std::remove_reference_t<Body>>{body, {}}.over(ex, begin, end, grain);
}

/* f(i), f(call, i), f(begin, end) or f(call, begin, end). */
template <class F>
void
parallel_for(cf_executor *ex,
             std::size_t begin,
             std::size_t end,
             F &f,
             std::size_t grain)
{
    constexpr bool each = outcome<F &, std::size_t>::ok;
    constexpr bool range = outcome<F &, std::size_t, std::size_t>::ok;
    static_assert(each || range,
                  "cf::parallel_for: the body must be callable as f(i) or as "
                  "f(begin, end), with or without a cf::call first");
    if constexpr (each)
        for_ranges(ex,
                   begin,
                   end,
                   grain,
                   [&f](cf_call *call, std::size_t &i, std::size_t last) {
                       for (; i < last; i++)
                           call_with<F &, std::size_t>(call, f, std::size_t{i});
                   });
    else if constexpr (range)
        for_ranges(ex,
                   begin,
                   end,
                   grain,
                   [&f](cf_call *call, std::size_t &i, std::size_t last) {
                       call_with<F &, std::size_t, std::size_t>(
                           call, f, std::size_t{i}, std::size_t{last});
                   });
}

/* A partial result, in a list of all of a reduction: so none is lost if it
 * fails. */
template <class T> struct partial {
    T value;
    partial *older;
};

/* What the tasks of a reduction share. Their partial results are pointers, NULL
 * being the identity: objects cannot be copied as bytes. */
template <class T, class F, class Op> struct reduction {
    const T &identity;
    F &f;
    Op &op;
    loop_failure failure;
    std::atomic<bool> failed{false};
    std::atomic<partial<T> *> newest{nullptr};

    ~reduction()
    {
        for (auto *p = newest.load(std::memory_order_acquire); p;)
            delete std::exchange(p, p->older);
    }
    partial<T> *make()
    {
        auto *made = new partial<T>{identity, nullptr};
        made->older = newest.load(std::memory_order_relaxed);
        while (!newest.compare_exchange_weak(made->older,
                                             made,
                                             std::memory_order_acq_rel,
                                             std::memory_order_relaxed))
            continue;
        return made;
    }
    void note(std::size_t index) noexcept
    {
        failure.note(index);
        failed.store(true, std::memory_order_relaxed);
    }
    static int fold(
        cf_call *call, std::size_t begin, std::size_t end, void *into, void *of)
    {
        auto &self = *static_cast<reduction *>(of);
        auto *&mine = *static_cast<partial<T> **>(into);
        std::size_t i = begin;
        return unless_thrown(
            [&] {
                if (!mine)
                    mine = self.make();
                for (; i < end; i++)
                    mine->value = self.op(std::move(mine->value),
                                          call_with<F &, std::size_t>(
                                              call, self.f, std::size_t{i}));
                return 0;
            },
            [&] {
                self.note(i);
                return 1;
            });
    }
    static void combine(void *into, void *next, void *of) noexcept
    {
        auto &self = *static_cast<reduction *>(of);
        auto *&left = *static_cast<partial<T> **>(into);
        auto *right = *static_cast<partial<T> **>(next);
        if (!right || self.failed.load(std::memory_order_relaxed))
            return;
        if (!left) {
            left = right;
            return;
        }
        try {
            left->value =
                self.op(std::move(left->value), std::move(right->value));
        } catch (...) {
            /* A combination has no index: it comes after all that have one. */
            self.note(static_cast<std::size_t>(-1));
        }
    }
};

template <class T, class F, class Op>
T
reduce(cf_executor *ex,
       std::size_t begin,
       std::size_t end,
       const T &identity,
       F &f,
       Op &op,
       std::size_t grain)
{
    using reduction_type = reduction<T, F, Op>;
    reduction_type all{identity, f, op, {}, {}, {}};
    partial<T> *whole = nullptr;
    all.failure.check(cf_parallel_reduce(ex,
                                         begin,
                                         end,
                                         grain,
                                         reduction_type::fold,
                                         reduction_type::combine,
                                         &whole,
                                         sizeof whole,
                                         &all,
                                         &whole));
    return whole ? std::move(whole->value) : identity;
}

/* n places for results that are made in any order. */
template <class R> class places
{
  public:
    struct room_of_one {
        alignas(R) unsigned char bytes[sizeof(R)];
        room_of_one() noexcept // NOLINT: not initialised, and not touched, here
        {
        }
    };

    explicit places(std::size_t n) : made_(n), room_(n)
    {
    }
    places(const places &) = delete;
    places &operator=(const places &) = delete;
    ~places()
    {
        for (std::size_t i = 0; i < made_.size(); i++)
            if (made_[i])
                at(i).~R();
    }
    template <class Make> void make(std::size_t i, Make &&make)
    {
        new (room_[i].bytes) R(make());
        made_[i] = 1;
    }
    R &at(std::size_t i) noexcept
    {
        return *std::launder(reinterpret_cast<R *>(room_[i].bytes));
    }
    const std::vector<room_of_one> &room() const noexcept
    {
        return room_;
    }

  private:
    std::vector<unsigned char> made_; /* not bool: threads write to them */
    std::vector<room_of_one> room_;
};

/* body(call, i) for each place of an array, until a time limit. */
template <class Body> struct timed {
    Body &body;
    const unsigned char *first;
    loop_failure failure;

    static int run(cf_call *call, const void *item, std::size_t size)
    {
        auto &self = *static_cast<timed *>(cf_call_context(call));
        const auto *at = static_cast<const unsigned char *>(item);
        const auto i = static_cast<std::size_t>(at - self.first) / size;
        return unless_thrown(
            [&] {
                self.body(call, i);
                return 0;
            },
            [&] {
                self.failure.note(i);
                return 1;
            });
    }
};

template <class Place, class Body>
void
for_places(cf_executor *ex,
           const std::vector<Place> &array,
           std::size_t grain,
           const deadline &end,
           Body &body)
{
    const auto *first = reinterpret_cast<const unsigned char *>(array.data());
    timed<Body> all{body, first, {}};
    cf_map_options how = CF_MAP_OPTIONS_INIT;
    how.chunk_size = grain;
    how.context = &all;
    how.timeout_ns = end.left();
    if (how.timeout_ns == 0 && !array.empty()) /* for C, 0 is no limit */
        throw_error(CF_ETIMEDOUT);
    all.failure.check(cf_map_array(ex,
                                   timed<Body>::run,
                                   array.data(),
                                   sizeof(Place),
                                   array.size(),
                                   nullptr,
                                   0,
                                   &how));
}

/* The results of f(item(i)), in order. Throws cf::timed_out at the end. */
template <class R, class Item, class F>
std::vector<R>
map_shared(cf_executor *ex,
           std::size_t n,
           Item &&item,
           F &f,
           std::size_t grain,
           const deadline &end)
{
    places<R> results(n);
    const auto one = [&](cf_call *call, std::size_t i) {
        results.make(i, [&]() -> R {
            return call_with<F &, decltype(item(i))>(call, f, item(i));
        });
    };
    if (end.is_set())
        for_places(ex, results.room(), grain, end, one);
    else
        for_ranges(ex,
                   0,
                   n,
                   grain,
                   [&](cf_call *call, std::size_t &i, std::size_t last) {
                       for (; i < last; i++)
                           one(call, i);
                   });
    std::vector<R> all;
    all.reserve(n);
    for (std::size_t i = 0; i < n; i++)
        all.push_back(std::move(results.at(i)));
    return all;
}

} // namespace detail
} // namespace cf

#endif
