/* SPDX-License-Identifier: MIT */
/*
 * Many tasks on systems that give less than huge pages: none at all, none to
 * this process, no advice about memory, or little memory. No task is lost, and
 * errors are those of the submit. Each kind of system is a child process.
 */
#include <cfutures/cfutures.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 400000, SKIPPED = 77 };

static cf_future *futures[TASKS];

/* --- kinds of systems: false: this cannot be one -------------------------- */

static bool
as_it_is(void)
{
    return true;
}

static bool
refused_by_environment(void)
{
    return setenv("CF_HUGE_PAGES", "0", 1) == 0;
}

static bool
no_huge_pages(void)
{
    return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

/* As on an old kernel, which knows neither of the two. */
static bool
no_advice(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {sizeof steps / sizeof steps[0], steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Room for two threads, and for some of the futures. */
static bool
little_memory(void)
{
    const rlim_t most = (rlim_t)48 << 20;
    struct rlimit stack = {256 << 10, RLIM_INFINITY};
    return setrlimit(RLIMIT_STACK, &stack) == 0 &&
           setrlimit(RLIMIT_AS, &(struct rlimit){most, most}) == 0;
}

/* --- tasks ---------------------------------------------------------------- */

static int
same(cf_call *call, const void *arg, size_t arg_size)
{
    return (int)cf_return(call, arg, arg_size);
}

/* Returns how many tasks there was memory for; -1: one is wrong. */
static int
run_tasks(cf_executor *ex)
{
    int count = 0, wrong = 0;
    cf_err err = CF_OK;
    while (count < TASKS && !err) {
        err = cf_submit(ex, same, &count, sizeof count, &futures[count]);
        count += err == CF_OK;
    }
    wrong += err != CF_OK && err != CF_ENOMEM;
    for (int i = 0; i < count; i++) {
        cf_bytes result;
        wrong += cf_future_result(futures[i], CF_FOREVER, &result) != CF_OK ||
                 *(const int *)result.data != i;
        cf_future_unref(futures[i]);
    }
    return wrong ? -1 : count;
}

/* The program has memory that asks for huge pages. */
static bool
asks_for_huge_pages(void)
{
    char line[256];
    bool asks = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    while (file && fgets(line, sizeof line, file))
        asks |= strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg");
    if (file)
        fclose(file);
    return asks;
}

static const struct kind {
    const char *name;
    bool (*become)(void);
    bool scarce;       /* not all tasks fit */
    bool refuses_huge; /* the library is not to ask for huge pages */
} kinds[] = {{"as it is", as_it_is, false, false},
             {"CF_HUGE_PAGES=0", refused_by_environment, false, true},
             {"no huge pages", no_huge_pages, false, false},
             {"no advice", no_advice, false, true},
             {"little memory", little_memory, true, false}};

static int
run_on(const struct kind *kind)
{
    cf_executor *ex;
    if (!kind->become())
        return SKIPPED;
    if (cf_executor_open("threads:2", &ex))
        return 2;
    for (int round = 0; round < 3; round++) {
        int count = run_tasks(ex);
        printf("%s: %d tasks\n", kind->name, count);
        /* Of little memory, the queue's part may be what is missing. */
        if (count < 100 || (count == TASKS) == kind->scarce)
            return 3;
    }
    if (kind->refuses_huge && asks_for_huge_pages())
        return 4;
    cf_executor_destroy(ex);
    return 0;
}

int
main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int status = 0;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            exit(run_on(&kinds[i]));
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
            printf("%s: skipped\n", kinds[i].name);
        else if (status != 0) {
            printf("%s: wait status %d\n", kinds[i].name, status);
            failed++;
        }
    }
    return failed != 0;
}
