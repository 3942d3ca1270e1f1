/* SPDX-License-Identifier: MIT */
/*
 * One mapping, made before main(), which every fork inherits at its address.
 * How much of it is taken stands at its beginning, so that allocations in any
 * process never meet.
 */
#define _GNU_SOURCE
#include "tests/support/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { REGION = 256 << 20 }; /* of address space: only what is used counts */

typedef struct region {
    _Alignas(max_align_t) atomic_size_t taken; /* bytes, these included */
} region;

static region *shared;

/* Early: what other constructors allocate is here too. */
__attribute__((constructor(101))) static void
map_shared(void)
{
    void *p = mmap(NULL,
                   REGION,
                   PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1,
                   0);
    if (p == MAP_FAILED) {
        perror("shared: mmap");
        abort();
    }
    shared = p;
    atomic_init(&shared->taken, sizeof *shared);
}

void *
shared_new(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    size_t rounded = size > REGION ? REGION : (size + unit - 1) / unit * unit;
    size_t at = atomic_fetch_add(&shared->taken, rounded);
    if (at > REGION || rounded > REGION - at) {
        fprintf(stderr, "shared: no room for %zu bytes\n", size);
        abort();
    }
    return (char *)shared + at;
}

atomic_int *
counter_new(void)
{
    return shared_new(sizeof(atomic_int));
}
