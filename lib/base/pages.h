/* SPDX-License-Identifier: MIT */
/* Sizes in whole pages of the system. */
#ifndef CF_LIB_BASE_PAGES_H
#define CF_LIB_BASE_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Rounds a size up. If the result would not fit, returns the size as it is. */
static inline size_t
cf__whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return size > SIZE_MAX - page ? size : (size + page - 1) / page * page;
}

#endif
