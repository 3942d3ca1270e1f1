/* SPDX-License-Identifier: MIT */
/* Misuse that cannot be returned as an error ends the program, in words. */
#ifndef CF_LIB_BASE_CONTRACT_H
#define CF_LIB_BASE_CONTRACT_H

/* Prints "libcfutures: <sentence>" to standard error and aborts. */
_Noreturn void cf__contract_broken(const char *sentence);

/* In all builds: only for checks that cost next to nothing. */
#define cf__contract(holds, sentence)                                          \
    do {                                                                       \
        if (__builtin_expect(!(holds), 0))                                     \
            cf__contract_broken(sentence);                                     \
    } while (0)

#endif
