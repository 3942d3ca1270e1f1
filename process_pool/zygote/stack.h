/* SPDX-License-Identifier: MIT */
/* The stack on which tasks run. */
#ifndef CF_PROCESS_POOL_STACK_H
#define CF_PROCESS_POOL_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* The program's stacks are executable: an object of it asks for that, as a
 * pointer to a nested function of GCC needs it. Objects count that are there when
 * the library is loaded. Takes no lock. */
bool cf__stack_must_execute(void);

/* Memory of size bytes, whole pages, above a guard that nobody can touch.
 * NULL: none. It takes no locks. */
char *cf__stack_new(size_t size, bool executable);

#endif
