/* SPDX-License-Identifier: MIT */
/*
 * A gate is two futex words and no lock; see gate.h.
 */
#define _GNU_SOURCE
#include "tests/support/gate.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/shared.h"

struct gate {
    atomic_int arrived; /* gate_await() sleeps on it */
    atomic_int open;    /* gate_pass() sleeps on it */
};

_Static_assert(sizeof(atomic_int) == 4, "the kernel's futex is 32 bits");

bool (*gate_suspend)(void);

/* Sleeps if the word is still as seen; may return for no reason. */
static void
sleep_while(atomic_int *word, int seen)
{
    if (gate_suspend && gate_suspend())
        return;
    if (syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0) != 0 &&
        errno != EAGAIN && errno != EINTR) {
        perror("gate: futex");
        abort();
    }
}

static void
wake_all(atomic_int *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

gate *
gate_new(void)
{
    return shared_new(sizeof(gate));
}

void
gate_arrive(gate *g)
{
    atomic_fetch_add(&g->arrived, 1);
    wake_all(&g->arrived);
}

void
gate_pass(gate *g)
{
    gate_arrive(g);
    while (atomic_load(&g->open) == 0)
        sleep_while(&g->open, 0);
}

void
gate_await(gate *g, int count)
{
    for (int n; (n = atomic_load(&g->arrived)) < count;)
        sleep_while(&g->arrived, n);
}

void
gate_open(gate *g)
{
    atomic_store(&g->open, 1);
    wake_all(&g->open);
}

int
gate_arrived(gate *g)
{
    return atomic_load(&g->arrived);
}

void
await_asleep(pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    for (;;) {
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return; /* it has ended: it will not sleep any more */
        char state = '?';
        /* pid (comm) state: the name of a test thread has no ')'. */
        int fields = fscanf(file, "%*d (%*[^)]) %c", &state);
        fclose(file);
        if (fields == 1 && state == 'S')
            return;
        sched_yield();
    }
}
