/* SPDX-License-Identifier: MIT */
/*
 * What libuv's errors are in the library: see io.h.
 */
#include "event_loop/io.h"

#include <errno.h>

/* libuv's errors are those of the system, negative, but for a few. */
static int
system_error(int status)
{
    switch (status) {
    case UV_EAI_ADDRFAMILY:
    case UV_EAI_FAMILY:
        return EAFNOSUPPORT;
    case UV_EAI_AGAIN:
        return EAGAIN;
    case UV_EAI_BADFLAGS:
    case UV_EAI_BADHINTS:
        return EINVAL;
    case UV_EAI_CANCELED:
        return ECANCELED;
    case UV_EAI_NODATA:
    case UV_EAI_NONAME:
        return ENOENT;
    case UV_EAI_OVERFLOW:
        return EOVERFLOW;
    case UV_EAI_PROTOCOL:
    case UV_EAI_SERVICE:
        return EPROTONOSUPPORT;
    case UV_EAI_SOCKTYPE:
        return ESOCKTNOSUPPORT;
    case UV_EAI_FAIL:
    case UV_UNKNOWN:
        return EIO;
    case UV_ECHARSET:
        return EILSEQ;
    default:
        return -status;
    }
}

cf_err
cf__io_error(int status)
{
    if (status >= 0)
        return CF_OK;
    if (status == UV_ENOMEM || status == UV_EAI_MEMORY)
        return CF_ENOMEM;
    if (status == UV_EOF)
        return CF_EDONE;
    errno = system_error(status);
    return CF_ESYS;
}
