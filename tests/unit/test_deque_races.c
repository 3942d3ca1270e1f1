/* SPDX-License-Identifier: MIT */
/*
 * What thieves and cancellers do to a deque between two steps of its owner. The
 * owner's store to `bottom` is between its look at the entry, or at `top`, and
 * its claim, or its second look. So the deque lies in a page that is read-only:
 * the store faults, the handler does what the others would do, makes the page
 * writable and returns, and the store takes place. Each race happens each time.
 */
#include "thread_pool/deque.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TASKS = 4, WORKER = 5 };

static struct cf__deque *deque; /* the only thing in its pages */
static size_t deque_bytes;
static cf_future *tasks;
static void (*meanwhile)(void); /* NULL: nothing faults any more */
static cf_future *stolen;

static void
let_others_go_first(int signo, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr, begin = (uintptr_t)deque;
    (void)context;
    if (!meanwhile || at < begin || at >= begin + deque_bytes)
        signal(signo, SIG_DFL); /* a fault of another kind: again, and dies */
    if (mprotect(deque, deque_bytes, PROT_READ | PROT_WRITE) != 0)
        _exit(1);
    if (meanwhile)
        meanwhile();
    meanwhile = NULL;
}

/* The next store to the deque finds that the others have done this. */
static void
before_next_store(void (*others)(void))
{
    meanwhile = others;
    cr_assert(mprotect(deque, deque_bytes, PROT_READ) == 0);
}

static void
begin(void)
{
    struct sigaction action = {.sa_sigaction = let_others_go_first,
                               .sa_flags = SA_SIGINFO};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    deque_bytes = (sizeof *deque + page - 1) / page * page;
    deque = mmap(NULL,
                 deque_bytes,
                 PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS,
                 -1,
                 0);
    cr_assert(deque != MAP_FAILED);
    cr_assert(cf__deque_init(deque));
    tasks = aligned_alloc(CF_CACHE_LINE, TASKS * sizeof *tasks);
    cr_assert_not_null(tasks);
    memset(tasks, 0, TASKS * sizeof *tasks);
    for (int i = 0; i < TASKS; i++) { /* a handle of the entry's, one of ours */
        atomic_init(&tasks[i].word, 2 * CF__HANDLE | CF_PENDING);
        cr_assert(cf__deque_push(deque, &tasks[i], 0));
    }
    cr_assert(sigaction(SIGSEGV, &action, NULL) == 0);
}

static void
end(void)
{
    cr_assert_null(meanwhile, "the race has not happened");
    cf__deque_check(deque);
    cf__deque_fini(deque);
    munmap(deque, deque_bytes);
    free(tasks);
}

static uint64_t
handles(int i)
{
    return atomic_load(&tasks[i].word) >> 32;
}

static cf_future *
steal(void)
{
    return cf__deque_steal(deque, 0, NULL);
}

/* Leaves only the last task. */
static void
steal_others(void)
{
    for (int i = 0; i < TASKS - 1; i++)
        cr_assert(steal() == &tasks[i]);
}

static enum cf__pop
pop_last_after(void (*others)(void))
{
    before_next_store(others);
    return cf__deque_pop_if(deque, &tasks[TASKS - 1], WORKER);
}

/* --- what the others do (async-signal-safe) ------------------------------ */

static void
cancel_last(void)
{
    atomic_store(&tasks[TASKS - 1].word, 2 * CF__HANDLE | CF_CANCELED);
}

static void
steal_one(void)
{
    stolen = steal();
}

static void
steal_and_cancel_last(void)
{
    steal_one();
    cancel_last();
}

static void
steal_and_claim_last(void)
{
    steal_one();
    (void)cf__future_claim_word(stolen, 0);
}

static void
steal_three(void)
{
    for (int i = 0; i < 3; i++)
        steal_one();
}

/* --- pop against cancel and steal ---------------------------------------- */

Test(deque_races, a_cancel_during_a_pop, .init = begin, .fini = end)
{
    cr_assert(pop_last_after(cancel_last) == CF__POP_NOT_CLAIMED);
    cr_assert(handles(TASKS - 1) == 1, "the entry's handle is dropped");
    steal_others();
    cr_assert_null(steal(), "the entry is out");
}

Test(deque_races, a_cancel_during_a_pop_of_the_last, .init = begin, .fini = end)
{
    steal_others();
    cr_assert(pop_last_after(cancel_last) == CF__POP_NOT_CLAIMED);
    cr_assert(handles(TASKS - 1) == 1, "the entry's handle is dropped");
    cr_assert_null(steal(), "the entry is out");
}

Test(deque_races, a_cancel_and_a_steal_during_a_pop, .init = begin, .fini = end)
{
    steal_others();
    cr_assert(pop_last_after(steal_and_cancel_last) == CF__POP_NOT_CLAIMED);
    cr_assert(stolen == &tasks[TASKS - 1]);
    cr_assert(handles(TASKS - 1) == 2, "the entry's handle is the thief's");
    cr_assert_null(steal());
}

Test(deque_races, a_steal_during_a_pop, .init = begin, .fini = end)
{
    steal_others();
    cr_assert(pop_last_after(steal_one) == CF__POP_CLAIMED);
    cr_assert(stolen == &tasks[TASKS - 1]);
    cr_assert(cf__runner(atomic_load(&stolen->word)) == WORKER);
    cr_assert(handles(TASKS - 1) == 2, "the entry's handle is the thief's");
    cr_assert_null(steal());
}

Test(deque_races, a_steal_and_a_claim_during_a_pop, .init = begin, .fini = end)
{
    steal_others();
    cr_assert(pop_last_after(steal_and_claim_last) == CF__POP_NOT_CLAIMED);
    cr_assert(cf__runner(atomic_load(&stolen->word)) == 0);
    cr_assert(handles(TASKS - 1) == 2, "the entry's handle is the thief's");
    cr_assert_null(steal());
}

Test(deque_races, a_steal_of_another_during_a_pop, .init = begin, .fini = end)
{
    cr_assert(pop_last_after(steal_one) == CF__POP_CLAIMED_ENTRY);
    cr_assert(stolen == &tasks[0]);
    cr_assert(steal() == &tasks[1] && steal() == &tasks[2]);
    cr_assert_null(steal());
}

/* --- withdrawing against steal ------------------------------------------- */

Test(deque_races, a_steal_during_a_withdrawal, .init = begin, .fini = end)
{
    uint64_t from, to;
    before_next_store(steal_one);
    cr_assert_not(cf__deque_withdraw(deque, &from, &to), "it is too near");
    cr_assert(stolen == &tasks[0]);
    for (int i = 1; i < TASKS; i++)
        cr_assert(steal() == &tasks[i], "nothing has changed");
}

Test(deque_races, many_steals_during_a_withdrawal, .init = begin, .fini = end)
{
    uint64_t from, to;
    before_next_store(steal_three);
    cr_assert_not(cf__deque_withdraw(deque, &from, &to));
    cr_assert(stolen == &tasks[2]);
    cr_assert(steal() == &tasks[3], "nothing has changed");
    cr_assert_null(steal());
}
