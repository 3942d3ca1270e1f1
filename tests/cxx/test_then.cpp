/* SPDX-License-Identifier: MIT */
/* Continuations, and tasks that wait for their time. */
#include "support.hpp"

#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;

Test(cxx_then, gets_the_value)
{
    cf::thread_pool pool(2);
    auto f = pool.submit([] { return std::make_unique<int>(20); })
                 .then(pool, [](std::unique_ptr<int> p) { return *p + 1; })
                 .then(pool, [](cf::call &, int n) { return 2 * n; });
    cr_assert_eq(f.get(), 42);
    int ran = 0;
    pool.submit([] {}).then(pool, [&] { ran++; }).get();
    cr_assert_eq(ran, 1);
    int target = 1;
    auto reference = pool.submit([&]() -> int & { return target; });
    std::move(reference).then(pool, [](int &n) { n = 9; }).get();
    cr_assert_eq(target, 9);
}

Test(cxx_then, is_skipped_after_a_failure)
{
    cf::thread_pool pool(1);
    std::atomic<int> ran{0};
    auto f = pool.submit([]() -> int { throw std::out_of_range("first"); })
                 .then(pool, [&, c = counted(1)](int n) { return ran += n; })
                 .then(pool, [&](int n) { return ran += n; });
    thrown_by<std::out_of_range>([&] { f.get(); });
    cr_assert_eq(ran, 0);
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_then, any_gets_the_future)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([]() -> int { throw 7; })
                 .then_any(pool, [](cf::future<int> done) {
                     cr_assert(done.done());
                     try {
                         return done.get();
                     } catch (int thrown) {
                         return -thrown;
                     }
                 });
    cr_assert_eq(f.get(), -7);
}

Test(cxx_then, after_a_cancellation)
{
    gate held;
    cf::thread_pool pool(1);
    auto first = pool.submit([&] { held.pass(); });
    held.await(1);
    cf::promise<int> promise;
    auto f = promise.get_future();
    auto *const cancelled = cf_future_ref(f.handle());
    auto next = std::move(f).then(pool, [](int n) { return n; });
    cr_assert_not(f.valid()); // NOLINT: that is what is tested
    cr_assert_not(next.done());
    cr_assert(cf_future_cancel(cancelled));
    cf_future_unref(cancelled);
    held.open();
    thrown_by<cf::canceled>([&] { next.get(); });
}

Test(cxx_then, can_be_cancelled_itself)
{
    cf::thread_pool pool(1);
    cf::promise<int> promise;
    auto next = promise.get_future().then(
        pool, [c = counted(1)](int n) { return n + c.value; });
    cr_assert(next.cancel());
    cr_assert_eq(counted::alive, 0);
    promise.set_value(1);
    thrown_by<cf::canceled>([&] { next.get(); });
}

Test(cxx_then, refused_leaves_the_future)
{
    cf::thread_pool pool(1), ended(1);
    ended.shutdown();
    auto f = pool.submit([] { return 3; });
    f.wait();
    cr_assert_eq(error_of([&] {
                     return std::move(f).then(ended, [](int n) { return n; });
                 }),
                 CF_ESHUTDOWN);
    cr_assert(f.valid()); // NOLINT: that is what is tested
    cr_assert_eq(f.get(), 3);
    cr_assert_eq(error_of([&] {
                     return std::move(f).then(pool, [](int n) { return n; });
                 }),
                 CF_EINVAL);
}

Test(cxx_then, may_be_waited_for_in_a_task_of_one_worker)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([&] {
        return pool.submit([] { return 1; })
            .then(pool, [](int n) { return n + 1; })
            .get();
    });
    cr_assert_eq(f.get(), 2);
}

Test(cxx_then, in_a_long_chain)
{
    cf::thread_pool pool(2);
    auto f = pool.submit([] { return 0; });
    for (int i = 0; i < 1000; i++)
        f = std::move(f).then(pool, [](int n) { return n + 1; });
    cr_assert_eq(f.get(), 1000);
}

Test(cxx_then, after_a_delay)
{
    cf::thread_pool pool(1);
    const auto before = std::chrono::steady_clock::now();
    auto f = pool.submit(cf::options().delay(20ms), [] { return 4; });
    auto late = pool.submit(cf::options().delay(1h), [c = counted(1)] {});
    cr_assert_eq(f.get(), 4);
    cr_assert_geq((std::chrono::steady_clock::now() - before) / 1ms, 20);
    cr_assert_eq(late.state(), CF_PENDING);
    cr_assert(late.cancel());
    cr_assert_eq(counted::alive, 0);
}
