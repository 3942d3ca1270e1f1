/* SPDX-License-Identifier: MIT */
/* The stack on which tasks run. */
#ifndef CF_PROCESS_POOL_STACK_H
#define CF_PROCESS_POOL_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* The program's stacks are executable: one of its objects asks for that, as a
 * pointer to a nested function of GCC needs it. Only objects count that are
 * there when the library is loaded. Takes no lock. */
bool cf__stack_must_execute(void);

/* Memory of size bytes, whole pages, above a guard to which no access is
 * allowed. NULL: there is none. Takes no lock. */
char *cf__stack_new(size_t size, bool executable);

/* p is in the guard of the stack that this process made last, or that a process
 * made from which it was forked. */
bool cf__stack_guards(const void *p);

#endif
