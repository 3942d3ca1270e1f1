/* SPDX-License-Identifier: MIT */
/* Worker processes: what travels, and what comes back. */
#include "support.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <set>

#include <unistd.h>

using namespace std::chrono_literals;

namespace
{

struct point {
    double x, y;
};

int
plain(int n)
{
    return n + 1;
}

/* Without a default constructor, and with a codec of its own. */
struct name {
    std::unique_ptr<std::string> text;
    explicit name(std::string of)
        : text(std::make_unique<std::string>(std::move(of)))
    {
    }
};

} // namespace

template <> struct cf::codec<name> {
    static void put(cf::writer &to, const name &value)
    {
        cf::codec<std::string>::put(to, *value.text);
    }
    static name get(cf::reader &from)
    {
        return name(cf::codec<std::string>::get(from));
    }
};

namespace
{

/* Its get() reads more than put() wrote. */
struct damaged {
    std::string text;
};

} // namespace

template <> struct cf::codec<damaged> {
    static void put(cf::writer &, const damaged &)
    {
    }
    static damaged get(cf::reader &from)
    {
        return damaged{cf::codec<std::string>::get(from)};
    }
};

Test(cxx_process, runs_in_another_process)
{
    cf::process_pool pool(1);
    cr_assert_neq(pool.submit([] { return getpid(); }).get(), getpid());
    cr_assert_eq(pool.submit(plain, 4).get(), 5);
    int captured = 3; /* not const: then it would not be captured */
    cr_assert_eq(
        pool.submit([captured](int n) { return n * captured; }, 5).get(), 15);
    pool.submit([] {}).get();
    const point sum = pool.submit(
                              [](point a, point b) {
                                  return point{a.x + b.x, a.y + b.y};
                              },
                              point{1, 2},
                              point{3, 4})
                          .get();
    cr_assert_eq(sum.y, 6);
    const auto big = pool.submit([] {
                             return std::array<int, 1000>{1, 2, 3};
                         })
                         .get();
    cr_assert_eq(big[2], 3);
}

Test(cxx_process, gets_and_gives_containers)
{
    cf::process_pool pool(2);
    using lines = std::map<std::string, std::vector<std::optional<int>>>;
    auto f = pool.submit(
        [](cf::call &,
           lines all,
           std::pair<int, std::string> more,
           const std::tuple<char, std::string> &odd) {
            all[more.second].push_back(more.first);
            all[std::get<1>(odd)].push_back(std::nullopt);
            return all;
        },
        lines{{"a", {1, std::nullopt}}, {"b", {}}},
        std::pair(7, std::string("c")),
        std::tuple('x', std::string("d")));
    const lines all = f.get();
    cr_assert_eq(all.size(), 4);
    cr_assert_eq(*all.at("a")[0], 1);
    cr_assert_not(all.at("a")[1].has_value());
    cr_assert_eq(*all.at("c")[0], 7);
    auto others = pool.submit(
        [](std::list<std::string> l,
           const std::set<int> &s,
           const std::array<std::string, 2> &a,
           std::vector<bool> b) {
            l.push_back(std::to_string(s.size()) + a[1] +
                        (b[0] ? "yes" : "no"));
            return std::tuple(l, a);
        },
        std::list<std::string>{"l"},
        std::set<int>{1, 2},
        std::array<std::string, 2>{"p", "q"},
        std::vector<bool>{true});
    const auto [list, array] = others.get();
    cr_assert_eq(list.back(), "2qyes");
    cr_assert_eq(array[0], "p");
    cr_assert_eq(*pool.submit(
                          [](name n) {
                              *n.text += "!";
                              return n;
                          },
                          name("own"))
                      .get()
                      .text,
                 "own!");
    cr_assert(pool.submit([](const std::string &s) { return s; }, std::string())
                  .get()
                  .empty());
    const std::string large(300000, 'z');
    cr_assert_eq(pool.submit([](std::string s) { return s + s; }, large).get(),
                 large + large);
}

Test(cxx_process, has_exceptions_as_text)
{
    cf::process_pool pool(1);
    const auto thrown = thrown_by<cf::error>(
        [&] { pool.submit([] { throw std::out_of_range("too far"); }).get(); });
    cr_assert_eq(thrown.kind(), CF_ETASK);
    cr_assert_str_eq(thrown.what(), "too far");
    const auto broken = thrown_by<cf::error>(
        [&] { pool.submit([](const damaged &) {}, damaged{"x"}).get(); });
    cr_assert_eq(broken.kind(), CF_ETASK);
}

Test(cxx_process, that_dies_says_how)
{
    cf::process_pool pool(1);
    const auto killed = thrown_by<cf::worker_died>(
        [&] { pool.submit([] { raise(SIGKILL); }).get(); });
    cr_assert_eq(killed.signal(), SIGKILL);
    cr_assert_gt(killed.pid(), 0);
    const auto left = thrown_by<cf::worker_died>(
        [&] { pool.submit([] { std::_Exit(3); }).get(); });
    cr_assert_eq(left.exit_status(), 3);
    cr_assert_eq(pool.submit(plain, 1).get(), 2);
}

Test(cxx_process, shares_a_result_that_came_as_bytes)
{
    cf::process_pool pool(1);
    const auto f = pool.submit([] {
                           return std::vector<std::string>{"a", "b"};
                       })
                       .share();
    const auto copy = f;
    cr_assert_eq(&f.get(), &copy.get());
    cr_assert_eq(copy.get()[1], "b");
}

Test(cxx_process, maps_ranges)
{
    cf::process_pool pool(2);
    std::vector<std::string> words;
    for (int i = 0; i < 1000; i++)
        words.push_back(std::to_string(i));
    const auto longer =
        pool.map([](const std::string &s) { return s + "!"; }, words);
    cr_assert_eq(longer.size(), 1000);
    for (std::size_t i = 0; i < 1000; i++)
        cr_assert_eq(longer[i], words[i] + "!");
    const std::list<int> numbers = {1, 2, 3};
    cr_assert_eq(pool.map([](int n) { return n * n; },
                          numbers,
                          cf::map_options().chunk(2)),
                 (std::vector<int>{1, 4, 9}));
    std::string all;
    for (auto &&s : pool.imap([](std::string s) { return s + ","; },
                              std::vector<std::string>{"x", "y"},
                              cf::map_options().buffer(1)))
        all += s;
    cr_assert_eq(all, "x,y,");
    const auto thrown = thrown_by<cf::error>([&] {
        pool.map(
            [](int n) {
                if (n > 1)
                    throw std::runtime_error(std::to_string(n));
                return n;
            },
            numbers);
    });
    cr_assert_str_eq(thrown.what(), "2");
}

Test(cxx_process, unordered_results_come_as_they_finish)
{
    cf::process_pool pool(2);
    const auto late = pool.make_shared_array<std::atomic<bool>>(1);
    std::size_t count = 0, length = 0;
    auto results = pool.imap(
        [may_end = late.data()](const std::string &text) {
            while (text.size() == 1 && !*may_end)
                continue;
            return text;
        },
        std::vector<std::string>{"a", "bb", "ccc", "dddd"},
        cf::map_options().unordered());
    for (auto it = results.begin(); it != results.end(); ++it) {
        const std::string text = *it;
        cr_assert_eq(text.size(), results.index() + 1);
        length += text.size();
        if (++count == 3) {
            cr_assert_eq(length, 9);
            late[0] = true;
        }
    }
    cr_assert_eq(count, 4);
    cr_assert_eq(length, 10);
}

Test(cxx_process, maps_have_a_time_limit)
{
    cf::process_pool pool(1);
    const auto begun = pool.make_shared_array<std::atomic<int>>(1);
    const auto run = [count = begun.data()](cf::call &call, int n) {
        ++*count;
        while (!call.stop_requested())
            continue;
        return n;
    };
    const std::vector<int> items(100, 1);
    thrown_by<cf::timed_out>([&] {
        return pool.map(run, items, cf::map_options().chunk(1).timeout(20ms));
    });
    pool.wait_idle();
    cr_assert_leq(begun[0], 20);
    cr_assert_eq(pool.map(plain, items, cf::map_options().timeout(1h)),
                 std::vector<int>(100, 2));
    cr_assert_eq(
        pool.map([](int n) { return n; }, items, cf::map_options().timeout(1h)),
        items);
}

Test(cxx_process, shares_an_array)
{
    cf::process_pool pool(2);
    auto squares = pool.make_shared_array<int>(1000);
    cr_assert_eq(squares[999], 0);
    std::vector<cf::future<void>> done;
    for (int i = 0; i < 1000; i++)
        done.push_back(
            pool.submit([at = squares.data(), i] { at[i] = i * i; }));
    for (auto &each : done)
        each.get();
    int i = 0;
    for (const int square : squares) {
        cr_assert_eq(square, i * i);
        i++;
    }
    cr_assert_eq(squares.size(), 1000);

    auto moved = std::move(squares);
    cr_assert_null(squares.data());
    cr_assert_eq(squares.size(), 0);
    cr_assert_eq(moved[30], 900);
    moved = pool.make_shared_array<int>(0);
    cr_assert(moved.begin() == moved.end());
    thrown_by<std::bad_alloc>([&] {
        return pool.make_shared_array<int>(
            std::numeric_limits<std::size_t>::max() / 2);
    });
}

struct fails_on_third {
    static inline int made = 0;
    fails_on_third()
    {
        if (++made == 3)
            throw 3;
    }
};

Test(cxx_process, shares_an_array_of_what_is_made_whole)
{
    cf::executor pool("processes:1");
    thrown_by<int>([&] { return pool.make_shared_array<fails_on_third>(5); });
    const auto all = pool.make_shared_array<fails_on_third>(5);
    cr_assert_eq(all.size(), 5);
    cr_assert_eq(fails_on_third::made, 8);
}

Test(cxx_process, of_a_text_takes_what_travels)
{
    cf::executor pool("processes:1");
    cr_assert_eq(
        pool.submit([](std::string s) { return s.size(); }, std::string("four"))
            .get(),
        4);
    int local = 0;
    const auto refused = thrown_by<cf::error>(
        [&] { return pool.submit([&local] { return local; }); });
    cr_assert_eq(refused.kind(), CF_ENOTSUP);
    auto owned = std::make_unique<int>(1);
    cr_assert_eq(error_of([&] {
                     return pool.submit([](std::unique_ptr<int>) {},
                                        std::move(owned));
                 }),
                 CF_ENOTSUP);
    cr_assert_eq(error_of([&] { pool.parallel_for(0, 1, [](std::size_t) {}); }),
                 CF_ENOTSUP);
    cr_assert_eq(error_of([&] {
                     pool.reduce(
                         0,
                         1,
                         0,
                         [](std::size_t) { return 1; },
                         [](int a, int b) { return a + b; });
                 }),
                 CF_ENOTSUP);
    cr_assert_eq(
        error_of([&] { cf::task_group group{cf::executor_ref(pool)}; }),
        CF_ENOTSUP);
    std::vector<int> numbers = {1, 2};
    cr_assert_eq(pool.map([](int n) { return n; }, numbers), numbers);
    cr_assert_eq(error_of([&] {
                     pool.map([](int n) { return std::make_unique<int>(n); },
                              numbers);
                 }),
                 CF_ENOTSUP);
}
