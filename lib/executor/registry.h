/* SPDX-License-Identifier: MIT */
/*
 * All executors of this process. The end of the program drains them, and in a
 * fork's child they are told that they are not its own.
 */
#ifndef CF_LIB_EXECUTOR_REGISTRY_H
#define CF_LIB_EXECUTOR_REGISTRY_H

#include <cfutures/executor.h>

/* Sets the process's hooks, as cf__registry_add() does: for a caller that forks
 * before it adds the executor. A child has the hooks then, and need not set its
 * own. CF_ENOMEM: to be tried again. */
cf_err cf__registry_set_hooks(void);

/* Enters a new executor. CF_ENOMEM: the exit or fork hooks cannot be set. */
cf_err cf__registry_add(cf_executor *ex);

/* Takes it out, before it is freed. */
void cf__registry_remove(cf_executor *ex);

/*
 * Ends the program with that sentence (lib/base/contract.h) if ex is no
 * executor, or has been destroyed. destroy: ex is being destroyed now, and a
 * second such call ends the program too.
 *
 * It looks ex up in the list, so it does not touch memory that has been freed.
 * An executor that was made later in the same place is taken for ex. It takes
 * time in proportion to the number of executors: only for calls that are rare.
 */
void cf__registry_expect(cf_executor *ex, bool destroy, const char *sentence);

#endif
