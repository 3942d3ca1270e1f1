/* SPDX-License-Identifier: MIT */
/* cf::future: values, exceptions, states, and what becomes of them. */
#include "support.hpp"

#include <pthread.h>

#include <memory>

using namespace std::chrono_literals;

namespace
{

struct trouble : std::runtime_error {
    int number;
    explicit trouble(int of) : std::runtime_error("trouble"), number(of)
    {
    }
};

int global = 5;

struct empty {
};

/* Its move throws when it is told to. */
struct moves_badly {
    static inline bool throws = false;
    counted inside{1};
    moves_badly() = default;
    moves_badly(moves_badly &&other) : inside(other.inside)
    {
        if (throws)
            throw trouble(9);
    }
};

} // namespace

Test(cxx_future, gives_values_references_and_nothing)
{
    cf::thread_pool pool(2);
    cr_assert_eq(pool.submit([] { return 7; }).get(), 7);
    cr_assert_eq(pool.submit([] { return 'c'; }).get(), 'c');
    cr_assert_eq(pool.submit([] { return std::string(1000, 'x'); }).get(),
                 std::string(1000, 'x'));
    auto owned = pool.submit([] { return std::make_unique<int>(3); }).get();
    cr_assert_eq(*owned, 3);
    int &same = pool.submit([]() -> int & { return global; }).get();
    cr_assert_eq(&same, &global);
    pool.submit([] {}).get();
    pool.submit([] { return empty(); }).get();
}

Test(cxx_future, keeps_the_type_of_an_exception)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([]() -> int { throw trouble(42); });
    cr_assert_eq(thrown_by<trouble>([&] { f.get(); }).number, 42);
    cr_assert_not(f.valid());

    auto odd = pool.submit([] { throw 17; });
    cr_assert_eq(thrown_by<int>([&] { odd.get(); }), 17);

    auto text = pool.submit([]() -> int { throw std::string("words"); });
    text.wait();
    cr_assert_str_eq(cf_future_message(text.handle()), "words");
}

Test(cxx_future, can_be_taken_once)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([] { return 1; });
    cr_assert(f.valid());
    cr_assert_eq(f.get(), 1);
    cr_assert_not(f.valid());
    cr_assert_eq(error_of([&] { f.get(); }), CF_EINVAL);
}

Test(cxx_future, that_was_moved_from_says_so)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([] { return 1; });
    auto g = std::move(f);
    cr_assert_not(f.valid()); // NOLINT: that is what is tested
    cr_assert_not(f.done());
    cr_assert_not(f.cancel());
    cr_assert_not(f.request_stop());
    cr_assert_null(f.handle());
    cr_assert_eq(error_of([&] { f.wait(); }), CF_EINVAL);
    cr_assert_eq(error_of([&] { f.wait_for(1s); }), CF_EINVAL);
    cr_assert_eq(error_of([&] { f.get(); }), CF_EINVAL);
    f = std::move(g);
    cr_assert_eq(f.get(), 1);
    cf::future<int> none;
    cr_assert_eq(error_of([&] { none.get(); }), CF_EINVAL);
}

Test(cxx_future, does_not_block_when_it_goes)
{
    gate held;
    bool ran = false;
    {
        cf::thread_pool pool(1);
        {
            auto f = pool.submit([&] {
                held.pass();
                ran = true;
            });
            held.await(1);
        }
        held.open(); /* not before the future had gone */
    }
    cr_assert(ran);
}

Test(cxx_future, assigned_to_drops_what_it_had)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([] { return counted(1); });
    f.wait();
    cr_assert_eq(counted::alive, 1);
    f = pool.submit([] { return counted(2); });
    cr_assert_eq(f.get().value, 2);
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_future, destroys_its_value_once)
{
    cf::thread_pool pool(2);
    for (int i = 0; i < 100; i++) {
        auto taken = pool.submit([i] { return counted(i); });
        auto dropped = pool.submit([i] { return counted(i); });
        cr_assert_eq(taken.get().value, i);
    }
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_future, outlives_its_executor)
{
    cf::future<std::string> f;
    {
        cf::thread_pool pool(1);
        f = pool.submit([] { return std::string(100, 'a'); });
    }
    cr_assert_eq(f.get(), std::string(100, 'a'));
}

Test(cxx_future, is_gone_if_the_move_out_of_it_throws)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([] { return moves_badly(); });
    f.wait();
    moves_badly::throws = true;
    cr_assert_eq(thrown_by<trouble>([&] { f.get(); }).number, 9);
    cr_assert_not(f.valid());
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_future, that_is_late_can_be_waited_for_again)
{
    gate held;
    cf::thread_pool pool(1);
    auto f = pool.submit([&] {
        held.pass();
        return 5;
    });
    thrown_by<cf::timed_out>([&] { f.get(0s); });
    cr_assert(f.valid());
    cr_assert_not(f.wait_for(1ns));
    cr_assert_not(f.wait_until(std::chrono::steady_clock::now()));
    held.await(1);
    cr_assert_eq(f.state(), CF_RUNNING);
    held.open();
    cr_assert(f.wait_for(1h));
    cr_assert(f.wait_until(std::chrono::system_clock::now() + 1h));
    cr_assert_eq(f.get(cf::forever), 5);
}

Test(cxx_future, that_was_cancelled_never_runs)
{
    gate held;
    cf::thread_pool pool(1);
    auto first = pool.submit([&] { held.pass(); });
    held.await(1);
    bool ran = false;
    auto f = pool.submit([&ran, a = counted(1)] { ran = true; });
    cr_assert(f.cancel());
    cr_assert_eq(counted::alive, 0, "its argument stays");
    cr_assert(f.done());
    cr_assert_eq(f.state(), CF_CANCELED);
    held.open();
    thrown_by<cf::canceled>([&] { f.get(); });
    cr_assert_not(f.valid());
    cr_assert_not(first.cancel() && !first.done());
    pool.wait_idle();
    cr_assert_not(ran);
}

Test(cxx_future, that_was_told_to_stop_has_the_exception_inside)
{
    gate held;
    cf::thread_pool pool(1);
    auto f = pool.submit([&](cf::call &call) {
        held.pass();
        if (call.stop_requested())
            throw trouble(3);
    });
    held.await(1);
    cr_assert(f.request_stop());
    held.open();
    const trouble inside = thrown_by<trouble>([&] {
        try {
            f.get();
        } catch (const cf::canceled &canceled) {
            cr_assert_eq(canceled.kind(), CF_ECANCELED);
            std::rethrow_if_nested(canceled);
        }
    });
    cr_assert_eq(inside.number, 3);
}

Test(cxx_future, that_was_told_to_stop_may_succeed_all_the_same)
{
    gate held;
    cf::thread_pool pool(1);
    auto f = pool.submit([&] {
        held.pass();
        return 8;
    });
    held.await(1);
    cr_assert(f.request_stop());
    held.open();
    cr_assert_eq(f.get(), 8);
}

Test(cxx_future, that_waits_for_itself_says_so)
{
    gate held;
    cf::thread_pool pool(1);
    cf::future<cf_err> f;
    f = pool.submit([&] {
        held.pass();
        return error_of([&] { f.get(); });
    });
    held.await(1);
    held.open();
    f.wait();
    cr_assert_eq(f.get(), CF_EDEADLK);
}

Test(cxx_future, of_a_thread_that_ended_in_its_task_has_failed)
{
    cf::thread_pool pool(1);
    auto f = pool.submit([a = counted(1)] {
        const counted local(2);
        pthread_exit(nullptr);
    });
    const auto died = thrown_by<cf::worker_died>([&] { f.get(); });
    cr_assert_eq(died.kind(), CF_EWORKERDIED);
    cr_assert_eq(died.signal(), 0);
    cr_assert_eq(pool.submit([] { return 4; }).get(), 4);
    pool.wait_idle();
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_future, that_is_shared_has_many_readers)
{
    cf::thread_pool pool(2);
    auto f = pool.submit([] { return std::string("all"); }).share();
    const cf::shared_future<std::string> copy = f;
    auto reader = pool.submit([copy] { return copy.get().size(); });
    cr_assert_eq(&f.get(), &copy.get());
    cr_assert_eq(reader.get(), 3);
    f = {};
    cr_assert_not(f.valid());
    cr_assert_eq(error_of([&] { f.get(); }), CF_EINVAL);
    cr_assert_eq(copy.get(1s), "all");

    auto bad = pool.submit([]() -> int & { throw trouble(1); }).share();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(thrown_by<trouble>([&] { bad.get(); }).number, 1);
    cr_assert(bad.valid());
    pool.submit([] {}).share().get();
}

Test(cxx_future, takes_any_duration)
{
    using cf::detail::to_ns;
    cr_assert_eq(to_ns(cf::forever), -1);
    cr_assert_eq(to_ns(5ns), 5);
    cr_assert_eq(to_ns(3s), 3000000000);
    cr_assert_eq(to_ns(2h), 7200000000000);
    cr_assert_eq(to_ns(-1s), 0);
    cr_assert_eq(to_ns(std::chrono::hours::max()), INT64_MAX);
    cr_assert_eq(to_ns(std::chrono::nanoseconds::max()), INT64_MAX);
    cr_assert_geq(to_ns(std::chrono::duration<double>(0.5)), 500000000);
    cr_assert_geq(to_ns(std::chrono::duration<int, std::pico>(1)), 1);
    cr_assert_eq(to_ns(std::chrono::duration<double>(0.0)), 0);
}
