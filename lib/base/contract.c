/* SPDX-License-Identifier: MIT */
/* Prints a sentence and ends the program: see contract.h. */
#include "lib/base/contract.h"

#include "lib/base/cancel.h"

#include <stdio.h>
#include <stdlib.h>

void
cf__contract_broken(const char *sentence)
{
    (void)cf__cancel_disable(); /* the thread must not end here instead */
    fprintf(stderr, "libcfutures: %s\n", sentence);
    abort();
}
