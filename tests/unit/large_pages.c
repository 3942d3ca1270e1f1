/* SPDX-License-Identifier: MIT */
/*
 * A system with pages of 64 KiB: there are blocks for futures from the first
 * one on, and they go back. The linker puts __wrap_sysconf() in sysconf()'s
 * place.
 */
#include "lib/future/block.h"

#include <stdio.h>
#include <unistd.h>

enum { BLOCKS = 300000, ROUNDS = 2, PAGE = 65536 };

/* The linker prescribes the names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
/* NOLINTBEGIN(readability-identifier-naming) */
long __real_sysconf(int name);
long __wrap_sysconf(int name);
/* NOLINTEND(readability-identifier-naming) */
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

long
__wrap_sysconf(int name)
{
    return name == _SC_PAGESIZE ? PAGE : __real_sysconf(name);
}

static cf_future *blocks[BLOCKS];

int
main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = cf__block_alloc();
            if (!blocks[i]) {
                fprintf(stderr, "no block %d in round %d\n", i, round);
                return 1;
            }
            blocks[i]->arg[0] = (unsigned char)i;
        }
        for (int i = 0; i < BLOCKS; i++) {
            if (blocks[i]->arg[0] != (unsigned char)i) {
                fprintf(stderr, "block %d is another's, too\n", i);
                return 1;
            }
        }
        for (int i = 0; i < BLOCKS; i++)
            cf__block_free(blocks[i]);
        if (!cf__block_may_trim()) {
            fprintf(stderr, "nothing to give back in round %d\n", round);
            return 1;
        }
        cf__block_trim();
    }
    return 0;
}
