/* SPDX-License-Identifier: MIT */
/*
 * Switching stacks: see context.h. No locks: all contexts are one thread's.
 *
 * A sanitizer must know which stack is in use. Its functions are there if the
 * program is built with it, whether this library is or not. AddressSanitizer is
 * told just before a switch and just after it. For ThreadSanitizer each context
 * is a fiber; where this library is instrumented, the functions around the jump
 * are not, as what they note at their begin and at their end would go to two
 * different fibers.
 */
#include "event_loop/context_switch.h"

#include <errno.h>
#include <stdint.h>

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

/* The sanitizers' functions; NULL if the program has none. */
/* NOLINTBEGIN */
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));
void __sanitizer_start_switch_fiber(void **fake_stack,
                                    const void *bottom,
                                    size_t size) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *fake_stack,
                                     const void **former_bottom,
                                     size_t *former_size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *memory, size_t size)
    __attribute__((weak));
void __asan_handle_no_return(void) __attribute__((weak));
/* NOLINTEND */

static inline bool
has_fibers(void)
{
    return __tsan_get_current_fiber && __tsan_create_fiber &&
           __tsan_destroy_fiber && __tsan_switch_to_fiber;
}

static inline bool
has_poison(void)
{
    return __sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber &&
           __asan_unpoison_memory_region && __asan_handle_no_return;
}

/* Just before a switch. */
UNTOLD_PART void
tell_leaving(struct cf__context *from, struct cf__context *to)
{
    if (has_poison())
        __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
    if (has_fibers())
        __tsan_switch_to_fiber(to->fiber, 0);
}

/* Just after it, in the context that runs now. */
UNTOLD_PART void
tell_arrived(struct cf__context *self)
{
    if (has_poison())
        __sanitizer_finish_switch_fiber(
            self->fake_stack, &self->former->bottom, &self->former->size);
}

/* NULL if no C++ runtime was loaded before this library's symbols were bound:
 * then no task can catch anything. */
/* NOLINTNEXTLINE(bugprone-*,cert-*,readability-*): the C++ runtime's name */
struct cf__exceptions *__cxa_get_globals(void) __attribute__((weak));

UNTOLD void
cf__context_unwound_to(struct cf__context *root)
{
    if (root->thread_exceptions)
        *root->thread_exceptions = root->exceptions;
    if (has_fibers())
        __tsan_switch_to_fiber(root->fiber, 0);
    if (!has_poison())
        return;
    __sanitizer_start_switch_fiber(NULL, root->bottom, root->size);
    __sanitizer_finish_switch_fiber(root->fake_stack, NULL, NULL);
    /* Frames of root are gone, too. The call itself would stumble over what
     * they have left below us. */
    char *here = __builtin_frame_address(0);
    __asan_unpoison_memory_region(root->bottom,
                                  (size_t)(here - (char *)root->bottom));
    __asan_handle_no_return();
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

enum { FIRST_FRAME = 16 }; /* bytes: the stack is aligned to that many */

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
    *context = (struct cf__context){.thread_errno = &errno,
                                    .observed = has_fibers() || has_poison()};
    if (__cxa_get_globals)
        context->thread_exceptions = __cxa_get_globals();
    context->has_more = context->observed || context->thread_exceptions;
#ifdef CF__CLEANUP_LISTS
    __pthread_register_cancel(&context->cleanups);
    __pthread_unregister_cancel(&context->cleanups);
#endif
    if (has_fibers())
        context->fiber = __tsan_get_current_fiber();
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
                             .has_more = root->has_more,
                             .observed = root->observed,
                             .thread_exceptions = root->thread_exceptions,
                             .thread_errno = root->thread_errno,
#ifdef CF__CLEANUP_LISTS
                             .cleanups = root->cleanups,
#endif
                             .bottom = bottom,
                             .size = size};
    if (has_fibers())
        context->fiber = __tsan_create_fiber(0);
    context->valgrind_id =
        VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
    prepare(context, bottom, size);
}

void
cf__context_fini(struct cf__context *context)
{
    if (has_fibers())
        __tsan_destroy_fiber(context->fiber);
    if (has_poison()) /* frames that never return have left their marks */
        __asan_unpoison_memory_region(context->bottom, context->size);
    VALGRIND_STACK_DEREGISTER(context->valgrind_id);
}

UNTOLD void
cf__context_switch_observed(struct cf__context *from, struct cf__context *to)
{
    int saved_errno = *from->thread_errno;
    exchange_exceptions(from, to);
    exchange(from, to);
    tell_leaving(from, to);
    tell_arrived(jump(from, to));
    *from->thread_errno = saved_errno;
}

#ifndef CF__OWN_SWITCH
UNTOLD void
cf__context_switch(struct cf__context *from, struct cf__context *to)
{
    CF__SWITCH(from, to, jump);
}
#endif
