/* SPDX-License-Identifier: MIT */
/*
 * The budget of operations. A task of an event loop whose waits are all
 * satisfied already would never let another task run. So each operation that
 * could have suspended a task, and did not have to, spends one of a budget.
 * When the budget is spent, the operation yields.
 *
 * The count is the thread's, and a switch of stacks does not touch it: so it
 * costs one subtraction, whose sign the branch takes, and no task is told whose
 * operations these were. A thread begins with nothing left.
 */
#ifndef CF_LIB_EXECUTOR_BUDGET_H
#define CF_LIB_EXECUTOR_BUDGET_H

#include "lib/base/export.h"
#include "lib/base/thread.h"

enum { CF__BUDGET = 128 };

/* The budget is spent: yields, if the caller is a coroutine. */
CF__EXPORT void cf__budget_spent(void);

/* Counts an operation. true: cf__budget_spent() comes next. */
static inline bool
cf__budget_count(void)
{
    return __builtin_expect(--cf__thread.budget < 0, 0);
}

/* How many operations the thread has counted since the budget was mark, modulo
 * CF__BUDGET. */
static inline int
cf__budget_since(int mark)
{
    return (mark - cf__thread.budget) & (CF__BUDGET - 1);
}

/*
 * An operation has what it was called for, and its task has not been suspended.
 * The caller holds no lock and is ready for what other tasks do meanwhile, as
 * in a wait. Not for an operation that must not wait: one with a timeout of 0,
 * or one called try. errno is as before.
 */
static inline void
cf__budget_spend(void)
{
    if (cf__budget_count())
        cf__budget_spent();
}

#endif
