/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "chaos_tasks.h"
#include "common.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct chaos_stage chaos_stage;

static void
begin(cf_call *call, struct record *record)
{
    atomic_store(&chaos_stage.pids[cf_call_worker(call)], (int)getpid());
    atomic_fetch_add(&record->starts, 1);
}

static int
end(cf_call *call, const struct work *w)
{
    unsigned answer = w->seed * 2654435761u;
    if (cf_return(call, &answer, sizeof answer) != CF_OK)
        return cf_fail(call, 1, "no room for the answer");
    atomic_fetch_add(&w->record->ends, 1);
    return 0;
}

int
chaos_small(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    return end(call, &w);
}

int
chaos_long(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    struct random r = {w.seed};
    random_delay(&r, 3000000);
    return end(call, &w);
}

int
chaos_payload(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    const unsigned char *from = (const unsigned char *)arg + sizeof w;
    if (arg_size != sizeof w + w.size)
        return cf_fail(call, 2, "%zu bytes", arg_size);
    unsigned char *to = cf_return_buffer(call, w.size);
    if (to == NULL)
        return cf_fail(call, 3, "no room for %u bytes", w.size);
    for (unsigned i = 0; i < w.size; i++)
        to[i] = (unsigned char)(from[i] + 1);
    atomic_fetch_add(&w.record->ends, 1);
    return 0;
}

int
chaos_forks(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    pid_t child = fork();
    if (child == 0) {
        unsigned wrong = w.seed;
        return cf_return(call, &wrong, sizeof wrong) != CF_OK;
    }
    if (child > 0 && w.seed % 2)
        (void)waitpid(child, NULL, 0);
    return end(call, &w);
}

int
chaos_forks_barely(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
        return cf_fail(call, 5, "a child");
    return end(call, &w);
}

int
chaos_changes_user(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (geteuid() == 0)
        (void)(setresgid(1000, 1000, 0) == 0 && setresuid(1000, 1000, 0) == 0 &&
               setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
    return end(call, &w);
}

static int
task_inner(cf_call *call, const void *arg, size_t arg_size)
{
    return cf_return(call, arg, arg_size) != CF_OK;
}

int
chaos_nested(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    for (unsigned i = 0; i < 3; i++) {
        cf_future *f = NULL;
        cf_bytes bytes;
        if (cf_submit(cf_call_executor(call), task_inner, &w, sizeof w, &f) ||
            cf_future_result(f, CF_FOREVER, &bytes) != CF_OK ||
            bytes.size != sizeof w || memcmp(bytes.data, &w, sizeof w) != 0)
            return cf_fail(call, 4, "inside");
        cf_future_unref(f);
    }
    return end(call, &w);
}

int
chaos_late(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (w.seed % 3 == 0)
        (void)raise(SIGSTOP);
    for (volatile bool endless = true; endless;)
        continue;
    return 0;
}

int
chaos_empty(cf_call *call, const void *arg, size_t arg_size)
{
    atomic_int *visits;
    (void)arg_size;
    memcpy(&visits, arg, sizeof visits);
    atomic_store(&chaos_stage.pids[cf_call_worker(call)], (int)getpid());
    atomic_fetch_add(visits, 1);
    return 0;
}

int
chaos_item(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned n;
    (void)arg_size;
    memcpy(&n, arg, sizeof n);
    n *= 3;
    return cf_return(call, &n, sizeof n) != CF_OK;
}

int
chaos_visit(cf_call *call, size_t first, size_t last, void *data)
{
    (void)call;
    (void)data;
    for (size_t i = first; i < last; i++)
        atomic_fetch_add(&chaos_stage.visits[i], 1);
    return 0;
}
