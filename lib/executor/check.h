/* SPDX-License-Identifier: MIT */
/* Looks whether the structures of an executor are whole: lib/base/assert.h. */
#ifndef CF_LIB_EXECUTOR_CHECK_H
#define CF_LIB_EXECUTOR_CHECK_H

#include <cfutures/base.h>

/* Called by any thread, also while others use ex; ex is not destroyed
 * meanwhile. Does nothing without CF_ASSERTIONS. */
void cf__executor_check(cf_executor *ex);

#endif
