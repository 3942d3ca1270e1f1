/* SPDX-License-Identifier: MIT */
/*
 * How much address space a pool may take, and taking it. The limits of the
 * program (ulimit -v, -d) and the system's count what is only reserved, too;
 * so a pool takes an eighth of what they leave, at most.
 */
#ifndef CF_PROCESS_POOL_ROOM_H
#define CF_PROCESS_POOL_ROOM_H

#include <stddef.h>

struct cf__room {
    size_t all;     /* bytes */
    size_t private; /* bytes of it that may be private memory */
};

/* What one pool may take now. */
struct cf__room cf__room_for_pool(void);

/* A number of bytes, with K, M, G or T behind it or not. 0: it is none, or
 * text is NULL. */
size_t cf__room_parse(const char *text);

/*
 * Address space of size bytes, zero, of which memory is used only as far as it
 * is filled, also after mlockall(MCL_FUTURE). how: MAP_SHARED or MAP_PRIVATE.
 * NULL: there is none.
 */
void *cf__room_take(size_t size, int how);

#endif
