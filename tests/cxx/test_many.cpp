/* SPDX-License-Identifier: MIT */
/* Many futures: as_completed, wait, when_all, when_any; task groups. */
#include "support.hpp"

#include <list>
#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;

Test(cxx_many, come_out_as_they_finish)
{
    gate held;
    cf::thread_pool pool(2);
    std::vector<cf::future<int>> futures;
    futures.push_back(pool.submit([&] {
        held.pass();
        return 0;
    }));
    for (int i = 1; i < 20; i++)
        futures.push_back(pool.submit([i] { return i; }));
    int sum = 0, count = 0;
    for (auto &f : cf::as_completed(futures, 1h)) {
        if (++count == 19) {
            cr_assert_not(futures[0].done());
            held.open();
        }
        sum += f.get();
    }
    cr_assert_eq(count, 20);
    cr_assert_eq(sum, 190);
}

Test(cxx_many, come_out_with_their_failures)
{
    cf::thread_pool pool(1);
    std::list<cf::future<int>> futures;
    futures.push_back(pool.submit([]() -> int { throw 3; }));
    futures.push_back(pool.submit([] { return 1; }));
    int good = 0, bad = 0;
    for (auto &f : cf::as_completed(futures)) {
        try {
            good += f.get();
        } catch (int thrown) {
            bad += thrown;
        }
    }
    cr_assert_eq(good, 1);
    cr_assert_eq(bad, 3);
    std::vector<cf::future<int>> none;
    for (auto &f : cf::as_completed(none))
        cr_assert(false, "%d of nothing", f.get());
}

Test(cxx_many, that_are_late_say_so)
{
    gate held;
    cf::thread_pool pool(1);
    std::vector<cf::future<void>> futures;
    futures.push_back(pool.submit([&] { held.pass(); }));
    thrown_by<cf::timed_out>([&] {
        for (auto &f : cf::as_completed(futures, 1ms))
            f.get();
    });
    cr_assert_eq(cf::wait(futures, cf::when::all, 1ms), 0);
    held.open();
    cr_assert_eq(cf::wait(futures), 1);
    futures[0].get();
    cr_assert_eq(error_of([&] { cf::wait(futures); }), CF_EINVAL);
    cr_assert_eq(error_of([&] {
                     for (auto &f : cf::as_completed(futures))
                         f.get();
                 }),
                 CF_EINVAL);
}

Test(cxx_many, shared_twice_come_out_once)
{
    cf::thread_pool pool(1);
    const auto f = pool.submit([] { return 2; }).share();
    std::vector<cf::shared_future<int>> twice(2, f);
    int count = 0;
    for (auto &each : cf::as_completed(twice))
        count += each.get();
    cr_assert_eq(count, 2);
}

Test(cxx_many, are_waited_for_until_the_first)
{
    gate held;
    cf::thread_pool pool(2);
    std::vector<cf::future<void>> futures;
    futures.push_back(pool.submit([&] { held.pass(); }));
    futures.push_back(pool.submit([] { throw 1; }));
    cr_assert_eq(cf::wait(futures, cf::when::first), 1);
    cr_assert_eq(cf::wait(futures, cf::when::first_error), 1);
    cr_assert_eq(cf::when_any(futures).get(), 1);
    held.open();
    cr_assert_eq(cf::wait(futures, cf::when::all, 1h), 2);
}

Test(cxx_many, together_are_a_tuple)
{
    cf::thread_pool pool(2);
    auto all =
        cf::when_all(pool.submit([] { return std::make_unique<int>(4); }),
                     pool.submit([] {}),
                     pool.submit([] { return std::string("s"); }));
    const auto values = all.get();
    cr_assert_eq(*std::get<0>(values), 4);
    cr_assert_eq(std::get<2>(values), "s");
    cf::when_all().get();
}

Test(cxx_many, together_are_a_vector)
{
    cf::thread_pool pool(2);
    std::vector<cf::future<counted>> some;
    for (int i = 0; i < 50; i++)
        some.push_back(pool.submit([i] { return counted(i); }));
    {
        const auto values = cf::when_all(std::move(some)).get();
        for (int i = 0; i < 50; i++)
            cr_assert_eq(values[static_cast<std::size_t>(i)].value, i);
    }
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
    std::vector<cf::future<void>> nothing;
    nothing.push_back(pool.submit([] {}));
    cf::when_all(std::move(nothing)).get();
}

Test(cxx_many, together_have_the_first_failure_in_their_order)
{
    cf::thread_pool pool(2);
    gate held;
    std::vector<cf::future<int>> some;
    some.push_back(pool.submit([] { return 1; }));
    some.push_back(pool.submit([&]() -> int {
        held.pass();
        throw std::out_of_range("second");
    }));
    some.push_back(pool.submit([]() -> int { throw 3; }));
    some.back().wait();
    auto all = cf::when_all(std::move(some));
    cr_assert_not(all.done());
    held.open();
    thrown_by<std::out_of_range>([&] { all.get(); });

    cf::future<int> invalid;
    cr_assert_eq(error_of([&] { cf::when_all(std::move(invalid)).get(); }),
                 CF_EINVAL);
}

Test(cxx_many, together_may_be_dropped_or_cancelled)
{
    gate held;
    {
        cf::thread_pool pool(1);
        auto all = cf::when_all(pool.submit([&] { held.pass(); }),
                                pool.submit([] { return counted(1); }));
        held.await(1);
        cr_assert(all.cancel());
        static_cast<void>(cf::when_all(pool.submit([] { return counted(2); })));
        held.open();
        thrown_by<cf::canceled>([&] { all.get(); });
    }
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_group, joins_its_tasks)
{
    cf::thread_pool pool(2);
    int squares[100] = {};
    {
        cf::task_group group(pool);
        for (int i = 0; i < 100; i++)
            cr_assert(group.run([&squares, i] { return squares[i] = i * i; }));
    }
    cr_assert_eq(squares[99], 9801);
    std::atomic<int> nested{0};
    cf::task_group group(pool);
    group.run([&] {
        group.run([&](cf::call &, int n) { nested += n; }, 5);
        nested++;
    });
    group.join();
    cr_assert_eq(nested, 6);
}

Test(cxx_group, with_a_task_that_throws_stops_the_others)
{
    gate held;
    cf::thread_pool pool(1);
    std::atomic<int> ran{0};
    cf::task_group group(pool);
    group.run([&] {
        held.pass();
        throw std::domain_error("first");
    });
    held.await(1);
    for (int i = 0; i < 10; i++)
        group.run([&, a = counted(i)] { ran++; });
    held.open();
    thrown_by<std::domain_error>([&] { group.join(); });
    cr_assert_eq(ran, 0);
    cr_assert_not(group.run([&] { ran++; }));
    cr_assert_eq(ran, 0);
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_group, left_by_an_exception_tells_its_tasks_to_stop)
{
    cf::thread_pool pool(1);
    gate begun;
    std::atomic<bool> stopped{false};
    thrown_by<std::domain_error>([&] {
        cf::task_group group(pool);
        group.run([&](cf::call &call) {
            begun.pass();
            while (!call.stop_requested())
                continue;
            stopped = true;
        });
        begun.await(1);
        begun.open();
        throw std::domain_error("away");
    });
    cr_assert(stopped);
}

Test(cxx_group, that_was_cancelled_says_so)
{
    gate held;
    cf::thread_pool pool(1);
    cf::task_group group(pool, 1);
    group.run([&] { held.pass(); });
    group.run([] {});
    held.await(1);
    group.cancel();
    held.open();
    thrown_by<cf::canceled>([&] { group.join(); });
}
