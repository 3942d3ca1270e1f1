/* SPDX-License-Identifier: MIT */
/*
 * The word lies in a page that the kernel wipes in a child (Linux 4.14). So it
 * works for every way to fork, also for a system call of which no handler
 * hears. On an older kernel a fork handler wipes the word; _Fork() and clone()
 * do not call that. A child of vfork() shares its parent's memory: see
 * stay_tied in worker.c.
 */
#include "process_pool/worker/home.h"

#include "lib/base/pages.h"

#include <pthread.h>
#include <sys/mman.h>

static _Atomic uint32_t handled = 1;

static void
wipe(void)
{
    cf_store_relaxed(&handled, 0); /* there is one thread */
}

const _Atomic uint32_t *
cf__home_enter(void)
{
    size_t size = cf__whole_pages(sizeof(uint32_t));
    _Atomic uint32_t *word = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#ifdef MADV_WIPEONFORK
    if (word != MAP_FAILED && madvise(word, size, MADV_WIPEONFORK) == 0) {
        cf_store_relaxed(word, 1); /* no other thread knows it */
        return word;
    }
#endif
    if (word != MAP_FAILED)
        (void)munmap(word, size);
    cf_store_relaxed(&handled, 1);
    /* without memory, children are not told apart */
    (void)pthread_atfork(NULL, NULL, wipe);
    return &handled;
}
