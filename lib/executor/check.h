/* SPDX-License-Identifier: MIT */
/* Are the structures of an executor whole? lib/base/assert.h. */
#ifndef CF_LIB_EXECUTOR_CHECK_H
#define CF_LIB_EXECUTOR_CHECK_H

#include <cfutures/base.h>

/* Any thread may call it, also while others use ex, but not while ex is
 * destroyed. Without CF_ASSERTIONS it does nothing. */
void cf__executor_check(cf_executor *ex);

#endif
