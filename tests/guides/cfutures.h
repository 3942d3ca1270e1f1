/* SPDX-License-Identifier: MIT */
/* What comes before each right column of docs/coming-from/. */
#include <cfutures/cfutures.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The program's executor: any. */
extern cf_executor *pool;
