/* SPDX-License-Identifier: MIT */
/*
 * libcfutures for C++17: executors, futures, maps and loops that take lambdas
 * and give back values and exceptions. With C++20 also coroutines. There is no
 * library but that of C; docs/cpp.md is the guide.
 */
#ifndef CFUTURES_CFUTURES_HPP
#define CFUTURES_CFUTURES_HPP

#include <cfutures/cxx/coroutine.hpp>
#include <cfutures/cxx/executor.hpp>
#include <cfutures/cxx/gather.hpp>
#include <cfutures/cxx/group.hpp>
#include <cfutures/cxx/then.hpp>
#include <cfutures/cxx/wait.hpp>

#endif
