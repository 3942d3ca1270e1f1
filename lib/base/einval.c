/* SPDX-License-Identifier: MIT */
/* Prints why a call returns CF_EINVAL: see einval.h. */
#include "lib/base/einval.h"

#include "lib/base/cancel.h"
#include "lib/base/observer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

cf_err
cf__einval(const char *of, const char *why)
{
    if (!(cf__observers & CF__OBSERVES_USE))
        return CF_EINVAL;
    int former_errno = errno;
    int former = cf__cancel_disable(); /* the caller is no cancellation point */
    fprintf(stderr, "libcfutures: CF_DEBUG: CF_EINVAL: %s: %s\n", of, why);
    if (cf__observers & CF__OBSERVES_STRICTLY)
        abort();
    cf__cancel_restore(former);
    errno = former_errno;
    return CF_EINVAL;
}
