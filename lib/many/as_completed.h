/* SPDX-License-Identifier: MIT */
/* The half of a pointer on which the iterator's user sleeps. */
#ifndef CF_LIB_AS_COMPLETED_H
#define CF_LIB_AS_COMPLETED_H

#include <cfutures/wait.h>

#include "lib/base/futex.h"

/* SLEEPING and any node differ in it, as nodes are aligned. */
static inline void *
cf__as_completed_word(void *pointer)
{
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (char *)pointer + (big_endian ? sizeof(void *) - 4 : 0);
}

/* Makes room for one more: then cf_as_completed_add() needs no memory. */
cf_err cf__as_completed_reserve(cf_as_completed *it);

#endif
