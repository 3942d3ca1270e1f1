/* SPDX-License-Identifier: MIT */
/* What the rest of lib/many/ needs of the iterator. */
#ifndef CF_LIB_AS_COMPLETED_H
#define CF_LIB_AS_COMPLETED_H

#include <cfutures/wait.h>

/* Makes room for one more future: after CF_OK, the next cf_as_completed_add()
 * allocates nothing. */
cf_err cf__as_completed_reserve(cf_as_completed *it);

#endif
