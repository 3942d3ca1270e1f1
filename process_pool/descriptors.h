/* SPDX-License-Identifier: MIT */
/* The descriptors that a forked process does not keep. */
#ifndef CF_PROCESS_POOL_DESCRIPTORS_H
#define CF_PROCESS_POOL_DESCRIPTORS_H

#include <stddef.h>

/* Closes everything above 2 but some. Entries below 0 do not count; at most
 * 8. Async-signal-safe. */
void cf__close_all_but(const int *kept, size_t count);

#endif
