/* SPDX-License-Identifier: MIT */
/*
 * What the headers of C++ add to those of C: futures gathered by callbacks,
 * coroutines that are resumed or refused, partial results of reductions. Tasks
 * throw, futures are cancelled and dropped, and executors are shut down, while
 * threads wait. Called as stress_cxx [seconds] [seed].
 *
 * Each future ends, with what its task did or a reason; and of each object that
 * was made, as many are destroyed.
 */
#include <cfutures/cfutures.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <unistd.h>

#ifdef __SANITIZE_THREAD__
/* libstdc++ counts the owners of an exception in code that is not instrumented:
 * ThreadSanitizer does not see that the last one frees it after all others. */
extern "C" const char *__tsan_default_suppressions();
extern "C" const char *
__tsan_default_suppressions()
{
    return "race:std::__exception_ptr::exception_ptr::_M_release\n"
           "race:__cxa_end_catch\n";
}
#endif

namespace
{

std::atomic<long> alive{0};

/* An object with a resource: a copy or a loss is seen. */
class owner
{
  public:
    explicit owner(int value) : value_(new int(value))
    {
        alive++;
    }
    owner(owner &&other) noexcept : value_(std::exchange(other.value_, nullptr))
    {
        alive++;
    }
    owner(const owner &other) : owner(*other.value_)
    {
    }
    owner &operator=(owner other) noexcept
    {
        std::swap(value_, other.value_);
        return *this;
    }
    ~owner()
    {
        delete value_;
        alive--;
    }
    int value() const
    {
        return *value_;
    }

  private:
    int *value_;
};

[[noreturn]] void
fail(const char *what)
{
    std::fprintf(stderr, "stress_cxx: %s\n", what);
    std::abort();
}

void
check(bool holds, const char *what)
{
    if (!holds)
        fail(what);
}

using randoms = std::mt19937;

int
below(randoms &r, int n)
{
    return static_cast<int>(r() % static_cast<unsigned>(n));
}

/* A task that gives n, or throws it. */
cf::future<owner>
submit_one(const cf::thread_pool &pool, randoms &r, int n)
{
    const bool throws = below(r, 8) == 0;
    return pool.submit(
        [throws](owner of) {
            if (throws)
                throw std::out_of_range("thrown");
            return of;
        },
        owner(n));
}

/* How a future ends: with a value, true; or as one that threw or was cancelled
 * does. */
template <class T>
bool
ends(cf::future<T> &f)
{
    try {
        static_cast<void>(f.get());
        return true;
    } catch (const std::out_of_range &) {
    } catch (const cf::canceled &) {
    } catch (const cf::error &refused) {
        check(refused.kind() == CF_ESHUTDOWN, refused.what());
    }
    return false;
}

void
gather(randoms &r)
{
    cf::thread_pool pool(1 + below(r, 3));
    std::vector<cf::future<owner>> futures;
    const int n = below(r, 30);
    for (int i = 0; i < n; i++)
        futures.push_back(submit_one(pool, r, i));
    std::vector<cf::future<owner>> more;
    for (int i = 0; i < n; i++)
        more.push_back(submit_one(pool, r, i));
    std::thread cancels([&more, seed = r()] {
        randoms mine(seed);
        for (auto &each : more)
            if (below(mine, 3) == 0)
                each.cancel();
    });
    auto all = cf::when_all(std::move(futures));
    if (n > 0) {
        auto any = cf::when_any(more);
        check(any.get() < static_cast<std::size_t>(n), "no such index");
    }
    if (below(r, 4) == 0)
        all.cancel();
    cancels.join();
    int ended = 0;
    for (auto &each : cf::as_completed(more)) {
        ends(each);
        ended++;
    }
    check(ended == n, "a future did not come out");
    if (below(r, 4) != 0)
        ends(all);
}

void
fold(randoms &r)
{
    cf::thread_pool pool(1 + below(r, 3));
    const int bad = below(r, 400);
    const auto sum = [&] {
        return pool
            .reduce(
                0,
                300,
                owner(0),
                [&](std::size_t i) {
                    if (static_cast<int>(i) == bad)
                        throw std::out_of_range("thrown");
                    return owner(1);
                },
                [](owner a, const owner &b) {
                    return owner(a.value() + b.value());
                })
            .value();
    };
    try {
        check(sum() == 300 && bad >= 300, "a wrong sum");
    } catch (const std::out_of_range &) {
        check(bad < 300, "thrown by none");
    }
}

cf::task<owner>
step(cf::executor_ref pool, int n)
{
    const owner local(n);
    co_return co_await pool.submit([](owner of) { return of; }, owner(n));
}

cf::task<int>
walk(cf::executor_ref first, cf::executor_ref second, int steps)
{
    const owner local(steps);
    int sum = 0;
    for (int i = 0; i < steps; i++) {
        if (i % 3 == 1)
            co_await cf::on(i % 2 ? first : second);
        sum += (co_await step(i % 2 ? second : first, i)).value();
    }
    co_return sum;
}

void
coroutines(randoms &r)
{
    cf::thread_pool first(1 + below(r, 2));
    {
        cf::thread_pool second(1);
        std::vector<cf::future<int>> walks;
        for (int i = 0; i < 10; i++)
            walks.push_back(
                cf::spawn(i % 2 ? first : second, walk(first, second, i)));
        std::thread ends_one([&second, how = below(r, 3)] {
            if (how == 0)
                second.cancel_and_shutdown();
            else if (how == 1)
                second.shutdown();
        });
        if (below(r, 2))
            walks[static_cast<std::size_t>(below(r, 10))].cancel();
        ends_one.join();
        for (int i = 0; i < 10; i++) {
            auto &f = walks[static_cast<std::size_t>(i)];
            f.wait();
            ends(f);
        }
    }
    /* What is left of a coroutine after its future is done runs in first. */
    first.wait_idle();
}

void
groups(randoms &r)
{
    cf::thread_pool pool(1 + below(r, 3));
    std::atomic<int> begun{0}, ended{0};
    const int bad = below(r, 60);
    try {
        cf::task_group group(pool, static_cast<std::size_t>(below(r, 4)));
        for (int i = 0; i < 20; i++)
            group.run(
                [&, i](owner of) {
                    begun++;
                    group.run([&] {
                        begun++;
                        ended++;
                    });
                    ended++;
                    if (i == bad)
                        throw std::out_of_range("thrown");
                    return of;
                },
                owner(i));
        if (below(r, 5) == 0)
            group.cancel();
        if (below(r, 2))
            group.join();
    } catch (const std::out_of_range &) {
        check(bad < 20, "thrown by none");
    } catch (const cf::canceled &) {
    }
    check(begun == ended, "a task outlived its group");
}

} // namespace

int
main(int argc, char **argv)
{
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 2;
    const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atol(argv[2]))
                                   : std::random_device{}();
    std::printf("stress_cxx: %d seconds, seed %u\n", seconds, seed);
    std::fflush(stdout);
    randoms r(seed);
    long rounds = 0;
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < end) {
        alarm(60); /* something waits for itself */
        gather(r);
        fold(r);
        coroutines(r);
        groups(r);
        check(alive == 0, "an object was lost, or destroyed twice");
        rounds++;
    }
    std::printf("stress_cxx: %ld rounds\n", rounds);
    return 0;
}
