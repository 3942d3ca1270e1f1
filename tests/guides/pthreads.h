/* SPDX-License-Identifier: MIT */
/* What comes before each left column of docs/coming-from/pthreads.md. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
