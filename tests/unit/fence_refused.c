/* SPDX-License-Identifier: MIT */
/*
 * A kernel that refuses the heavy fence (lib/base/fence.h) after all, as a
 * filter of system calls can do at any time: no task is left behind, and the
 * pool can be destroyed.
 */
#include <cfutures/cfutures.h>

#include "lib/base/fence.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SKIPPED = 77, ROUNDS = 1000 };

/* In this thread and those that it starts. */
static bool
refuse_membarrier(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {sizeof steps / sizeof steps[0], steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int
child(cf_call *call, const void *arg, size_t arg_size)
{
    return (int)cf_return(call, arg, arg_size);
}

/* Nested: so sleepers need the fence from now on. */
static int
parent(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *f;
    cf_bytes result;
    cf_err err = cf_submit(cf_call_executor(call), child, arg, arg_size, &f);
    if (err)
        return cf_fail(call, 1, "%s", cf_strerror(err));
    err = cf_future_result(f, CF_FOREVER, &result);
    if (!err)
        err = cf_return(call, result.data, result.size);
    cf_future_unref(f);
    return (int)err;
}

/* One task at a time: between them, workers look whether they may sleep. */
static bool
run_tasks(cf_executor *ex)
{
    for (int i = 0; i < ROUNDS; i++) {
        cf_future *f;
        cf_bytes result;
        if (cf_submit(ex, parent, &i, sizeof i, &f) ||
            cf_future_result(f, CF_FOREVER, &result) ||
            *(const int *)result.data != i)
            return false;
        cf_future_unref(f);
    }
    return cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK;
}

int
main(void)
{
    cf_executor *ex;
    if (cf_executor_open("threads:2", &ex)) /* registers for the fence */
        return 1;
    if (!cf__fence_asymmetric || !refuse_membarrier()) {
        cf_executor_destroy(ex);
        return SKIPPED;
    }
    bool refused = syscall(SYS_membarrier, 0, 0, 0) < 0; /* a mere query */
    bool done = run_tasks(ex);
    cf_executor_destroy(ex);
    printf("refused: %d, all tasks done: %d\n", refused, done);
    return !refused || !done;
}
