/* SPDX-License-Identifier: MIT */
/*
 * The stacks of one loop. Each has a guard page below, and at its top a control
 * block: to go on with a stack touches both, so they share a page. In their
 * pages they lie at different places. A stack that has been made stays where it
 * is until all are freed; so a thread may touch a control block late.
 */
#ifndef CF_EVENT_LOOP_STACK_H
#define CF_EVENT_LOOP_STACK_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CF__STACKS_PER_SEGMENT = 64,
    CF__STACKS_MAX = 1 << 28 /* their numbers have to fit into woken.h */
};

/* The segments that are known, in an array that is replaced by a larger one. */
struct cf__stack_segment {
    char *stacks;
    char *beside;
};

struct cf__stack_table {
    struct cf__stack_table *former;
    size_t room;
    struct cf__stack_segment segments[];
};

struct cf__stacks {
    /* Set once. Bytes: of a stack with all that belongs to it, which is whole
     * pages; of a page; of a control block; of what lies beside a stack. */
    size_t size, page, control_size, beside_size;

    /* Atomic. Writer: the loop's thread. Readers: any. */
    _Atomic(struct cf__stack_table *) table;
    _Atomic uint32_t count; /* stacks that have been made */

    /* The loop's thread's. */
    size_t segment_count;
    bool no_light_guards; /* the kernel has none */
};

/* size: bytes that a stack has for its frames, at least; rounded up.
 * beside_size: of what each stack has elsewhere, close to that of its
 * neighbours. false: no object is so large. */
bool cf__stacks_init(struct cf__stacks *stacks,
                     size_t size,
                     size_t control_size,
                     size_t beside_size);

/* Frees all. None is in use. */
void cf__stacks_fini(struct cf__stacks *stacks);

/* Makes one more stack, and returns its control block, all zero, as is what
 * lies beside. Its index is the count, which the caller then raises. NULL: no
 * memory. */
void *cf__stacks_new(struct cf__stacks *stacks);

/* The control block is set up: other threads may find it. */
static inline void
cf__stacks_count_in(struct cf__stacks *stacks)
{
    /* pairs with readers of count: the control block is whole */
    cf_store_release(&stacks->count, cf_load_relaxed(&stacks->count) + 1);
}

/* The control block of the stack with that index. */
void *cf__stacks_at(const struct cf__stacks *stacks, uint32_t index);

/* What lies beside the stack with that index. */
void *cf__stack_beside(const struct cf__stacks *stacks, uint32_t index);

/* Where the frames may be, of the stack with that control block. */
void *cf__stack_bottom(const struct cf__stacks *stacks, void *control);
size_t cf__stack_room(const struct cf__stacks *stacks, void *control);

/* Gives the stack's memory back to the system, but that of the frames at its
 * top and of the control block. */
void cf__stack_trim(const struct cf__stacks *stacks, void *control);

#endif
