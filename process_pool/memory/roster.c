/* SPDX-License-Identifier: MIT */
/* The zygote's notes of its children, and their last use: see roster.h. */
#include "process_pool/memory/roster.h"

#include "lib/base/clock.h"
#include "lib/base/pages.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { START_FIELD = 22 }; /* of /proc/<pid>/stat: when it started, in ticks */

bool
cf__roster_init(struct cf__roster *roster, int lanes)
{
    roster->size =
        cf__whole_pages((size_t)lanes * sizeof(struct cf__roster_entry));
    void *entries = mmap(NULL,
                         roster->size,
                         PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS,
                         -1,
                         0);
    roster->entries = entries == MAP_FAILED ? NULL : entries;
    return roster->entries != NULL;
}

void
cf__roster_read_only(const struct cf__roster *roster)
{
    (void)mprotect(roster->entries, roster->size, PROT_READ);
    (void)madvise(roster->entries, roster->size, MADV_DONTFORK);
}

void
cf__roster_fini(struct cf__roster *roster)
{
    if (roster->entries)
        (void)munmap(roster->entries, roster->size);
    roster->entries = NULL;
}

bool
cf__roster_keep(const struct cf__roster *roster)
{
    return madvise(roster->entries, roster->size, MADV_DONTFORK) == 0;
}

void
cf__roster_enter(struct cf__roster_entry *entry, pid_t pid, uint64_t start)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail on Linux */
    int64_t ns = CF__S(now.tv_sec) + now.tv_nsec;
    entry->start = start;
    entry->doomed = false;
    entry->forked_at = ns;
    /* pairs with cf__roster_kill: the zygote may be killed before this store */
    cf_store_release(&entry->pid, pid);
}

/* When a process started, in nanoseconds since the machine started, as exactly
 * as the kernel says it; -1: it cannot be known. */
static int64_t
started_at(pid_t pid)
{
    char name[64], text[1024];
    long ticks = sysconf(_SC_CLK_TCK);
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ticks <= 0)
        return -1;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    char *at = strrchr(text, ')'); /* the name may have spaces */
    for (int field = 2; at && field < START_FIELD; field++)
        at = strchr(at + 1, ' ');
    return at ? (int64_t)strtoull(at, NULL, 10) * (CF__S(1) / ticks) : -1;
}

/* The process's parent is dead. So another process may have reaped it, and its
 * number may be a new process's by now: a process that is younger than the
 * entry is left alone. Without /proc its age is not known, and it is killed:
 * little time has passed since the zygote died. */
static void
kill_one(const struct cf__roster_entry *entry, pid_t pid)
{
#ifdef SYS_pidfd_open
    int life = (int)syscall(SYS_pidfd_open, pid, 0);
    if (life >= 0) { /* from here on it stays the same process */
        if (started_at(pid) <= entry->forked_at)
            (void)syscall(SYS_pidfd_send_signal, life, SIGKILL, NULL, 0);
        close(life);
        return;
    }
#endif
    if (started_at(pid) <= entry->forked_at)
        (void)kill(pid, SIGKILL);
}

void
cf__roster_kill(const struct cf__roster *roster, int lanes)
{
    for (int i = 0; i < lanes; i++) {
        const struct cf__roster_entry *entry = &roster->entries[i];
        /* pairs with cf__roster_enter */
        pid_t pid = cf_load_acquire(&entry->pid);
        if (pid > 0)
            kill_one(entry, pid);
    }
}
