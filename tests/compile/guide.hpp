/* SPDX-License-Identifier: MIT */
/* What the examples of docs/cpp.md use. Never run. */
#ifndef CF_TESTS_COMPILE_GUIDE_HPP
#define CF_TESTS_COMPILE_GUIDE_HPP

#include <cfutures/cfutures.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

extern cf::thread_pool pool;
extern std::vector<std::string> files;
extern std::string text;

void work();
void check(const std::string &file);
std::string load(const std::string &file);
std::size_t size_of(const std::string &file);
std::vector<std::string> split(const std::string &text);
void use(const std::string &text);
void use(const std::vector<std::string> &words);
template <class F>
void
start_request(F &&)
{
}

#endif
