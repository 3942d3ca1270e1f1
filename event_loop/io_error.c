/* SPDX-License-Identifier: MIT */
/*
 * What libuv's errors are in the library: see io.h.
 */
#include "event_loop/io.h"

#include <errno.h>

cf_err
cf__io_error(int status)
{
    if (status >= 0)
        return CF_OK;
    if (status == UV_ENOMEM)
        return CF_ENOMEM;
    if (status == UV_EOF)
        return CF_EDONE;
    /* Else they are those of the system, negative. */
    errno = status == UV_UNKNOWN ? EIO : -status;
    return CF_ESYS;
}
