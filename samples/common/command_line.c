/* SPDX-License-Identifier: MIT */
#include "command_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

bool
parse_number(const char *program,
             const char *option,
             const char *text,
             long least,
             long most,
             long *out)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end != text && !*end && !errno && number >= least && number <= most) {
        *out = number;
        return true;
    }
    fprintf(stderr,
            "%s: %s %s: not %ld to %ld\n",
            program,
            option,
            text,
            least,
            most);
    return false;
}

void
allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}
