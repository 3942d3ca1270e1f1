/* SPDX-License-Identifier: MIT */
/*
 * Contexts: stacks that can be left and gone on with. context.c and
 * context_switch.h know how: by a few instructions of their own (x86-64), by
 * the two assembler functions of Boost.Context (CF_FCONTEXT), or by
 * <ucontext.h>, which also calls the kernel each time (CF_UCONTEXT, or nothing
 * else is there).
 */
#ifndef CF_EVENT_LOOP_CONTEXT_H
#define CF_EVENT_LOOP_CONTEXT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined __x86_64__ && defined __LP64__ && !defined CF_FCONTEXT &&          \
    !defined CF_UCONTEXT
#define CF__OWN_SWITCH
#elif !defined CF_FCONTEXT
#include <ucontext.h>
#endif

/* Pushes and pops of pthread_cleanup_push() work on a list of the thread's, if
 * glibc is asked for them in C. Each context has a list of its own. */
#if defined __GLIBC__ && !defined __EXCEPTIONS
#define CF__CLEANUP_LISTS
#endif

/* What the C++ runtime keeps for a thread (__cxa_eh_globals of the Itanium C++
 * ABI): the exceptions that are being handled, and how many are on their way.
 * It describes what is on the stack, so each context has its own. */
struct cf__exceptions {
    void *caught;
    unsigned uncaught;
#ifdef __ARM_EABI__
    void *propagating;
#endif
};

struct cf__context {
    /* Where it goes on, while it does not run. */
#ifdef CF__OWN_SWITCH
    void *stack_pointer, *frame_pointer, *instruction;
    uint32_t mxcsr;
    uint16_t x87_control;
#elif defined CF_FCONTEXT
    void *fcontext;
#else
    ucontext_t ucontext;
#endif
    /* A switch is more than that: there is a C++ runtime, or a sanitizer ... */
    bool has_more;
    bool observed; /* ... which is to be told. The same for all of a thread */
    /* Of the context that runs: the one that it has gone on from. */
    struct cf__context *former;
    struct cf__exceptions
        *thread_exceptions;           /* NULL: there is no C++ runtime */
    struct cf__exceptions exceptions; /* while it does not run */
    int *thread_errno;                /* errno's place: the thread's */
    void (*entry)(void *arg);
    void *arg;
#ifdef CF__CLEANUP_LISTS
    __pthread_unwind_buf_t cleanups;
#endif
    /* For the sanitizers. The bounds of a thread's own stack are learnt when it
     * is left for the first time. */
    const void *bottom;
    size_t size;
    void *fake_stack;
    void *fiber;
    unsigned valgrind_id;
};

/* Makes the context of the calling thread: what it is doing now. */
void cf__context_adopt(struct cf__context *context);

/* Makes a context that has not begun: entry(arg), which never returns, on the
 * stack [bottom, bottom + size). It inherits the thread's cleanup handlers from
 * root, which has been adopted by the same thread. */
void cf__context_make(struct cf__context *context,
                      const struct cf__context *root,
                      void *bottom,
                      size_t size,
                      void (*entry)(void *arg),
                      void *arg);

/* A context that cf__context_make() made is not used any more. */
void cf__context_fini(struct cf__context *context);

/* The thread is being unwound, from the context that ran last into root, which
 * runs now. Sanitizers have not seen that. */
void cf__context_unwound_to(struct cf__context *root);

#endif
