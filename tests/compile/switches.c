/* SPDX-License-Identifier: MIT */
/*
 * A switch over all values of a public enum, with the labels that the header
 * documents and no default: no compiler may miss one. Compiled as C and as C++
 * with the warnings for that, never run.
 */
#include <cfutures/cfutures.h>

int switches_err(cf_err err);
int switches_state(cf_state state);
int switches_when(cf_return_when when);
int switches_policy(cf_queue_policy policy);
int switches_death(cf_on_worker_death death);
int switches_task(cf_call *call, const void *arg, size_t arg_size);

int
switches_err(cf_err err)
{
    switch (err) {
#define CASE(name, value, text) case name:
        CF_ERR_MAP(CASE)
#undef CASE
        return 1;
    }
    return 0;
}

int
switches_state(cf_state state)
{
    switch (state) {
    case CF_PENDING:
    case CF_RUNNING:
    case CF_CANCELED:
    case CF_FINISHED:
        return 1;
    }
    return 0;
}

int
switches_when(cf_return_when when)
{
    switch (when) {
    case CF_FIRST_COMPLETED:
    case CF_FIRST_ERROR:
    case CF_ALL_COMPLETED:
        return 1;
    }
    return 0;
}

int
switches_policy(cf_queue_policy policy)
{
    switch (policy) {
    case CF_QUEUE_BLOCK:
    case CF_QUEUE_REJECT:
    case CF_QUEUE_CALLER_RUNS:
        return 1;
    }
    return 0;
}

int
switches_death(cf_on_worker_death death)
{
    switch (death) {
    case CF_WORKER_REPLACE:
    case CF_WORKER_BREAK:
        return 1;
    }
    return 0;
}

/* A task may return a cf_err as it is. */
int
switches_task(cf_call *call, const void *arg, size_t arg_size)
{
    return cf_return(call, arg, arg_size);
}
