/* SPDX-License-Identifier: MIT */
/*
 * Why a call returns CF_EINVAL: with CF_DEBUG it says so on standard error, one
 * line each time. A reason stands beside its condition, which is tested once.
 * The quickest calls test first, and look for the reason when they have failed.
 */
#ifndef CF_LIB_BASE_EINVAL_H
#define CF_LIB_BASE_EINVAL_H

#include <cfutures/error.h>

#include "lib/base/export.h"

#define CF__BAD_TIMEOUT "the timeout is below -1, which is CF_FOREVER"
#define CF__NO_DATA "data is NULL, but size is not 0"
#define CF__NO_BUF "buf is NULL, but size is not 0"

/* Returns CF_EINVAL. of: the public function, or the struct that it was given.
 * With CF_DEBUG=abort it does not return. */
CF__EXPORT __attribute__((cold, noinline)) cf_err cf__einval(const char *of,
                                                             const char *why);

#endif
