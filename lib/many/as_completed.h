/* SPDX-License-Identifier: MIT */
/* Of the iterator, for the rest of lib/many/. */
#ifndef CF_LIB_AS_COMPLETED_H
#define CF_LIB_AS_COMPLETED_H

#include <cfutures/wait.h>

/* Makes room for one more: then cf_as_completed_add() needs no memory. */
cf_err cf__as_completed_reserve(cf_as_completed *it);

#endif
