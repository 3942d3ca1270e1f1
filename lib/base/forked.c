/* SPDX-License-Identifier: MIT */
/* The handlers around fork(), and how a child notices: see forked.h. */
#include "lib/base/forked.h"

#include "lib/base/thread.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK /* Linux 4.14 */
#define MADV_WIPEONFORK 18
#endif

uint16_t cf__generation = 1;

static _Atomic uint32_t not_wiped = 1;
_Atomic(_Atomic uint32_t *) cf__fork_alive = &not_wiped;
_Atomic uint32_t cf__forks;

/* The process whose memory this is. Changes in a fork's child. */
static _Atomic pid_t process;
static atomic_bool hooks_set;
static pthread_once_t page_once = PTHREAD_ONCE_INIT;
static const struct cf__fork_steps *parts[CF__FORK_PARTS];

void
cf__fork_add(enum cf__fork_part part, const struct cf__fork_steps *steps)
{
    parts[part] = steps;
}

/* The calling thread is the only one. A mutex may be held, by a thread that is
 * not here. */
static void
become_child(void)
{
    cf_store_relaxed(&process, getpid());
    cf__generation += 2; /* odd */
    cf_store_relaxed(cf_load_relaxed(&cf__fork_alive), 1);
    cf_store_relaxed(&cf__forks, cf__thread.forking);
    /* The thread is no pool's worker or server any more. */
    cf__thread.worker = NULL;
    cf__thread.server = NULL;
    cf__thread.root_of = NULL;
    for (int i = 0; i < CF__FORK_PARTS; i++)
        if (parts[i] && parts[i]->in_child)
            parts[i]->in_child();
}

void
cf__fork_look(void)
{
    _Atomic uint32_t *alive = cf_load_acquire(&cf__fork_alive); /* map_page */
    if (!cf_load_relaxed(alive) || getpid() != cf_load_relaxed(&process))
        become_child();
}

static void
before_fork(void)
{
    cf_fetch_add_relaxed(&cf__forks, 1); /* for this thread, in the child */
    if (cf__thread.forking++ == 0) {
        for (int i = 0; i < CF__FORK_PARTS; i++)
            if (parts[i] && parts[i]->before)
                parts[i]->before();
    }
}

/* In the parent, and in the child. */
static void
after_fork(void)
{
    if (cf__thread.forking == 0)
        return; /* set_handlers() came between the fork's two handlers */
    if (--cf__thread.forking == 0) {
        for (int i = 0; i < CF__FORK_PARTS; i++)
            if (parts[i] && parts[i]->after)
                parts[i]->after();
    }
    cf_fetch_add_relaxed(&cf__forks, -1);
}

static void
after_fork_in_child(void)
{
    cf__fork_look();
    after_fork();
}

/* A constructor that runs early: so in a child, most of the program's own
 * handlers come after these. */
__attribute__((constructor(101))) static void
set_handlers(void)
{
    if (cf_load_acquire(&hooks_set)) /* pairs with the store below */
        return;
    cf_store_relaxed(&process, getpid());
    if (pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0)
        cf_store_release(&hooks_set, true);
}

static void
map_page(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, size); /* only the handlers tell of a fork */
        return;
    }
    _Atomic uint32_t *alive = page;
    cf_store_relaxed(alive, 1);
    cf_store_release(&cf__fork_alive, alive); /* pairs with cf__notice_fork */
}

bool
cf__fork_set_hooks(void)
{
    set_handlers(); /* if two threads do this at once, it does no harm */
    pthread_once(&page_once, map_page);
    return cf_load_acquire(&hooks_set); /* pairs with set_handlers */
}
