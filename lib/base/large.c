/* SPDX-License-Identifier: MIT */
/* Large pieces of memory: see large.h. */
#include "lib/base/large.h"

#include "lib/base/atomic.h"
#include "lib/base/pages.h"
#include "lib/base/sanitizers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { POPULATE_WRITE = 23 }; /* MADV_POPULATE_WRITE, which old headers lack */

bool
cf__large_ask(void *start, size_t size)
{
    const char *value = getenv("CF_HUGE_PAGES");
    bool wanted = !value || strcmp(value, "0") != 0;
    return wanted && madvise(start, size, MADV_HUGEPAGE) == 0;
}

static char *
map(size_t size)
{
    char *start = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

void *
cf__large_map(size_t size, bool *huge)
{
    const size_t align = size < CF__HUGE_PAGE ? 0 : CF__HUGE_PAGE;
    char *start = map(size + align);
    *huge = false;
    if (!start || !align)
        return start;
    const size_t before = (align - (uintptr_t)start % align) % align;
    if (before)
        (void)munmap(start, before); /* if it fails, addresses are lost */
    start += before;
    if (before < align)
        (void)munmap(start + size, align - before);
    *huge = cf__large_ask(start, size);
    return start;
}

void
cf__large_populate(void *start, size_t size)
{
    static atomic_bool refused; /* a hint */
    if (cf_load_relaxed(&refused))
        return;
    const int saved_errno = errno;
    if (madvise(start, size, POPULATE_WRITE) != 0 && errno == EINVAL)
        cf_store_relaxed(&refused, true); /* Linux has it from 5.14 on */
    errno = saved_errno;
}

/* With AddressSanitizer no array is large: so it finds accesses beside arrays,
 * and pointers in them. */
static bool
is_large(size_t size)
{
    return !CF__ADDRESS_SANITIZER && size >= CF__HUGE_PAGE;
}

static void *
map_array(size_t size)
{
    bool huge;
    size = cf__whole_pages(size);
    void *start = cf__large_map(size, &huge);
    /* A limit may leave room for the array, but not for its alignment. */
    return start ? start : map(size);
}

void *
cf__large_malloc(size_t size)
{
    return is_large(size) ? map_array(size) : malloc(size);
}

void *
cf__large_calloc(size_t size)
{
    return is_large(size) ? map_array(size) : calloc(1, size);
}

void
cf__large_free(void *p, size_t size)
{
    if (!is_large(size))
        free(p);
    else if (p)
        (void)munmap(p, cf__whole_pages(size)); /* may fail: it stays */
}
