/* SPDX-License-Identifier: MIT */
/*
 * All executors of this process: so that the end of the program drains them,
 * and a fork's child knows that they are not its own.
 */
#ifndef CF_LIB_EXECUTOR_REGISTRY_H
#define CF_LIB_EXECUTOR_REGISTRY_H

#include <cfutures/executor.h>

/* Enters a new executor. CF_ENOMEM if the process's hooks cannot be set. */
cf_err cf__registry_add(cf_executor *ex);

/* Takes it out, before it is freed. */
void cf__registry_remove(cf_executor *ex);

/*
 * Breaks the contract, with that sentence, if ex is no executor, or has been
 * destroyed. destroy: it is destroyed now, and the next such call breaks the
 * contract too. Looks ex up in the list and so does not touch memory that has
 * been freed; an executor that was made in the same place since is taken for
 * it. Takes a time in proportion to the number of executors: for calls that are
 * rare.
 */
void cf__registry_expect(cf_executor *ex, bool destroy, const char *sentence);

#endif
