/* SPDX-License-Identifier: MIT */
/* Submits: callables and arguments of all kinds, options, and what goes wrong
 * before a task is queued. malloc() is wrapped: it can refuse. */
#include "support.hpp"

#include <csignal>
#include <functional>
#include <memory>
#include <vector>

using namespace std::chrono_literals;

extern "C" void *__real_malloc(std::size_t size);
extern "C" void *__wrap_malloc(std::size_t size);

namespace
{

std::size_t refused_from = SIZE_MAX; /* bytes */

int
twice(int n)
{
    return 2 * n;
}

struct machine {
    int factor;
    int run(int n) const
    {
        return factor * n;
    }
};

/* Its copies and moves may throw, so it is in memory of its own. */
struct copies_badly {
    int copies_left;
    counted inside{1};
    explicit copies_badly(int left) : copies_left(left)
    {
    }
    copies_badly(const copies_badly &other)
        : copies_left(other.copies_left - 1), inside(other.inside)
    {
        if (copies_left < 0)
            throw std::length_error("no more copies");
    }
};

struct large {
    counted inside{7};
    char bytes[200] = {};
};

} // namespace

extern "C" void *
__wrap_malloc(std::size_t size)
{
    return size >= refused_from ? nullptr : __real_malloc(size);
}

Test(cxx_submit, takes_callables_of_all_kinds)
{
    cf::thread_pool pool(2);
    cr_assert_eq(pool.submit(twice, 4).get(), 8);
    cr_assert_eq(pool.submit(&machine::run, machine{3}, 5).get(), 15);
    const machine by_pointer{4};
    cr_assert_eq(pool.submit(&machine::run, &by_pointer, 5).get(), 20);
    std::function<int()> wrapped = [] { return 9; };
    cr_assert_eq(pool.submit(wrapped).get(), 9);
    cr_assert_eq(
        pool.submit([](auto... all) { return sizeof...(all); }, 1, 2).get(), 2);
}

Test(cxx_submit, gives_a_call_to_those_that_want_it)
{
    cf::thread_pool pool(1);
    cr_assert_eq(pool.submit([](cf::call call) { return call.worker(); }).get(),
                 0);
    auto nested = pool.submit(
        [](cf::call &call, int n) {
            return call.executor().submit(twice, n).get();
        },
        21);
    cr_assert_eq(nested.get(), 42);
    cr_assert_null(pool.submit([](const cf::call &call) {
                           return call.worker_data<int>();
                       })
                       .get());
}

Test(cxx_submit, moves_and_copies_arguments_as_threads_do)
{
    cf::thread_pool pool(1);
    auto owned = std::make_unique<int>(3);
    cr_assert_eq(
        pool.submit([](std::unique_ptr<int> p) { return *p; }, std::move(owned))
            .get(),
        3);
    int changed = 0;
    pool.submit([](int &n) { n = 5; }, std::ref(changed)).get();
    cr_assert_eq(changed, 5);
    std::string kept = "kept";
    cr_assert_eq(pool.submit([](std::string s) { return s + "!"; }, kept).get(),
                 "kept!");
    cr_assert_eq(kept, "kept");
    cr_assert_eq(
        pool.submit([](const std::string &s) { return s; }, "literal").get(),
        "literal");
}

Test(cxx_submit, destroys_arguments_before_the_future_is_done)
{
    cf::thread_pool pool(2);
    for (int i = 0; i < 200; i++) {
        auto f = pool.submit(
            [a = counted(i)](const large &b) {
                return a.value + b.inside.value;
            },
            large());
        f.wait();
        cr_assert_eq(counted::alive, 0);
        cr_assert_eq(f.get(), i + 7);
    }
}

Test(cxx_submit, with_a_copy_that_throws_queues_nothing)
{
    cf::thread_pool pool(1);
    {
        const copies_badly worn(0);
        thrown_by<std::length_error>(
            [&] { return pool.submit([](const copies_badly &) {}, worn); });
    }
    cr_assert_eq(pool.stats().queued + pool.stats().running, 0);
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_submit, takes_what_cannot_be_moved_safely)
{
    cf::thread_pool pool(1);
    {
        auto f =
            pool.submit([](const copies_badly &of) { return of.inside.value; },
                        copies_badly(9));
        cr_assert_eq(f.get(), 1);
    }
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_submit, without_memory_is_bad_alloc_and_leaves_nothing)
{
    cf::thread_pool pool(1);
    pool.submit([] {}).get();
    refused_from = sizeof(large);
    thrown_by<std::bad_alloc>(
        [&] { return pool.submit([](const large &) {}, large()); });
    refused_from = SIZE_MAX;
    cr_assert_eq(counted::alive, 0);
    /* A result that does not fit is the task's failure. */
    refused_from = sizeof(large);
    auto f = pool.submit([] { return large(); });
    f.wait();
    refused_from = SIZE_MAX;
    thrown_by<std::bad_alloc>([&] { f.get(); });
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_submit, keeps_the_text_of_an_exception_without_memory_for_it)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([]() -> int {
        const std::logic_error thrown("no room");
        /* An exception_ptr is as large as a pointer. */
        refused_from = sizeof(std::exception_ptr);
        throw thrown;
    });
    f.wait();
    refused_from = SIZE_MAX;
    cr_assert_any_throw(f.get());
}

Test(cxx_submit, with_options)
{
    gate held;
    cf::thread_pool pool(1);
    auto first = pool.submit([&] { held.pass(); });
    held.await(1);
    std::vector<int> order;
    auto low = pool.submit(
        cf::options().priority(1), [&](int n) { order.push_back(n); }, 1);
    const auto urgent = cf::options().priority(2).name("urgent");
    auto high =
        pool.submit(urgent, [&, a = counted(1)] { order.push_back(2); });
    held.open();
    low.get();
    high.get();
    cr_assert_eq(order, (std::vector<int>{2, 1}));

    gate late;
    auto slow = pool.submit(cf::options().timeout(1ms), [&] { late.pass(); });
    cr_assert_eq(error_of([&] { slow.get(); }), CF_EDEADLINE);
    late.open();
}

Test(cxx_submit, detached)
{
    std::atomic<int> ran{0};
    {
        cf::thread_pool pool(2);
        pool.detach([&] { ran++; });
        pool.detach([&](cf::call &, int n) { ran += n; }, 2);
        pool.detach(cf::options().priority(1), [&] { ran += 4; });
    }
    cr_assert_eq(ran, 7);
}

Test(cxx_submit, detached_ends_the_program_if_it_throws, .signal = SIGABRT)
{
    cf::thread_pool pool(1);
    pool.detach([] { throw 1; });
    pool.wait_idle();
}

Test(cxx_submit, to_an_executor_that_has_ended_is_refused)
{
    cf::thread_pool pool(1);
    cr_assert(pool.shutdown());
    cr_assert_eq(error_of([&] { return pool.submit([] {}); }), CF_ESHUTDOWN);
    cr_assert_eq(error_of([&] { return pool.submit([a = counted(1)] {}); }),
                 CF_ESHUTDOWN);
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_submit, to_executors_of_all_kinds)
{
    cf::executor in_place("inline");
    cr_assert_eq(in_place.submit([] { return 1; }).get(), 1);
    cf::executor threads(std::string("threads:2"));
    cr_assert_eq(threads.max_workers(), 2);
    const cf::executor_ref ref = threads;
    cr_assert_eq(ref.submit([a = counted(4)] { return a.value; }).get(), 4);
    cf::executor moved = std::move(threads);
    cr_assert_eq(moved.submit([] { return 2; }).get(), 2);
    in_place = std::move(moved);
    cr_assert_eq(in_place.max_workers(), 2);

    const auto wrong = thrown_by<cf::error>([] { cf::executor("thread:4"); });
    cr_assert_eq(wrong.kind(), CF_EINVAL);
    cr_assert(std::string(wrong.what()).find("threads[:N]") !=
              std::string::npos);
    cr_assert_eq(error_of([] { cf::thread_pool(-1); }), CF_EINVAL);

    cf::thread_pool_options how;
    how.max_workers = 3;
    how.queue_capacity = 1;
    cr_assert_eq(cf::thread_pool(how).max_workers(), 3);
}

Test(cxx_submit, and_shutdown_with_a_limit)
{
    gate held;
    cf::thread_pool pool(1);
    auto f = pool.submit([&] { held.pass(); });
    held.await(1);
    auto pending = pool.submit([] {});
    cr_assert_not(pool.wait_idle(0s));
    cr_assert_not(pool.cancel_and_shutdown(0s));
    thrown_by<cf::canceled>([&] { pending.get(); });
    held.open();
    cr_assert(pool.shutdown());
    f.get();
}
