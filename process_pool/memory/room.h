/* SPDX-License-Identifier: MIT */
/*
 * How much address space a pool may take, and taking it. The program's limits
 * (ulimit -v, -d) and the system's also count what is only reserved. So a pool
 * takes a part of what they leave, at most.
 */
#ifndef CF_PROCESS_POOL_ROOM_H
#define CF_PROCESS_POOL_ROOM_H

#include <stddef.h>

struct cf__room {
    size_t all;     /* bytes */
    size_t private; /* bytes of them that may be private memory */
};

/* What one more pool may take. */
struct cf__room cf__room_for_pool(void);

/* A number of bytes, which K, M, G or T may follow. 0: text is not one, or is
 * NULL. */
size_t cf__room_parse(const char *text);

/*
 * Reserves size bytes of address space, zero. Memory is used only as far as it
 * is filled, even after mlockall(MCL_FUTURE). how: MAP_SHARED or MAP_PRIVATE.
 * NULL: there is no room.
 */
void *cf__room_take(size_t size, int how);

#endif
