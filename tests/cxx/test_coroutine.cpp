/* SPDX-License-Identifier: MIT */
/* Coroutines of C++20. */
#include "support.hpp"

#include <unistd.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <ranges>
#include <stdexcept>

namespace
{

cf::task<int>
doubled(cf::executor_ref pool, int n)
{
    const int same = co_await pool.submit([n] { return n; });
    if (n < 0)
        throw std::out_of_range("negative");
    co_return 2 * same;
}

cf::task<std::unique_ptr<int>>
sum_to(cf::executor_ref pool, int n)
{
    int sum = 0;
    for (int i = 1; i <= n; i++)
        sum += co_await doubled(pool, i);
    co_return std::make_unique<int>(sum);
}

cf::task<>
fails(cf::executor_ref pool)
{
    co_await doubled(pool, -1);
}

cf::task<bool>
changes_places(cf::executor_ref first, cf::executor_ref second)
{
    /* Not std::this_thread::get_id(): clang 14 asks for it only once in a
     * function, though a coroutine may go on in another thread. */
    const auto before = gettid();
    co_await cf::on(second);
    const auto other = gettid();
    co_await cf::on(first);
    co_return before == gettid() && before != other;
}

/* A coroutine of another library. */
struct fire {
    struct promise_type {
        fire get_return_object()
        {
            return {};
        }
        std::suspend_never initial_suspend() noexcept
        {
            return {};
        }
        std::suspend_never final_suspend() noexcept
        {
            return {};
        }
        void return_void()
        {
        }
        void unhandled_exception()
        {
            std::terminate();
        }
    };
};

fire
foreign(cf::future<int> f, std::atomic<int> &result, gate &done)
{
    result = co_await f;
    done.open();
}

fire
foreign_that_fails(cf::future<int> f, std::atomic<int> &result, gate &done)
{
    try {
        result = co_await std::move(f);
    } catch (int thrown) {
        result = -thrown;
    }
    done.open();
}

} // namespace

Test(cxx_coroutine, awaits_futures_and_tasks)
{
    cf::thread_pool pool(2);
    cr_assert_eq(*cf::spawn(pool, sum_to(pool, 100)).get(), 10100);
}

Test(cxx_coroutine, on_one_worker_holds_it_no_longer_than_it_runs)
{
    cf::thread_pool pool(1);
    std::vector<cf::future<std::unique_ptr<int>>> all;
    for (int i = 0; i < 50; i++)
        all.push_back(cf::spawn(pool, sum_to(pool, i)));
    for (int i = 0; i < 50; i++)
        cr_assert_eq(*all[static_cast<std::size_t>(i)].get(), i * (i + 1));
}

Test(cxx_coroutine, passes_exceptions_on)
{
    cf::thread_pool pool(2);
    thrown_by<std::out_of_range>([&] { cf::spawn(pool, fails(pool)).get(); });
}

Test(cxx_coroutine, goes_where_it_wants)
{
    cf::thread_pool first(1), second(1);
    cr_assert(cf::spawn(first, changes_places(first, second)).get());
}

Test(cxx_coroutine, runs_in_place)
{
    cf::executor in_place("inline");
    cr_assert_eq(cf::spawn(in_place, doubled(in_place, 4)).get(), 8);
}

Test(cxx_coroutine, that_never_began_is_freed)
{
    cf::thread_pool pool(1);
    auto a = doubled(pool, 1);
    auto b = std::move(a);
    a = std::move(b);
}

Test(cxx_coroutine, whose_executor_is_shut_down_ends_with_an_exception)
{
    gate held;
    cf::thread_pool pool(1);
    auto blocks = pool.submit([&] { held.pass(); });
    held.await(1);
    auto f = cf::spawn(pool, doubled(pool, 1));
    cr_assert_not(pool.cancel_and_shutdown(std::chrono::seconds(0)));
    thrown_by<cf::canceled>([&] { f.get(); });
    held.open();
    cr_assert_eq(error_of([&] { cf::spawn(pool, doubled(pool, 1)).get(); }),
                 CF_ESHUTDOWN);
}

Test(cxx_coroutine, that_is_cancelled_before_it_begins_does_not)
{
    gate held;
    cf::thread_pool pool(1);
    auto blocks = pool.submit([&] { held.pass(); });
    held.await(1);
    auto f = cf::spawn(pool, doubled(pool, 1));
    cr_assert(f.cancel());
    held.open();
    thrown_by<cf::canceled>([&] { f.get(); });
}

Test(cxx_coroutine, of_another_library_awaits_futures)
{
    cf::thread_pool pool(1);
    for (int i = 0; i < 20; i++) {
        std::atomic<int> result{0};
        gate done;
        foreign(pool.submit([] { return 5; }), result, done);
        done.pass();
        cr_assert_eq(result, 5);
        gate failed;
        foreign_that_fails(
            pool.submit([]() -> int { throw 7; }), result, failed);
        failed.pass();
        cr_assert_eq(result, -7);
    }
    pool.wait_idle();
}

/* clang compiles the views of GCC 12's library from its version 16 on. */
#if !defined __clang__ || __clang_major__ >= 16
Test(cxx_coroutine, and_views_are_ranges_for_map)
{
    cf::thread_pool pool(2);
    const auto squares =
        pool.map([](int n) { return n * n; },
                 std::views::iota(1, 11) |
                     std::views::filter([](int n) { return n % 2 == 0; }));
    cr_assert_eq(squares, (std::vector<int>{4, 16, 36, 64, 100}));
}
#endif
