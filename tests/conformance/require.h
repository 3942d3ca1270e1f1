/* SPDX-License-Identifier: MIT */
/* For a function that runs as a task, and without one: it returns the line of
 * what is not true. call is its own. */
#ifndef CF_TESTS_REQUIRE_H
#define CF_TESTS_REQUIRE_H

#include <cfutures/task.h>

#define REQUIRE(condition)                                                     \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail(                                                    \
                call, __LINE__, "line %d: %s", __LINE__, #condition);          \
    } while (0)

#endif
