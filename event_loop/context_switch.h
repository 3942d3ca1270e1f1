/* SPDX-License-Identifier: MIT */
/*
 * The switch from one context to another: see context.h. Where it is a few
 * instructions of our own, it is a part of the function that calls it. Else
 * there would be a return between the two stacks, and the processor would
 * foresee a wrong one: the last call was on the other stack.
 */
#ifndef CF_EVENT_LOOP_CONTEXT_SWITCH_H
#define CF_EVENT_LOOP_CONTEXT_SWITCH_H

#include "event_loop/context.h"

#include "lib/base/sanitizers.h"

#if CF__THREAD_SANITIZER
#define NOT_TOLD no_sanitize("thread")
#else
#define NOT_TOLD unused
#endif

/* A function that leaves a stack, and a part of one. */
#define UNTOLD __attribute__((noinline, NOT_TOLD))
#define UNTOLD_PART static inline __attribute__((always_inline, NOT_TOLD))

/* What a context has beside its stack. */
UNTOLD_PART void
exchange(struct cf__context *from, struct cf__context *to)
{
    to->former = from;
#ifdef CF__CLEANUP_LISTS
    __pthread_register_cancel(&from->cleanups); /* keeps the list ... */
    __pthread_unregister_cancel(&to->cleanups); /* ... and takes the other */
#endif
}

UNTOLD_PART void
exchange_exceptions(struct cf__context *from, struct cf__context *to)
{
    if (!from->thread_exceptions)
        return;
    from->exceptions = *from->thread_exceptions;
    *from->thread_exceptions = to->exceptions;
}

#ifdef CF__OWN_SWITCH

enum { MXCSR_FLAGS = 0x3f }; /* which exceptions have been: the thread's */

/* How the context calculates with floating-point numbers: a task may change
 * that, and be suspended then. */
UNTOLD_PART void
save_control(struct cf__context *context)
{
    __asm__("stmxcsr %0\n\tfnstcw %1"
            : "=m"(context->mxcsr), "=m"(context->x87_control));
}

/* To set what is set already costs as much as the rest of jump(). */
UNTOLD_PART void
change_control(const struct cf__context *from, const struct cf__context *to)
{
    if (__builtin_expect((from->mxcsr ^ to->mxcsr) & ~(uint32_t)MXCSR_FLAGS,
                         0)) {
        uint32_t mxcsr =
            (to->mxcsr & ~(uint32_t)MXCSR_FLAGS) | (from->mxcsr & MXCSR_FLAGS);
        __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    }
    if (__builtin_expect(from->x87_control != to->x87_control, 0))
        __asm__ volatile("fldcw %0" : : "m"(to->x87_control));
}

/* All but the stack and frame pointers, and where jump() has its arguments. */
#define REGISTERS                                                              \
    "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", \
        "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/*
 * The compiler saves what it needs of the registers. begin() finds its argument
 * in rdi. No call and no return is between the two stacks: so the processor,
 * which keeps count of both, goes on foreseeing where a function returns to.
 */
UNTOLD_PART struct cf__context *
jump(struct cf__context *from, struct cf__context *to)
{
    save_control(from);
    change_control(from, to);
    struct cf__context *self = from, *next = to;
    __asm__ volatile(
        "leaq 1f(%%rip), %%rax\n\t"
        "movq %%rax, %c[instruction](%%rsi)\n\t"
        "movq %%rsp, %c[stack](%%rsi)\n\t"
        "movq %%rbp, %c[frame](%%rsi)\n\t"
        "movq %c[stack](%%rdi), %%rsp\n\t"
        "movq %c[frame](%%rdi), %%rbp\n\t"
        "jmpq *%c[instruction](%%rdi)\n"
        "1:"
        : "+S"(self), "+D"(next)
        : [instruction] "i"(offsetof(struct cf__context, instruction)),
          [stack] "i"(offsetof(struct cf__context, stack_pointer)),
          [frame] "i"(offsetof(struct cf__context, frame_pointer))
        : REGISTERS, "cc", "memory");
    return from;
}

#endif

/* A switch of which a sanitizer is told. */
void cf__context_switch_observed(struct cf__context *from,
                                 struct cf__context *to);

/* What a switch is; jump: how the stacks are exchanged. */
#define CF__SWITCH(from, to, jump)                                             \
    do {                                                                       \
        if (__builtin_expect((from)->has_more, 0)) {                           \
            if ((from)->observed) {                                            \
                cf__context_switch_observed((from), (to));                     \
                return;                                                        \
            }                                                                  \
            exchange_exceptions((from), (to));                                 \
        }                                                                      \
        int saved_errno = *(from)->thread_errno;                               \
        exchange((from), (to));                                                \
        (void)jump((from), (to));                                              \
        *(from)->thread_errno = saved_errno;                                   \
    } while (0)

/* Leaves from, which runs, and goes on with to. Returns when from is gone on
 * with. errno is as before. */
#ifdef CF__OWN_SWITCH
static inline __attribute__((always_inline)) void
cf__context_switch(struct cf__context *from, struct cf__context *to)
{
    CF__SWITCH(from, to, jump);
}
#else
void cf__context_switch(struct cf__context *from, struct cf__context *to);
#endif

#endif
