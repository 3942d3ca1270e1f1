/* SPDX-License-Identifier: MIT */
/* The smallest program in C++: tasks in, results and one exception out. */
#include <cfutures/cfutures.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

int
main()
{
    cf::thread_pool pool(4);
    std::vector<cf::future<int>> squares;
    for (int i = 0; i < 5; i++)
        squares.push_back(pool.submit([i] {
            if (i == 3)
                throw std::domain_error(std::to_string(i) +
                                        " is not my number");
            return i * i;
        }));
    for (std::size_t i = 0; i < squares.size(); i++) {
        try {
            const int square = squares[i].get();
            std::cout << i << " squared is " << square << '\n';
        } catch (const std::domain_error &wrong) {
            std::cout << i << " failed: " << wrong.what() << '\n';
        }
    }
    return 0;
}
