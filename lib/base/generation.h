/* SPDX-License-Identifier: MIT */
/* Which process this is, of those that came out of one another by fork(). */
#ifndef CF_LIB_BASE_GENERATION_H
#define CF_LIB_BASE_GENERATION_H

#include <stdint.h>

/* Another one in a fork's child than in its parents (modulo 2^15); odd, hence
 * never 0. Changes only in the child, while that has one thread. */
extern uint16_t cf__generation __attribute__((visibility("hidden")));

#endif
