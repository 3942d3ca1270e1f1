/* SPDX-License-Identifier: MIT */
/* Finds out which observers there are: see observer.h. */
#include "lib/base/observer.h"

#include "lib/base/sanitizers.h"

#include <stdlib.h>
#include <string.h>

/* The names are the sanitizers'. */
/* NOLINTBEGIN */
extern void __tsan_acquire(void *at) __attribute__((weak));
extern void __tsan_release(void *at) __attribute__((weak));
extern void __asan_poison_memory_region(void const volatile *memory,
                                        size_t size) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *memory,
                                          size_t size) __attribute__((weak));
/* NOLINTEND */

int cf__observers;

/* Early: constructors of the program may use the library. */
__attribute__((constructor(101))) static void
look_around(void)
{
    const char *debug = getenv("CF_DEBUG");
    /* If this library is instrumented itself, the tool sees its atomics. */
    if (!CF__THREAD_SANITIZER && __tsan_acquire && __tsan_release)
        cf__observers |= CF__OBSERVES_ORDER;
    if (__asan_poison_memory_region && __asan_unpoison_memory_region)
        cf__observers |= CF__OBSERVES_MEMORY;
    if (debug && strcmp(debug, "1") == 0)
        cf__observers |= CF__OBSERVES_USE;
    if (debug && strcmp(debug, "abort") == 0)
        cf__observers |= CF__OBSERVES_USE | CF__OBSERVES_STRICTLY;
}

void
cf__observer_tell_release(const void *at)
{
    __tsan_release((void *)at);
}

void
cf__observer_tell_acquire(const void *at)
{
    __tsan_acquire((void *)at);
}

void
cf__observer_forbid(const void *memory, size_t size)
{
    if (cf__observers & CF__OBSERVES_MEMORY)
        __asan_poison_memory_region(memory, size);
}

void
cf__observer_allow(const void *memory, size_t size)
{
    if (cf__observers & CF__OBSERVES_MEMORY)
        __asan_unpoison_memory_region(memory, size);
}
