/* SPDX-License-Identifier: MIT */
/* Which process this is, of those that came out of one another by fork(). */
#ifndef CF_LIB_BASE_GENERATION_H
#define CF_LIB_BASE_GENERATION_H

#include "lib/base/export.h"

#include <stdint.h>

/* A child has another number than all its parents (modulo 2^15). The number is
 * odd, hence never 0. It changes only in a child, while that has one thread. */
CF__EXPORT extern uint16_t cf__generation;

#endif
