/* SPDX-License-Identifier: MIT */
/*
 * A process that may have no more memory (RLIMIT_AS, `ulimit -v`): tasks for
 * whose stacks there is none fail with CF_ENOMEM, the others go on, and their
 * stacks serve later tasks.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TASKS = 2000, LATER = 50, LEFT = 48 << 20 /* bytes */ };

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            printf("%d: not true: %s\n", __LINE__, #condition);                \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static int
wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_wait((cf_future *)arg, CF_FOREVER);
}

static atomic_bool begun;

static int
begin_and_wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    atomic_store(&begun, true);
    return wait_for(call, arg, arg_size);
}

/* The process may have LEFT bytes of addresses more than now. */
static void
limit_memory(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    CHECK(statm && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    rlim_t most = pages * (rlim_t)sysconf(_SC_PAGESIZE) + LEFT;
    struct rlimit limit = {most, most};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

int
main(void)
{
    static cf_future *fs[TASKS];
    cf_executor *ex;
    cf_future *go, *first;
    int went_well = 0, without_memory = 0;
    CHECK(cf_event_loop_create(NULL, &ex) == CF_OK);
    CHECK(cf_future_create(&go) == CF_OK);
    CHECK(cf_submit(ex, begin_and_wait_for, go, 0, &first) == CF_OK);
    /* What the loop's thread needs for its start is there, and libc has given
     * back what it took too much of. */
    while (!atomic_load(&begun))
        sched_yield();
    limit_memory();
    for (int i = 0; i < TASKS; i++)
        CHECK(cf_submit(ex, wait_for, go, 0, &fs[i]) == CF_OK);
    CHECK(cf_future_wait(fs[TASKS - 1], CF_FOREVER) == CF_OK);
    CHECK(cf_future_set_result(go, NULL, 0) == CF_OK);
    for (int i = 0; i < TASKS; i++) {
        cf_err err = cf_future_result(fs[i], CF_FOREVER, NULL);
        went_well += err == CF_OK;
        without_memory += err == CF_ENOMEM;
        cf_future_unref(fs[i]);
    }
    printf("%d tasks went well, %d had no memory\n", went_well, without_memory);
    CHECK(went_well + without_memory == TASKS);
    CHECK(went_well >= LATER && without_memory > 0);
    CHECK(cf_future_result(first, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(first);
    for (int i = 0; i < LATER; i++)
        CHECK(cf_submit(ex, wait_for, go, 0, &fs[i]) == CF_OK);
    for (int i = 0; i < LATER; i++) {
        CHECK(cf_future_result(fs[i], CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(fs[i]);
    }
    cf_future_unref(go);
    cf_executor_destroy(ex);
    return 0;
}
