/* SPDX-License-Identifier: MIT */
/* Last words: see contract.h. */
#include "lib/contract.h"

#include <stdio.h>
#include <stdlib.h>

void
cf__contract_broken(const char *sentence)
{
    fprintf(stderr, "libcfutures: %s\n", sentence);
    abort();
}
