/* SPDX-License-Identifier: MIT */
/* Loops, maps and reductions on threads. */
#include "support.hpp"

#include <iterator>
#include <list>
#include <memory>
#include <set>
#include <sstream>
#include <thread>

namespace
{

struct at_index : std::runtime_error {
    std::size_t index;
    explicit at_index(std::size_t of) : std::runtime_error("at"), index(of)
    {
    }
};

/* It has neither a default constructor nor a copy. */
struct only_moves {
    std::unique_ptr<int> value;
    explicit only_moves(int of) : value(std::make_unique<int>(of))
    {
    }
};

} // namespace

Test(cxx_loop, runs_each_index_once)
{
    cf::thread_pool pool(3);
    std::vector<std::atomic<int>> hits(10000);
    pool.parallel_for(0, hits.size(), [&](std::size_t i) { hits[i]++; });
    pool.parallel_for(
        0, hits.size(), [&](cf::call &, std::size_t i) { hits[i]++; });
    pool.parallel_for(
        0,
        hits.size(),
        [&](std::size_t begin, std::size_t end) {
            cr_assert_leq(end - begin, 7);
            for (; begin < end; begin++)
                hits[begin]++;
        },
        7);
    for (auto &each : hits)
        cr_assert_eq(each, 3);
    pool.parallel_for(5, 5, [](std::size_t) { cr_assert(false, "called"); });
}

Test(cxx_loop, throws_the_exception_of_an_iteration)
{
    cf::thread_pool pool(2);
    const auto thrown = thrown_by<at_index>([&] {
        pool.parallel_for(0, 1000, [](std::size_t i) {
            if (i == 500)
                throw at_index(i);
        });
    });
    cr_assert_eq(thrown.index, 500);
}

Test(cxx_loop, throws_the_exception_of_the_lowest_index)
{
    cf::thread_pool pool(2);
    std::atomic<int> begun{0};
    const auto thrown = thrown_by<at_index>([&] {
        pool.parallel_for(
            0,
            2,
            [&](std::size_t i) {
                begun++;
                while (begun < 2)
                    std::this_thread::yield();
                throw at_index(i);
            },
            1);
    });
    cr_assert_eq(thrown.index, 0);
}

Test(cxx_loop, ended_has_no_iteration_that_runs)
{
    cf::thread_pool pool(2);
    for (int round = 0; round < 100; round++) {
        std::atomic<int> running{0};
        try {
            pool.parallel_for(
                0,
                64,
                [&](std::size_t i) {
                    running++;
                    std::this_thread::yield();
                    running--;
                    if (i % 16 == 7)
                        throw at_index(i);
                },
                1);
        } catch (const at_index &) {
        }
        cr_assert_eq(running, 0);
    }
}

Test(cxx_loop, inside_a_task_of_one_worker)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([](cf::call &call) {
        return call.executor().reduce(
            0,
            1000,
            std::size_t{0},
            [](std::size_t i) { return i; },
            [](std::size_t a, std::size_t b) { return a + b; });
    });
    cr_assert_eq(f.get(), 499500);
}

Test(cxx_map, gives_results_in_order)
{
    cf::thread_pool pool(2);
    std::vector<int> items(1000);
    for (std::size_t i = 0; i < items.size(); i++)
        items[i] = static_cast<int>(i);
    const auto doubled = pool.map([](int n) { return 2L * n; }, items);
    cr_assert_eq(doubled.size(), items.size());
    for (std::size_t i = 0; i < doubled.size(); i++)
        cr_assert_eq(doubled[i], 2 * static_cast<long>(i));
    const std::vector<bool> odd =
        pool.map([](int n) { return n % 2 != 0; }, items);
    cr_assert(odd[1] && !odd[2] && odd[999]);
    cr_assert(pool.map([](int n) { return n; }, std::vector<int>()).empty());
}

Test(cxx_map, takes_ranges_of_all_kinds)
{
    cf::thread_pool pool(2);
    const auto size = [](const std::string &s) { return s.size(); };
    const std::list<std::string> listed = {"a", "bb", "ccc"};
    cr_assert_eq(pool.map(size, listed), (std::vector<std::size_t>{1, 2, 3}));
    const char *const array[] = {"x", "yy"};
    cr_assert_eq(pool.map(size, array), (std::vector<std::size_t>{1, 2}));
    cr_assert_eq(pool.map(size, std::set<std::string>{"q", "rr"}),
                 (std::vector<std::size_t>{1, 2}));
    std::vector<bool> bits = {true, false};
    cr_assert_eq(pool.map([](bool b) { return b ? 1 : 0; }, bits),
                 (std::vector<int>{1, 0}));
    std::vector<int> changed = {1, 2, 3};
    pool.map([](int &n) { return n *= 2; }, changed);
    cr_assert_eq(changed, (std::vector<int>{2, 4, 6}));
}

Test(cxx_map, gives_results_that_only_move)
{
    cf::thread_pool pool(2);
    const auto all =
        pool.map([](int n) { return only_moves(n); }, std::vector{1, 2, 3});
    cr_assert_eq(*all[2].value, 3);
}

Test(cxx_map, that_fails_destroys_what_it_has)
{
    cf::thread_pool pool(2);
    const std::vector<int> items(100, 1);
    std::atomic<int> calls{0};
    thrown_by<std::domain_error>([&] {
        pool.map(
            [&](int n) {
                if (++calls == 50)
                    throw std::domain_error("50");
                return counted(n);
            },
            items);
    });
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_imap, gives_one_result_after_the_other)
{
    cf::thread_pool pool(2);
    std::vector<std::string> items = {"a", "bb", "ccc", "dddd", "eeeee"};
    for (std::size_t buffer = 0; buffer < 7; buffer++) {
        std::size_t next = 1;
        for (auto n : pool.imap([](const std::string &s) { return s.size(); },
                                items,
                                cf::map_options().buffer(buffer)))
            cr_assert_eq(n, next++);
        cr_assert_eq(next, 6);
    }
    for (auto n : pool.imap([](int i) { return i; }, std::vector<int>()))
        cr_assert(false, "%d from nothing", n);
}

Test(cxx_imap, with_a_buffer_reads_as_results_are_taken)
{
    std::atomic<int> begun{0};
    cf::thread_pool pool(2);
    std::istringstream endless("1 2 3 4 5 6 7 8 9");
    struct input {
        std::istream &from;
        std::istream_iterator<int> begin()
        {
            return std::istream_iterator<int>(from);
        }
        std::istream_iterator<int> end()
        {
            return {};
        }
    };
    auto results = pool.imap(
        [&](int n) {
            begun++;
            return n;
        },
        input{endless},
        cf::map_options().buffer(2));
    auto it = results.begin();
    cr_assert_eq(*it, 1);
    pool.wait_idle();
    cr_assert_eq(begun, 2);
    ++it;
    cr_assert_eq(*it, 2);
    pool.wait_idle();
    cr_assert_eq(begun, 3);
}

Test(cxx_imap, goes_on_after_an_item_that_fails)
{
    cf::thread_pool pool(2);
    auto results = pool.imap(
        [](int n) {
            if (n == 2)
                throw at_index(2);
            return n;
        },
        std::vector<int>{1, 2, 3},
        cf::map_options().buffer(2));
    int sum = 0, failed = 0;
    for (auto it = results.begin(); it != results.end(); ++it) {
        try {
            sum += *it;
        } catch (const at_index &) {
            failed++;
        }
    }
    cr_assert_eq(sum, 4);
    cr_assert_eq(failed, 1);
}

Test(cxx_imap, left_early_cancels_what_has_not_begun)
{
    gate held;
    std::atomic<int> ran{0};
    {
        cf::thread_pool pool(1);
        auto first = pool.submit([&] { held.pass(); });
        held.await(1);
        {
            auto results =
                pool.imap([&](int) { return ++ran; }, std::vector<int>(10));
        }
        held.open();
    }
    cr_assert_eq(ran, 0);
}

Test(cxx_reduce, keeps_the_order)
{
    cf::thread_pool pool(2);
    const auto letters = pool.reduce(
        0,
        1000,
        std::string(),
        [](std::size_t i) { return std::string(1, char('a' + i % 26)); },
        [](std::string a, const std::string &b) { return a + b; },
        10);
    cr_assert_eq(letters.size(), 1000);
    for (std::size_t i = 0; i < letters.size(); i++)
        cr_assert_eq(letters[i], char('a' + i % 26));
    cr_assert_eq(pool.reduce(
                     3,
                     3,
                     8,
                     [](std::size_t) { return 1; },
                     [](int a, int b) { return a + b; }),
                 8);
}

Test(cxx_reduce, that_fails_loses_nothing)
{
    cf::thread_pool pool(2);
    const auto sum = [](counted a, const counted &b) {
        return counted(a.value + b.value);
    };
    const auto thrown = thrown_by<at_index>([&] {
        pool.reduce(
            0,
            1000,
            counted(0),
            [](std::size_t i) {
                if (i == 700)
                    throw at_index(i);
                return counted(1);
            },
            sum,
            5);
    });
    cr_assert_eq(thrown.index, 700);
    cr_assert_eq(counted::alive, 0);

    std::atomic<int> combined{0};
    thrown_by<std::logic_error>([&] {
        pool.reduce(
            0,
            1000,
            counted(0),
            [](std::size_t) { return counted(1); },
            [&](counted a, const counted &b) {
                if (++combined == 500)
                    throw std::logic_error("500");
                return counted(a.value + b.value);
            });
    });
    cr_assert_eq(counted::alive, 0);
}
