/* SPDX-License-Identifier: MIT */
/*
 * Memory for stacks: see stack.h. Mapped in segments of many stacks; the memory
 * is reserved, and comes when it is touched. A guard page is a mark in the page
 * tables if the kernel can do that (Linux 6.13). Else it is a mapping of its
 * own, of which a process may have some 65,000 (vm.max_map_count): then there
 * are at most half as many stacks.
 */
#include "event_loop/stack.h"

#include "lib/base/size.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* A stack with its control block ends SHIFTS - 1 times SHIFT bytes before a
 * page does, at most. If all ended at the same place of a page, they would
 * share a few sets of the processor's cache, and it would take what is
 * loaded from one stack for what was just stored at the same place of
 * another. */
enum { SHIFTS = 16, SHIFT = 128 };

enum {
    ALIGNMENT = 64, /* of what other processors write to */
    FIRST_ROOM = 16,
    PAGES_KEPT = 4 /* of a stack that is trimmed: the frames at its top */
};

bool
cf__stacks_init(struct cf__stacks *stacks,
                size_t size,
                size_t control_size,
                size_t beside_size)
{
    *stacks = (struct cf__stacks){.page = (size_t)sysconf(_SC_PAGESIZE),
                                  .beside_size = beside_size};
    stacks->control_size =
        (control_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > CF__SIZE_MAX / CF__STACKS_PER_SEGMENT / 2)
        return false;
    size += stacks->control_size + (size_t)(SHIFTS - 1) * SHIFT;
    size_t pages = (size + stacks->page - 1) / stacks->page;
    stacks->size = (pages + 1) * stacks->page; /* and the guard */
    return true;
}

static size_t
segment_size(const struct cf__stacks *stacks)
{
    return stacks->size * CF__STACKS_PER_SEGMENT;
}

void
cf__stacks_fini(struct cf__stacks *stacks)
{
    struct cf__stack_table *table = cf_load_relaxed(&stacks->table);
    for (size_t i = 0; i < stacks->segment_count; i++) {
        munmap(table->segments[i].stacks, segment_size(stacks));
        free(table->segments[i].beside);
    }
    for (struct cf__stack_table *former; table; table = former) {
        former = table->former;
        free(table);
    }
}

/* There is room for one more segment. A table that was replaced stays: another
 * thread may be reading it. */
static bool
reserve_segment(struct cf__stacks *stacks)
{
    struct cf__stack_table *table = cf_load_relaxed(&stacks->table);
    if (table && stacks->segment_count < table->room)
        return true;
    size_t room = table ? 2 * table->room : FIRST_ROOM, bytes;
    struct cf__stack_table *next = NULL;
    if (cf__size_add(sizeof *next, room, sizeof *next->segments, &bytes))
        next = calloc(1, bytes);
    if (!next)
        return false;
    next->former = table;
    next->room = room;
    for (size_t i = 0; table && i < stacks->segment_count; i++)
        next->segments[i] = table->segments[i];
    cf_store_release(&stacks->table, next); /* pairs with cf__stacks_at */
    return true;
}

static bool
add_segment(struct cf__stacks *stacks)
{
    if (!reserve_segment(stacks))
        return false;
    /* A multiple of the alignment, as there are as many stacks. */
    const size_t beside_size = stacks->beside_size * CF__STACKS_PER_SEGMENT;
    char *beside = aligned_alloc(ALIGNMENT, beside_size);
    if (!beside)
        return false;
    memset(beside, 0, beside_size);
    char *segment =
        mmap(NULL,
             segment_size(stacks),
             PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
             -1,
             0);
    if (segment == MAP_FAILED) {
        free(beside);
        return false;
    }
    /* A huge page would be the memory of several stacks at once. */
    (void)madvise(segment, segment_size(stacks), MADV_NOHUGEPAGE);
    struct cf__stack_table *table = cf_load_relaxed(&stacks->table);
    table->segments[stacks->segment_count++] =
        (struct cf__stack_segment){segment, beside};
    return true;
}

static bool
set_guard(struct cf__stacks *stacks, char *page)
{
    if (!stacks->no_light_guards &&
        madvise(page, stacks->page, MADV_GUARD_INSTALL) == 0)
        return true;
    stacks->no_light_guards = true;
    return mprotect(page, stacks->page, PROT_NONE) == 0;
}

static const struct cf__stack_segment *
segment_of(const struct cf__stacks *stacks, uint32_t index)
{
    /* pairs with reserve_segment: the table is whole */
    struct cf__stack_table *table = cf_load_acquire(&stacks->table);
    return &table->segments[index / CF__STACKS_PER_SEGMENT];
}

/* Where the stack with that index begins, with its guard. */
static char *
stack_at(const struct cf__stacks *stacks, uint32_t index)
{
    return segment_of(stacks, index)->stacks +
           index % CF__STACKS_PER_SEGMENT * stacks->size;
}

void *
cf__stack_beside(const struct cf__stacks *stacks, uint32_t index)
{
    return segment_of(stacks, index)->beside +
           index % CF__STACKS_PER_SEGMENT * stacks->beside_size;
}

void *
cf__stacks_at(const struct cf__stacks *stacks, uint32_t index)
{
    return stack_at(stacks, index) + stacks->size - stacks->control_size -
           (size_t)(index % SHIFTS) * SHIFT;
}

void *
cf__stacks_new(struct cf__stacks *stacks)
{
    uint32_t index = cf_load_relaxed(&stacks->count); /* this thread's */
    if (index == CF__STACKS_MAX)
        return NULL;
    if (index / CF__STACKS_PER_SEGMENT == stacks->segment_count &&
        !add_segment(stacks))
        return NULL;
    if (!set_guard(stacks, stack_at(stacks, index)))
        return NULL;
    return cf__stacks_at(stacks, index);
}

void *
cf__stack_bottom(const struct cf__stacks *stacks, void *control)
{
    /* The shift is less than a page. */
    char *end = (char *)control + stacks->control_size;
    end += -(uintptr_t)end % stacks->page;
    return end - stacks->size + stacks->page;
}

size_t
cf__stack_room(const struct cf__stacks *stacks, void *control)
{
    return (size_t)((char *)control -
                    (char *)cf__stack_bottom(stacks, control));
}

void
cf__stack_trim(const struct cf__stacks *stacks, void *control)
{
    const size_t kept = (1 + PAGES_KEPT) * stacks->page; /* and the guard */
    void *bottom = cf__stack_bottom(stacks, control);
    if (stacks->size > kept)
        (void)madvise(bottom, stacks->size - kept, MADV_DONTNEED);
}
