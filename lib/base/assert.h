/* SPDX-License-Identifier: MIT */
/*
 * cf__assert(): what must be true of the library's own structures, whatever its
 * users do. It runs in Debug and sanitizer builds (CF_ASSERTIONS) and costs
 * nothing in others. For what users can get wrong there is cf__contract().
 *
 * If one line is not enough, the structure has a check function,
 * cf__<structure>_check(). Any thread may call it while others use the
 * structure. It takes the structure's lock if it needs one.
 */
#ifndef CF_LIB_BASE_ASSERT_H
#define CF_LIB_BASE_ASSERT_H

#ifdef CF_ASSERTIONS

#include "lib/base/contract.h"

#define CF__ASSERT_LINE_(line) #line
#define CF__ASSERT_LINE(line) CF__ASSERT_LINE_(line)
#define cf__assert(holds)                                                      \
    cf__contract(holds,                                                        \
                 __FILE__ ":" CF__ASSERT_LINE(__LINE__) ": not true: " #holds)

/* Calls a check function. */
#define cf__check(call) (call)

#else

/* Neither is evaluated. */
#define cf__assert(holds) ((void)sizeof((holds) ? 1 : 0))
#define cf__check(call) ((void)0)

#endif

#endif
