/* SPDX-License-Identifier: MIT */
/*
 * Switching stacks: see context.h. No locks: all contexts are one thread's.
 *
 * A sanitizer must know which stack is in use. AddressSanitizer is told just
 * before a switch and just after it. For ThreadSanitizer each context is a
 * fiber; the functions around the jump are not instrumented, as what they note
 * at their begin and at their end would go to two different fibers.
 */
#include "event_loop/context.h"

#include <errno.h>
#include <stdint.h>

#if defined __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER
#elif defined __SANITIZE_THREAD__
#define THREAD_SANITIZER
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#elif __has_feature(thread_sanitizer)
#define THREAD_SANITIZER
#endif
#endif

#ifdef ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef THREAD_SANITIZER
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#define NOT_TOLD no_sanitize("thread")
#else
#define NOT_TOLD unused
#endif
/* Valgrind, too, has to know which memory is a stack. Its header is all that is
 * needed: the requests are some instructions that do nothing elsewhere. */
#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) ((void)(start), (void)(end), 0U)
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#define RUNNING_ON_VALGRIND 0
#endif

/* A function that leaves a stack, and a part of one. */
#define UNTOLD __attribute__((noinline, NOT_TOLD))
#define UNTOLD_PART static inline __attribute__((always_inline, NOT_TOLD))

/* NULL if no C++ runtime was loaded before this library's symbols were bound:
 * then no task can catch anything. */
/* NOLINTNEXTLINE(bugprone-*,cert-*,readability-*): the C++ runtime's name */
struct cf__exceptions *__cxa_get_globals(void) __attribute__((weak));

/* Just before a switch. */
UNTOLD_PART void
tell_leaving(struct cf__context *from, struct cf__context *to)
{
    to->former = from;
    if (__builtin_expect(from->thread_exceptions != NULL, 0)) {
        from->exceptions = *from->thread_exceptions;
        *from->thread_exceptions = to->exceptions;
    }
#ifdef CF__CLEANUP_LISTS
    __pthread_register_cancel(&from->cleanups); /* keeps the list ... */
    __pthread_unregister_cancel(&to->cleanups); /* ... and takes the other */
#endif
#ifdef ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
#ifdef THREAD_SANITIZER
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

/* Just after it, in the context that runs now. */
UNTOLD_PART void
tell_arrived(struct cf__context *self)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(
        self->fake_stack, &self->former->bottom, &self->former->size);
#else
    (void)self;
#endif
}

void
cf__context_unwound_to(struct cf__context *root)
{
    if (root->thread_exceptions)
        *root->thread_exceptions = root->exceptions;
#ifdef ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(NULL, root->bottom, root->size);
    __sanitizer_finish_switch_fiber(root->fake_stack, NULL, NULL);
    /* Frames of root are gone, too. The call itself would stumble over what
     * they have left below us. */
    char *here = __builtin_frame_address(0);
    __asan_unpoison_memory_region(root->bottom,
                                  (size_t)(here - (char *)root->bottom));
    __asan_handle_no_return();
#else
    (void)root;
#endif
}

#ifdef CF_FCONTEXT

/* As Boost.Context has them since 1.61, without the cf__
 * (cmake/CfContext.cmake). */
struct transfer {
    void *fcontext; /* of the context that was left */
    void *data;     /* what that gave */
};
extern struct transfer cf__jump_fcontext(void *to, void *data);
extern void *
cf__make_fcontext(void *top, size_t size, void (*fn)(struct transfer from));

/* data: the context that begins or goes on. */
UNTOLD static void
begin(struct transfer from)
{
    struct cf__context *self = from.data;
    self->former->fcontext = from.fcontext;
    tell_arrived(self);
    self->entry(self->arg);
}

static inline void
prepare(struct cf__context *context, char *bottom, size_t size)
{
    context->fcontext = cf__make_fcontext(bottom + size, size, begin);
}

UNTOLD_PART struct cf__context *
jump(struct cf__context *from, struct cf__context *to)
{
    (void)from;
    struct transfer back = cf__jump_fcontext(to->fcontext, to);
    struct cf__context *self = back.data;
    self->former->fcontext = back.fcontext;
    return self;
}

#elif defined CF__OWN_SWITCH

enum {
    MXCSR_FLAGS = 0x3f, /* which exceptions have been: the thread's */
    FIRST_FRAME = 16    /* bytes: the stack is aligned to that many */
};

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

/* Runs on the context's stack, as if NULL had called it: there a search for
 * frames ends. */
UNTOLD static void
begin(struct cf__context *self)
{
    tell_arrived(self);
    self->entry(self->arg);
}

static inline void
prepare(struct cf__context *context, char *bottom, size_t size)
{
    /* At the begin of a function its return address is the last thing on the
     * stack. */
    void **top = (void **)(void *)(bottom + size - FIRST_FRAME);
    *--top = NULL;
    context->stack_pointer = top;
    context->frame_pointer = NULL;
    context->instruction = (void *)(uintptr_t)begin;
    save_control(context);
}

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

#else

UNTOLD static void
begin(unsigned high, unsigned low)
{
    struct cf__context *self =
        (struct cf__context *)((uintptr_t)((uint64_t)high << 32 | low));
    tell_arrived(self);
    self->entry(self->arg);
}

static inline void
prepare(struct cf__context *context, char *bottom, size_t size)
{
    uint64_t self = (uintptr_t)context;
    getcontext(&context->ucontext);
    context->ucontext.uc_stack.ss_sp = bottom;
    context->ucontext.uc_stack.ss_size = size;
    context->ucontext.uc_link = NULL;
    makecontext(&context->ucontext,
                (void (*)(void))begin,
                2,
                (unsigned)(self >> 32),
                (unsigned)self);
}

UNTOLD_PART struct cf__context *
jump(struct cf__context *from, struct cf__context *to)
{
    swapcontext(&from->ucontext, &to->ucontext);
    return from;
}

#endif

/* Valgrind knows the stacks of threads as such, but for switches to them. If
 * the thread's stack were unknown, a switch to it from one that happens to
 * lie near would look like a return. */
static void
tell_valgrind_of_thread(void)
{
    pthread_attr_t attributes;
    void *bottom;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &bottom, &size) == 0)
        (void)VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
    pthread_attr_destroy(&attributes);
}

void
cf__context_adopt(struct cf__context *context)
{
    if (RUNNING_ON_VALGRIND)
        tell_valgrind_of_thread();
    *context = (struct cf__context){.thread_errno = &errno};
    if (__cxa_get_globals)
        context->thread_exceptions = __cxa_get_globals();
#ifdef CF__CLEANUP_LISTS
    __pthread_register_cancel(&context->cleanups);
    __pthread_unregister_cancel(&context->cleanups);
#endif
#ifdef THREAD_SANITIZER
    context->fiber = __tsan_get_current_fiber();
#endif
}

void
cf__context_make(struct cf__context *context,
                 const struct cf__context *root,
                 void *bottom,
                 size_t size,
                 void (*entry)(void *arg),
                 void *arg)
{
    *context =
        (struct cf__context){.entry = entry,
                             .arg = arg,
                             .thread_exceptions = root->thread_exceptions,
                             .thread_errno = root->thread_errno,
#ifdef CF__CLEANUP_LISTS
                             .cleanups = root->cleanups,
#endif
                             .bottom = bottom,
                             .size = size};
#ifdef THREAD_SANITIZER
    context->fiber = __tsan_create_fiber(0);
#endif
    context->valgrind_id =
        VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
    prepare(context, bottom, size);
}

void
cf__context_fini(struct cf__context *context)
{
#ifdef THREAD_SANITIZER
    __tsan_destroy_fiber(context->fiber);
#endif
#ifdef ADDRESS_SANITIZER
    /* Frames that never return have left their marks. */
    __asan_unpoison_memory_region(context->bottom, context->size);
#endif
    VALGRIND_STACK_DEREGISTER(context->valgrind_id);
}

UNTOLD void
cf__context_switch(struct cf__context *from, struct cf__context *to)
{
    int saved_errno = *from->thread_errno;
    tell_leaving(from, to);
    tell_arrived(jump(from, to));
    *from->thread_errno = saved_errno;
}
