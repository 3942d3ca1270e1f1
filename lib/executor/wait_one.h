/* SPDX-License-Identifier: MIT */
/* Waiting for one future, for the rest of lib/. */
#ifndef CF_LIB_EXECUTOR_WAIT_ONE_H
#define CF_LIB_EXECUTOR_WAIT_ONE_H

#include "lib/future/future.h"

/* As cf_future_wait(f, CF_FOREVER), but that the calling task was told to stop
 * does not end it: for what must not be left before f is done. */
cf_err cf__future_wait_firmly(cf_future *f);

#endif
