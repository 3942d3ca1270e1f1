/* SPDX-License-Identifier: MIT */
#ifndef CF_TESTS_OBSERVERS_TASK_H
#define CF_TESTS_OBSERVERS_TASK_H

#include <cfutures/cfutures.h>

static inline int
task_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

#endif
