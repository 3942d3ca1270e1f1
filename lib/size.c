/* SPDX-License-Identifier: MIT */
/* How much memory there is: see size.h. */
#include "lib/size.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>

enum { SURELY = 64 << 20 }; /* bytes: no need to ask for less */

/* The process may use so many bytes of that resource. */
static bool
is_allowed(int resource, size_t bytes)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) != 0 ||
           limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
}

bool
cf__machine_holds(size_t bytes)
{
    struct sysinfo info;
    if (bytes <= SURELY)
        return true;
    if (!is_allowed(RLIMIT_AS, bytes) || !is_allowed(RLIMIT_DATA, bytes))
        return false;
    if (sysinfo(&info) != 0)
        return true;
    uint64_t units = (uint64_t)info.totalram + info.totalswap;
    return bytes / info.mem_unit <= units;
}
