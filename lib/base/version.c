/* SPDX-License-Identifier: MIT */
/* The version of the library that the program runs with. */
#include <cfutures/base.h>

const char *
cf_version(void)
{
    return CF_VERSION_STRING;
}
