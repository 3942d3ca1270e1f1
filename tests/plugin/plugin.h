/* SPDX-License-Identifier: MIT */
/* What host.c calls in plugin.c. */
#ifndef CF_TESTS_PLUGIN_H
#define CF_TESTS_PLUGIN_H

#include <cfutures/base.h>
#include <cfutures/task.h>

struct plugin {
    /* Uses a pool, and destroys it. false: something went wrong. */
    bool (*work)(void);
    /* Starts a task in a pool that stays open. */
    bool (*begin)(cf_task_fn *fn, const void *arg);
    /* Completes a future by hand. */
    bool (*promise)(void);
    /* As work(), with executors that are the parent's in a fork's child. */
    bool (*refused)(void);
};

#endif
