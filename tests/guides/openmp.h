/* SPDX-License-Identifier: MIT */
/* What comes before each left column of docs/coming-from/openmp.md. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
