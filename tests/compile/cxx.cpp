/* SPDX-License-Identifier: MIT */
/*
 * What <cfutures/cfutures.hpp> refuses, in parts that cxx.sh compiles one at a
 * time: a compiler says this sentence, and nothing else. Never run.
 */
#include <cfutures/cfutures.hpp>

#include <memory>
#include <vector>

void uses(cf::thread_pool &threads, cf::process_pool &processes);

struct throws_at_end {
    ~throws_at_end() noexcept(false)
    {
    }
};

struct moves_badly {
    moves_badly() = default;
    moves_badly(moves_badly &&) noexcept(false)
    {
    }
};

void
uses(cf::thread_pool &threads, cf::process_pool &processes)
{
    const std::string text = "text";
    int number = 1;
    const std::vector<int> items = {1, 2};
    threads.submit([&number] { number++; }).get();
    processes.submit([number] { return number; }).get();
    processes.submit([](const std::string &s) { return s; }, text).get();

#if PART == 1
    // says: the callable must be trivially copyable to travel to another
    auto f = processes.submit([text] { return text.size(); });
#elif PART == 2
    // says: the callable captures by reference, and a reference does not travel
    auto f = processes.submit([&number] { return number; });
#elif PART == 3
    // says: an argument cannot travel to another process: it is a pointer
    auto f = processes.submit([](const int *n) { return *n; }, &number);
#elif PART == 4
    // says: an argument cannot travel to another process: it is a pointer
    auto f = processes.submit([](const std::string &s) { return s; }, "view");
#elif PART == 5
    // says: an argument cannot travel to another process: it is a pointer
    auto f =
        processes.submit([](std::unique_ptr<int>) {}, std::make_unique<int>(1));
#elif PART == 6
    // says: the result cannot travel back from another process
    auto f = processes.submit([] { return std::make_unique<int>(1); });
#elif PART == 7
    // says: the result cannot travel back from another process
    auto f = processes.submit([]() -> const std::string & {
        static const std::string here;
        return here;
    });
#elif PART == 8
    // says: parallel_for() and reduce() need the program's memory
    processes.parallel_for(0, 2, [](std::size_t) {});
#elif PART == 9
    // says: use of deleted function
    // says: call to deleted constructor
    cf::task_group group(processes);
#elif PART == 10
    // says: the callable cannot be called with these arguments
    auto f = threads.submit([](int n) { return n; }, text);
#elif PART == 11
    // says: the callable cannot be called with these arguments
    auto f = threads.submit([](std::string &s) { s += "!"; }, text);
#elif PART == 12
    // says: the destructor of a result or an argument may throw
    auto f = threads.submit([] { return throws_at_end(); });
#elif PART == 13
    // says: aligned more than malloc() aligns
    struct alignas(64) line {
    };
    auto f = threads.submit([] { return line(); });
#elif PART == 14
    // says: cf::map: the callable returns nothing
    threads.map([](int) {}, items);
#elif PART == 15
    // says: cf::map: the callable cannot be called with an item
    threads.map([](const std::string &s) { return s; }, items);
#elif PART == 16
    // says: cf::parallel_for: the body must be callable as f(i)
    threads.parallel_for(0, 2, [](const std::string &) {});
#elif PART == 17
    // says: the move constructor of its type must be noexcept
    cf::promise<moves_badly> promise;
#elif PART == 18
    // says: the value is in the program's memory, which worker processes
    auto f = threads.submit([] { return 1; }).then(processes, [](int n) {
        return n;
    });
#elif PART == 19
    // says: cf::future::then: the callable cannot be called with the future's
    auto f = threads.submit([] { return 1; }).then(threads, [](std::string s) {
        return s;
    });
#elif PART == 20
    // says: the result cannot travel back from another process
    processes.map([](int n) { return std::make_unique<int>(n); }, items);
#endif
}
