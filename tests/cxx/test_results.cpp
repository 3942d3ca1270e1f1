/* SPDX-License-Identifier: MIT */
/* Maps with a time limit, and results that come out as they finish. */
#include "support.hpp"

#include <algorithm>
#include <stdexcept>

using namespace std::chrono_literals;

static const cf::map_options as_they_come = cf::map_options().unordered();

static std::vector<int>
from_0_to(int n)
{
    std::vector<int> items;
    for (int i = 0; i < n; i++)
        items.push_back(i);
    return items;
}

/* Runs until it is told to stop. */
static int
until_stopped(cf::call &call)
{
    while (!call.stop_requested())
        continue;
    return 1;
}

Test(cxx_unordered, comes_out_as_it_finishes)
{
    gate held;
    cf::thread_pool pool(2);
    auto results = pool.imap(
        [&](int n) {
            if (n == 0)
                held.pass();
            return n * n;
        },
        from_0_to(20),
        as_they_come);
    std::vector<int> seen(20, 0);
    int count = 0;
    for (auto it = results.begin(); it != results.end(); ++it) {
        const int square = *it;
        const auto index = results.index();
        cr_assert_eq(square, static_cast<int>(index * index));
        seen[index]++;
        if (++count == 19) {
            cr_assert_eq(seen[0], 0);
            held.open();
        }
    }
    cr_assert_eq(count, 20);
    cr_assert_eq(std::count(seen.begin(), seen.end(), 1), 20);
}

Test(cxx_unordered, with_a_buffer_goes_on_past_a_late_item)
{
    gate held;
    cf::thread_pool pool(2);
    auto results = pool.imap(
        [&](int n) {
            if (n == 0)
                held.pass();
            return n;
        },
        from_0_to(50),
        cf::map_options().unordered().buffer(2));
    int sum = 0, count = 0;
    for (int n : results) {
        sum += n;
        if (++count == 49)
            held.open();
    }
    cr_assert_eq(count, 50);
    cr_assert_eq(sum, 49 * 50 / 2);
}

Test(cxx_unordered, goes_on_after_an_item_that_fails)
{
    cf::thread_pool pool(2);
    int good = 0, bad = 0;
    { /* it keeps the result that came last */
        auto results = pool.imap(
            [](int n) {
                if (n % 2)
                    throw std::domain_error(std::to_string(n));
                return counted(n);
            },
            from_0_to(20),
            cf::map_options().unordered().buffer(3));
        for (auto it = results.begin(); it != results.end(); ++it) {
            try {
                good += (*it).value;
            } catch (const std::domain_error &thrown) {
                cr_assert_eq(std::stoul(thrown.what()), results.index());
                bad++;
            }
        }
    }
    cr_assert_eq(good, 90);
    cr_assert_eq(bad, 10);
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_unordered, may_be_skipped_and_left)
{
    cf::thread_pool pool(2);
    {
        auto results = pool.imap(
            [](int n) { return counted(n); }, from_0_to(100), as_they_come);
        auto it = results.begin();
        for (int i = 0; i < 50; i++)
            ++it;
        cr_assert_lt((*it).value, 100);
    }
    for (int n : pool.imap([](int i) { return i; }, from_0_to(0), as_they_come))
        cr_assert(false, "%d from nothing", n);
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_timeout, of_a_map_that_is_in_time_does_nothing)
{
    cf::thread_pool pool(2);
    const auto all = pool.map([](int n) { return std::to_string(n); },
                              from_0_to(1000),
                              cf::map_options().timeout(1h));
    cr_assert_eq(all.size(), 1000);
    cr_assert_eq(all[999], "999");
    const auto chunks = pool.map([](int n) { return n; },
                                 from_0_to(10),
                                 cf::map_options().timeout(1h).chunk(3));
    cr_assert_eq(chunks, from_0_to(10));
    const auto none = pool.map(
        [](int n) { return n; }, from_0_to(0), cf::map_options().timeout(0s));
    cr_assert(none.empty());
}

Test(cxx_timeout, of_a_map_stops_what_runs_and_begins_no_more)
{
    cf::thread_pool pool(1);
    std::atomic<int> begun{0};
    const auto run = [&](cf::call &call, int) {
        begun++;
        until_stopped(call);
        return counted(1);
    };
    thrown_by<cf::timed_out>([&] {
        return pool.map(
            run, from_0_to(100), cf::map_options().timeout(5ms).chunk(1));
    });
    cr_assert_leq(begun, 1);
    cr_assert_eq(counted::alive, 0);
    begun = 0;
    thrown_by<cf::timed_out>([&] {
        return pool.map(run, from_0_to(9), cf::map_options().timeout(0s));
    });
    cr_assert_eq(begun, 0);
}

Test(cxx_timeout, of_a_map_is_not_what_a_stopped_item_throws)
{
    cf::thread_pool pool(1);
    thrown_by<cf::timed_out>([&] {
        return pool.map(
            [](cf::call &call, int) -> int {
                until_stopped(call);
                throw std::domain_error("stopped");
            },
            from_0_to(2),
            cf::map_options().timeout(5ms));
    });
}

Test(cxx_timeout, of_a_map_leaves_its_failure)
{
    cf::thread_pool pool(2);
    thrown_by<std::domain_error>([&] {
        return pool.map(
            [](int n) -> int { throw std::domain_error(std::to_string(n)); },
            from_0_to(100),
            cf::map_options().timeout(1h));
    });
}

/* What is ready comes out, though the time is over; then it says so once, and
 * ends. */
static void
runs_out(cf::thread_pool &pool, const cf::map_options &how, int ready)
{
    std::atomic<int> begun{0};
    auto results = pool.imap(
        [&](cf::call &call, int n) {
            begun++;
            if (n >= ready)
                until_stopped(call);
            return n;
        },
        from_0_to(20),
        how);
    int good = 0, late = 0;
    for (auto it = results.begin(); it != results.end(); ++it) {
        try {
            static_cast<void>(*it);
            good++;
        } catch (const cf::timed_out &) {
            late++;
            thrown_by<cf::timed_out>([&] { return *it; });
        }
    }
    pool.wait_idle();
    cr_assert_eq(late, 1);
    cr_assert_leq(good, ready);
    cr_assert_lt(begun, 20);
}

Test(cxx_timeout, of_an_imap_is_said_once)
{
    cf::thread_pool pool(2);
    for (const bool unordered : {false, true}) {
        auto how = cf::map_options().unordered(unordered).timeout(20ms);
        runs_out(pool, how, 3);
        runs_out(pool, how, 0);
        runs_out(pool, how.buffer(4), 3);
    }
}

/* The time passes while nothing is under way but what is ready. */
Test(cxx_timeout, of_an_imap_is_said_if_items_were_left_out)
{
    for (const bool unordered : {false, true}) {
        cf::thread_pool pool(2);
        const auto until = std::chrono::steady_clock::now() + 50ms;
        auto results = pool.imap(
            [](int n) { return n; },
            from_0_to(5),
            cf::map_options().unordered(unordered).buffer(2).timeout(50ms));
        pool.wait_idle();
        while (std::chrono::steady_clock::now() < until + 1ms)
            continue;
        auto it = results.begin();
        std::vector<int> good = {*it};
        ++it;
        good.push_back(*it);
        ++it;
        cr_assert(it != results.end());
        thrown_by<cf::timed_out>([&] { return *it; });
        ++it;
        cr_assert(it == results.end());
        std::sort(good.begin(), good.end());
        cr_assert_eq(good, from_0_to(2));
    }
}

Test(cxx_timeout, of_an_imap_in_time_does_nothing)
{
    cf::thread_pool pool(2);
    int next = 0;
    for (int n : pool.imap([](int i) { return i; },
                           from_0_to(20),
                           cf::map_options().timeout(1h).buffer(3)))
        cr_assert_eq(n, next++);
    cr_assert_eq(next, 20);
}
