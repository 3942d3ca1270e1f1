/* SPDX-License-Identifier: MIT */
/* The headers of C++: a lambda, a value, an exception. */
#include <cfutures/cfutures.hpp>

#include <cstdio>

int
main()
{
    cf::thread_pool pool(1);
    auto product = pool.submit([](int a, int b) { return a * b; }, 6, 7);
    auto failure = pool.submit([] { throw 1; });
    try {
        failure.get();
    } catch (int thrown) {
        std::printf("6 * 7 = %d\n", product.get() * thrown);
    }
    return 0;
}
