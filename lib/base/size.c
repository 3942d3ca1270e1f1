/* SPDX-License-Identifier: MIT */
/* How much memory there is: see size.h. */
#include "lib/base/size.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>

enum { SURELY = 64 << 20 }; /* bytes: up to so many, no need to ask */

/* true: the limit lets the process use so many bytes. */
static bool
is_allowed(const struct rlimit *limit, size_t bytes)
{
    return limit->rlim_cur == RLIM_INFINITY || bytes <= limit->rlim_cur;
}

bool
cf__machine_holds(size_t bytes)
{
    struct sysinfo info;
    if (bytes <= SURELY)
        return true;
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, private = all;
    (void)getrlimit(RLIMIT_AS, &all);
    (void)getrlimit(RLIMIT_DATA, &private);
    if (!is_allowed(&all, bytes) || !is_allowed(&private, bytes))
        return false;
    if (sysinfo(&info) != 0)
        return true;
    uint64_t units = (uint64_t)info.totalram + info.totalswap;
    return bytes / info.mem_unit <= units;
}
