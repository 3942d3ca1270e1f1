/* SPDX-License-Identifier: MIT */
/* The thread that kills workers: see hunter.h. */
#define _GNU_SOURCE
#include "hunter.h"

#include "common.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    PIDS = 1 << 22, /* the kernel has no larger ones */
    PAUSE_NS = 1000000,
    PAUSE_MORE_NS = 4000000
};

static pthread_t thread;

/* The process, which cannot become another one now, is a worker. */
static bool
is_worker(const struct hunter *h, int pid)
{
    char name[40], path[40];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t length = strlen(h->prefix);
    bool is = fgets(name, sizeof name, file) != NULL &&
              strncmp(name, h->prefix, length) == 0 && name[length] == '_' &&
              name[length + 1] != 'z';
    fclose(file);
    return is;
}

static void
shoot(struct hunter *h, int pid, int signo)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    if (pid < PIDS && is_worker(h, pid)) {
        atomic_store(&h->killed[pid], atomic_load(&h->round)); /* before */
        if (syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0) == 0)
            h->kills++;
    }
    close(fd);
}

static void *
hunt(void *arg)
{
    struct hunter *h = arg;
    struct random r = random_stream(1);
    while (!atomic_load(&h->over)) {
        struct timespec pause = {0, PAUSE_NS + random_below(&r, PAUSE_MORE_NS)};
        nanosleep(&pause, NULL);
        int pid = atomic_load(&h->pids[random_below(&r, h->count)]);
        if (atomic_load(&h->hunting) && pid > 0)
            shoot(h, pid, random_percent(&r, 50) ? SIGKILL : SIGSEGV);
    }
    return NULL;
}

struct hunter *
hunter_start(atomic_int *pids, unsigned count)
{
    struct hunter *h = calloc(1, sizeof *h);
    CHECK(h != NULL);
    snprintf(h->prefix, sizeof h->prefix, "x%d", (int)getpid());
    h->pids = pids;
    h->count = count;
    h->killed = calloc(PIDS, sizeof *h->killed);
    h->blamed = calloc(PIDS, sizeof *h->blamed);
    CHECK(h->killed != NULL && h->blamed != NULL);
    atomic_store(&h->round, 1);
    CHECK_EQ(pthread_create(&thread, NULL, hunt, h), 0);
    return h;
}

void
hunter_set(struct hunter *h, bool hunting)
{
    atomic_store(&h->hunting, hunting);
}

void
hunter_begin_round(struct hunter *h)
{
    atomic_fetch_add(&h->round, 1);
}

bool
hunter_has_killed(const struct hunter *h, pid_t pid)
{
    return pid > 0 && pid < PIDS && atomic_load(&h->killed[pid]) > 0 &&
           atomic_load(&h->killed[pid]) + 1 >= atomic_load(&h->round);
}

bool
hunter_was_blamed(struct hunter *h, pid_t pid)
{
    unsigned now = atomic_load(&h->round);
    return pid > 0 && pid < PIDS &&
           atomic_exchange(&h->blamed[pid], now) == now;
}

unsigned
hunter_stop(struct hunter *h)
{
    atomic_store(&h->over, true);
    pthread_join(thread, NULL);
    unsigned kills = h->kills;
    free(h->killed);
    free(h->blamed);
    free(h);
    return kills;
}
