/* SPDX-License-Identifier: MIT */
/* The budget of operations is spent: see budget.h. No locks. */
#include "lib/executor/budget.h"

#include "lib/base/worker.h"
#include "lib/future/callback.h"

void
cf__budget_spent(void)
{
    struct cf__worker *worker = cf__thread.worker;
    cf__thread.budget = CF__BUDGET - 1;
    /* In a fork handler the other tasks stay where they are. */
    if (!worker || !worker->suspend || cf__thread.forking)
        return;
    struct cf__due *due = cf__callbacks_pause();
    worker->suspend->yield(worker);
    cf__callbacks_resume(due);
}
