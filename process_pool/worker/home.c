/* SPDX-License-Identifier: MIT */
/*
 * The word lies in a page that the kernel wipes in a child (Linux 4.14): so it
 * holds for every way to fork, also for a system call that no handler hears
 * of. On an older kernel a fork handler does it, which _Fork() and clone() do
 * not call. A child of vfork() shares its parent's memory: worker.c has what
 * can be done about it.
 */
#include "process_pool/worker/home.h"

#include "lib/base/pages.h"

#include <pthread.h>
#include <sys/mman.h>

static _Atomic uint32_t handled = 1;

static void
wipe(void)
{
    cf_store_relaxed(&handled, 0); /* one thread */
}

const _Atomic uint32_t *
cf__home_enter(void)
{
    size_t size = cf__whole_pages(sizeof(uint32_t));
    _Atomic uint32_t *word = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#ifdef MADV_WIPEONFORK
    if (word != MAP_FAILED && madvise(word, size, MADV_WIPEONFORK) == 0) {
        cf_store_relaxed(word, 1); /* nobody else knows it */
        return word;
    }
#endif
    if (word != MAP_FAILED)
        (void)munmap(word, size);
    cf_store_relaxed(&handled, 1);
    (void)pthread_atfork(NULL, NULL, wipe); /* without memory: not told apart */
    return &handled;
}
