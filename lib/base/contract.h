/* SPDX-License-Identifier: MIT */
/* If a misuse cannot be returned as an error, it ends the program with a
 * sentence. */
#ifndef CF_LIB_BASE_CONTRACT_H
#define CF_LIB_BASE_CONTRACT_H

#include "lib/base/export.h"

/* Prints "libcfutures: <sentence>" to standard error and aborts. */
CF__EXPORT _Noreturn void cf__contract_broken(const char *sentence);

/* Runs in all builds: only for checks that cost next to nothing. */
#define cf__contract(holds, sentence)                                          \
    do {                                                                       \
        if (__builtin_expect(!(holds), 0))                                     \
            cf__contract_broken(sentence);                                     \
    } while (0)

#endif
