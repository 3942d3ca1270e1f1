/* SPDX-License-Identifier: MIT */
/* The stack on which tasks run: see stack.h. */
#include "process_pool/zygote/stack.h"

#include "lib/base/pages.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

enum { GUARD_SIZE = 1 << 20 }; /* bytes of addresses, which take no memory */

/* An object without that header does not count: every program has one, the
 * kernel's own. */
static int
asks_for_execution(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_GNU_STACK)
            return (object->dlpi_phdr[i].p_flags & PF_X) != 0;
    return 0;
}

/* Set once, when the library is loaded. */
static bool must_execute;

/* Not later: this takes the dynamic linker's lock. A fork's child may find it
 * held by a thread that the child does not have. */
__attribute__((constructor)) static void
ask_all_objects(void)
{
    must_execute = dl_iterate_phdr(asks_for_execution, NULL) != 0;
}

bool
cf__stack_must_execute(void)
{
    return must_execute;
}

/* The guard of this process's stack. */
static uintptr_t guard_begin, guard_end;

bool
cf__stack_guards(const void *p)
{
    return (uintptr_t)p >= guard_begin && (uintptr_t)p < guard_end;
}

char *
cf__stack_new(size_t size, bool executable)
{
    const size_t guard = cf__whole_pages(GUARD_SIZE);
    const int access = PROT_READ | PROT_WRITE;
    char *base = mmap(NULL,
                      guard + size,
                      PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
                      -1,
                      0);
    if (base == MAP_FAILED)
        return NULL;
    guard_begin = (uintptr_t)base;
    guard_end = guard_begin + guard;
    /* If the system forbids that, tasks may do without it. */
    if (executable && mprotect(base + guard, size, access | PROT_EXEC) == 0)
        return base + guard;
    if (mprotect(base + guard, size, access) == 0)
        return base + guard;
    (void)munmap(base, guard + size);
    return NULL;
}
