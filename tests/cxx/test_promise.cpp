/* SPDX-License-Identifier: MIT */
/* cf::promise: completes a future from elsewhere, once. */
#include "support.hpp"

#include <memory>
#include <thread>
#include <vector>

Test(cxx_promise, gives_its_value_to_its_future)
{
    cf::promise<std::unique_ptr<int>> of_object;
    auto object = of_object.get_future();
    cr_assert_not(object.done());
    of_object.set_value(std::make_unique<int>(6));
    cr_assert_eq(*object.get(), 6);

    cf::promise<void> of_nothing;
    auto nothing = of_nothing.get_future();
    of_nothing.set_value();
    nothing.get();

    int target = 0;
    cf::promise<int &> of_reference;
    auto reference = of_reference.get_future();
    of_reference.set_value(target);
    cr_assert_eq(&reference.get(), &target);
}

Test(cxx_promise, destroys_a_value_that_was_not_taken)
{
    {
        cf::promise<counted> promise;
        auto f = promise.get_future();
        promise.set_value(3);
        cr_assert_eq(counted::alive, 1);
    }
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_promise, gives_an_exception_with_its_type)
{
    cf::promise<int> promise;
    auto f = promise.get_future();
    promise.set_exception(
        std::make_exception_ptr(std::out_of_range("too far")));
    cr_assert_str_eq(cf_future_message(f.handle()), "too far");
    thrown_by<std::out_of_range>([&] { f.get(); });
}

Test(cxx_promise, is_kept_once)
{
    cf::promise<counted> promise;
    auto f = promise.get_future();
    cr_assert_eq(error_of([&] { return promise.get_future(); }), CF_ESTATE);
    promise.set_value(1);
    cr_assert_eq(error_of([&] { promise.set_value(2); }), CF_ESTATE);
    cr_assert_eq(
        error_of([&] { promise.set_exception(std::make_exception_ptr(1)); }),
        CF_ESTATE);
    cr_assert_eq(f.get().value, 1);
}

Test(cxx_promise, that_goes_without_a_value_is_broken)
{
    cf::future<int> f;
    {
        cf::promise<int> promise;
        f = promise.get_future();
    }
    const auto broken = thrown_by<cf::error>([&] { f.get(); });
    cr_assert_eq(broken.kind(), CF_EBROKEN);
    cr_assert_str_eq(broken.what(),
                     "the cf::promise went away without a value");

    cf::promise<int> assigned;
    f = assigned.get_future();
    assigned = cf::promise<int>();
    cr_assert_eq(error_of([&] { f.get(); }), CF_EBROKEN);
}

Test(cxx_promise, that_was_moved_from_breaks_nothing)
{
    cf::promise<int> promise;
    auto f = promise.get_future();
    cf::promise<int> other(std::move(promise));
    cr_assert_eq(error_of([&] { promise.set_value(1); }), CF_EINVAL);
    cr_assert_eq(error_of([&] { return promise.get_future(); }), CF_ESTATE);
    {
        const cf::promise<int> gone(std::move(promise));
    }
    other.set_value(2);
    cr_assert_eq(f.get(), 2);
}

Test(cxx_promise, of_a_future_that_was_cancelled_says_so)
{
    cf::promise<counted> promise;
    auto f = promise.get_future();
    cr_assert(f.cancel());
    cr_assert_not(promise.start());
    cr_assert_eq(error_of([&] { promise.set_value(1); }), CF_ESTATE);
    thrown_by<cf::canceled>([&] { f.get(); });
    cr_assert_eq(counted::alive, 0);
}

Test(cxx_promise, that_was_started_is_no_longer_cancelled)
{
    cf::promise<int> promise;
    auto f = promise.get_future();
    cr_assert(promise.start());
    cr_assert_not(f.cancel());
    promise.set_value(2);
    cr_assert_eq(f.get(), 2);
}

Test(cxx_promise, is_kept_by_one_of_several_threads)
{
    for (int round = 0; round < 50; round++) {
        cf::promise<counted> promise;
        auto f = promise.get_future();
        std::atomic<int> won{0}, lost{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++)
            threads.emplace_back([&, i] {
                try {
                    promise.set_value(i);
                    won++;
                } catch (const cf::error &) {
                    lost++;
                }
            });
        for (auto &each : threads)
            each.join();
        cr_assert_eq(won, 1);
        cr_assert_eq(lost, 2);
        cr_assert_geq(f.get().value, 0);
    }
    cr_assert_eq(counted::alive, 0);
}
