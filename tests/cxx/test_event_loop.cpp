/* SPDX-License-Identifier: MIT */
/* The event loop from C++. */
#include "support.hpp"

#include <cfutures/event_loop.hpp>

#include <memory>
#include <stdexcept>
#include <thread>

Test(cxx_event_loop, runs_tasks_in_turns_on_one_thread)
{
    cf::event_loop loop;
    cf::promise<int> promise;
    const auto awaited = promise.get_future().share();
    std::vector<cf::future<std::thread::id>> all;
    for (int i = 0; i < 100; i++)
        all.push_back(loop.submit([awaited] {
            cr_assert_eq(awaited.get(), 5); /* lets the others run */
            return std::this_thread::get_id();
        }));
    loop.submit([&] { promise.set_value(5); }).get();
    const auto first = all.front().get();
    for (std::size_t i = 1; i < all.size(); i++)
        cr_assert(all[i].get() == first);
}

Test(cxx_event_loop, keeps_values_and_exceptions)
{
    cf::event_loop_options how;
    how.stack_size = 131072;
    cf::event_loop loop(how);
    auto value = loop.submit(
        [](std::unique_ptr<int> p, const counted &c) { return *p + c.value; },
        std::make_unique<int>(3),
        counted(4));
    cr_assert_eq(value.get(), 7);
    cr_assert_eq(counted::alive, 0);
    auto failure = loop.submit([] { throw std::out_of_range("x"); });
    thrown_by<std::out_of_range>([&] { failure.get(); });
}

Test(cxx_event_loop, runs_in_the_calling_thread)
{
    const auto here = std::this_thread::get_id();
    const int sum = cf::run_in_loop(
        [&](cf::call &call, std::unique_ptr<int> p) {
            cr_assert(std::this_thread::get_id() == here);
            auto nested = call.executor().submit([] { return 2; });
            return *p + nested.get();
        },
        std::make_unique<int>(40));
    cr_assert_eq(sum, 42);
    thrown_by<std::domain_error>(
        [] { cf::run_in_loop([] { throw std::domain_error("out"); }); });
    cf::event_loop_options wrong;
    wrong.stack_size = 1;
    cr_assert_eq(error_of([&] { cf::run_in_loop(wrong, [] {}); }), CF_EINVAL);
}

Test(cxx_event_loop, of_a_text)
{
    cf::executor loop("loop");
    cr_assert_eq(loop.submit([a = counted(3)] { return a.value; }).get(), 3);
}
