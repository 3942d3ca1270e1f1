/* SPDX-License-Identifier: MIT */
/*
 * Included once in a program whose processes end with futures alive, or with
 * what other threads of their parent had in hand: LeakSanitizer would take it
 * for lost, so it does not search. The function's name is the sanitizer's.
 */
#ifndef TESTS_SUPPORT_NO_LEAK_SEARCH_H
#define TESTS_SUPPORT_NO_LEAK_SEARCH_H

/* NOLINTBEGIN */
const char *__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
    return "detect_leaks=0";
}
/* NOLINTEND */

#endif
