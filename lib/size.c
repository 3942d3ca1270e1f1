/* SPDX-License-Identifier: MIT */
/* How much memory the machine has: see size.h. */
#include "lib/size.h"

#include <sys/sysinfo.h>

enum { SURELY = 64 << 20 }; /* bytes: no need to ask for less */

bool
cf__machine_holds(size_t bytes)
{
    struct sysinfo info;
    if (bytes <= SURELY || sysinfo(&info) != 0)
        return true;
    uint64_t units = (uint64_t)info.totalram + info.totalswap;
    return bytes / info.mem_unit <= units;
}
