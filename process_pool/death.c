/* SPDX-License-Identifier: MIT */
/* How a worker has ended, in words: see death.h. Under the pool's lock. */
#include "process_pool/death.h"

#include "lib/base/pages.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ", SIGSEGV" and the like; "" for signals whose name says little. */
static const char *
name_of(int signo)
{
    switch (signo) {
    case SIGABRT:
        return ", SIGABRT";
    case SIGBUS:
        return ", SIGBUS";
    case SIGFPE:
        return ", SIGFPE";
    case SIGILL:
        return ", SIGILL";
    case SIGKILL:
        return ", SIGKILL";
    case SIGSEGV:
        return ", SIGSEGV";
    case SIGTERM:
        return ", SIGTERM";
    default:
        return "";
    }
}

/* The program has memory there now. It only asks the kernel. */
static bool
is_mapped_here(const void *address)
{
    unsigned char resident;
    const uintptr_t page = cf__whole_pages(1);
    void *begin = (void *)((uintptr_t)address & ~(page - 1));
    int former = errno;
    bool mapped = mincore(begin, page, &resident) == 0;
    errno = former;
    return mapped;
}

static bool
is_in(const void *p, const void *begin, const void *end)
{
    return (uintptr_t)p >= (uintptr_t)begin && (uintptr_t)p < (uintptr_t)end;
}

/* What the address is that a worker could not use. */
static const char *
describe_address(const struct cf__shared *shared,
                 uint32_t kind,
                 const void *address)
{
    const char *parcels = shared->parcels.base;
    if (kind == CF__CRASH_STACK)
        return ": its stack has overflowed";
    if ((uintptr_t)address < cf__whole_pages(1))
        return ": a null pointer";
    if (is_in(address, shared->lanes_in, shared->lanes_out) ||
        is_in(address, parcels, parcels + shared->parcels.size))
        return ": a task's argument can only be read; copy it to change it";
    if (is_in(address, shared->base, shared->base + shared->size))
        return ": memory of the pool, which the task may not use";
    if (kind == CF__CRASH_UNMAPPED && is_mapped_here(address))
        return ": the program has that memory, but did not when the pool was "
               "created; see cf_shared_alloc()";
    return "";
}

struct cf__death
cf__death_of(const struct cf__processes *pool,
             const struct cf__process_lane *lane,
             const struct cf__zygote_report *end)
{
    struct cf__death death = {end, NULL, NULL};
    const int status = end->status;
    /* The worker is dead, but what it wrote must still be checked. Pairs with
     * note in zygote/crash.c. */
    uint32_t signo = cf_load_acquire(&lane->out->crash_signal);
    uint32_t kind = cf_load_relaxed(&lane->out->crash_kind);
    if (!WIFSIGNALED(status) || signo != (uint32_t)WTERMSIG(status) ||
        kind == CF__CRASH_UNKNOWN)
        return death;
    uint64_t address = cf_load_relaxed(&lane->out->crash_address);
    death.address = (const void *)(uintptr_t)address;
    death.where = signo == SIGSEGV || signo == SIGBUS
                      ? describe_address(pool->shared, kind, death.address)
                      : "";
    return death;
}

cf_error
cf__death_describe(const struct cf__death *death,
                   const char *name,
                   char *message)
{
    char task[96] = "";
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EWORKERDIED;
    error.name = name;
    if (!death->end) {
        error.message = "its worker process is gone";
        return error;
    }
    const int status = death->end->status, pid = (int)death->end->pid;
    if (name)
        (void)snprintf(task, sizeof task, " in task '%.80s'", name);
    error.worker = death->end->lane;
    error.pid = death->end->pid;
    error.message = message;
    if (WIFSIGNALED(status)) {
        char address[64] = "";
        error.signal = WTERMSIG(status);
        error.address = death->address;
        if (death->where) {
            (void)snprintf(address,
                           sizeof address,
                           ", at address 0x%llx",
                           (unsigned long long)(uintptr_t)death->address);
        }
        (void)snprintf(message,
                       CF__DEATH_MESSAGE,
                       "worker process %d was killed by signal %d%s%s%s%s",
                       pid,
                       error.signal,
                       name_of(error.signal),
                       task,
                       address,
                       death->where ? death->where : "");
    } else {
        error.exit_status = WEXITSTATUS(status);
        (void)snprintf(message,
                       CF__DEATH_MESSAGE,
                       "worker process %d exited with status %d%s",
                       pid,
                       error.exit_status,
                       name ? task : " in a task");
    }
    return error;
}
